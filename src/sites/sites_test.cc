#include "sites/sites.h"

#include <gtest/gtest.h>

#include <thread>

#include "registry/memory_registry.h"
#include "sites/auto_sites.h"
#include "sites/site_keys.h"

namespace nando {
namespace {

class SitesTest : public testing::Test {
 protected:
  SitesTest() { reopen(); }

  void reopen(SiteId used = SiteId{}) {
    auto opened = Sites::open(registry, tables, used);
    ASSERT_TRUE(opened) << opened.error().message;
    sites = std::move(*opened);
  }
  Result<Sites::Added> add(const std::string& host) {
    return sites->add({.host = host, .timezone = {}});
  }
  const Site* published(std::string_view host) { return reader.get().find(host); }

  MemoryRegistry registry;
  SiteTables tables{SiteTable({})};
  SiteTables::Reader reader{tables};
  std::unique_ptr<Sites> sites;
};

TEST_F(SitesTest, AddedSiteIsPublishedAndThereAfterARestart) {
  const auto added = sites->add(
      {.host = "www.Example.com", .timezone = "Europe/Berlin", .counts = Visibility::open});
  ASSERT_TRUE(added);
  EXPECT_NE(added->note, "");
  for (int start = 0; start < 2; ++start) {
    const auto* site = published("example.com");
    ASSERT_NE(site, nullptr);
    EXPECT_EQ(site->id, SiteId{1});
    EXPECT_EQ(site->zone.name(), "Europe/Berlin");
    EXPECT_EQ(site->counts, Visibility::open);
    EXPECT_NE(published("www.example.com"), nullptr);
    reopen();
  }
}

TEST_F(SitesTest, SiteIsClosedAndInUtcUnlessAskedOtherwise) {
  const auto added = add("example.com");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->site.counts, Visibility::closed);
  EXPECT_EQ(added->site.zone.name(), Zone::utc().name());
  EXPECT_EQ(added->site.pages_max, kPagesMaxDefault);
}

TEST_F(SitesTest, UnknownZoneOrBadHostIsRefusedAndCostsNoId) {
  EXPECT_EQ(sites->add({.host = "a.example", .timezone = "Mars/Base"}).error().code, Code::invalid);
  EXPECT_EQ(add("https://a.example").error().code, Code::invalid);
  EXPECT_EQ(add("a.example")->site.id, SiteId{1});
}

TEST_F(SitesTest, HostBelongsToOneSiteOnly) {
  ASSERT_TRUE(add("a.example"));
  ASSERT_TRUE(add("b.example"));
  ASSERT_TRUE(sites->set("a.example", "aliases", "c.example, www.d.example"));
  EXPECT_EQ(add("a.example").error().code, Code::conflict);
  EXPECT_EQ(add("www.a.example").error().code, Code::conflict);
  EXPECT_EQ(add("c.example").error().code, Code::conflict);
  EXPECT_NE(add("d.example").error().message.find("a.example"), std::string::npos);
  EXPECT_EQ(sites->set("b.example", "aliases", "a.example").error().code, Code::conflict);
  EXPECT_EQ(sites->set("b.example", "aliases", "c.example").error().code, Code::conflict);
  EXPECT_EQ(sites->set("b.example", "aliases", "b.example").error().code, Code::invalid);
  EXPECT_EQ(sites->set("b.example", "aliases", "e.example,e.example").error().code, Code::invalid);
  EXPECT_TRUE(sites->set("a.example", "aliases", "c.example"));
  EXPECT_TRUE(add("d.example"));
  EXPECT_EQ(published("c.example")->host, "a.example");
}

TEST_F(SitesTest, IdIsNeverGivenTwice) {
  EXPECT_EQ(add("a.example")->site.id, SiteId{1});
  ASSERT_TRUE(sites->remove("a.example"));
  EXPECT_EQ(published("a.example"), nullptr);
  EXPECT_EQ(add("a.example")->site.id, SiteId{2});
  ASSERT_TRUE(sites->remove("a.example"));
  reopen();
  EXPECT_EQ(published("a.example"), nullptr);
  EXPECT_EQ(add("b.example")->site.id, SiteId{3});
  reopen(SiteId{40});  // The journal knows later ones: the registry was restored from an old copy.
  EXPECT_EQ(add("c.example")->site.id, SiteId{41});
}

TEST_F(SitesTest, EachSettingTakesWhatItSaysAndRefusesTheRest) {
  struct Row {
    std::string key, value, shows;  // Shows nothing: refused.
  };
  std::string many_names = "only:p";
  for (int i = 1; i < 50; ++i) many_names += ",p" + std::to_string(i);
  const Row rows[] = {
      {"timezone", "Asia/Tokyo", "Asia/Tokyo"},
      {"timezone", "tokyo", ""},
      {"timezone", "", ""},
      {"public_counts", "on", "on"},
      {"public_counts", "off", "off"},
      {"public_counts", "yes", ""},
      {"query", "keep", "keep"},
      {"query", "drop", "drop"},
      {"query", "only:a, b", "only:a,b"},
      {"query", "only:", ""},
      {"query", "only:a,,b", ""},
      {"query", "only:a=b", ""},
      {"query", many_names, many_names},
      {"query", many_names + ",q", ""},
      {"query", "only:" + std::string(64, 'x'), "only:" + std::string(64, 'x')},
      {"query", "only:" + std::string(65, 'x'), ""},
      {"trailing_slash", "strip", "strip"},
      {"trailing_slash", "keep", "keep"},
      {"trailing_slash", "drop", ""},
      {"pages_max", "1", "1"},
      {"pages_max", "100000000", "100000000"},
      {"pages_max", "0", ""},
      {"pages_max", "100000001", ""},
      {"pages_max", "1e6", ""},
      {"pages_max", "-1", ""},
      {"aliases", "", ""},
      {"aliases", "x.example:80", ""},
  };
  ASSERT_TRUE(add("a.example"));
  for (const auto& row : rows) {
    const auto key = find_site_key(row.key);
    ASSERT_TRUE(key);
    const auto before = (*key)->get(*sites->find("a.example"));
    const auto set = sites->set("a.example", row.key, row.value);
    const auto after = (*key)->get(*sites->find("a.example"));
    if (row.shows.empty() && row.key != "aliases") {
      EXPECT_FALSE(set) << row.key << " " << row.value;
    }
    EXPECT_EQ(after, set ? row.shows : before) << row.key << " " << row.value;
    if (!set) {
      EXPECT_NE(set.error().message.find(row.key), std::string::npos);
    }
    reopen();
    EXPECT_EQ((*key)->get(*sites->find("a.example")), after) << row.key << " " << row.value;
  }
}

TEST_F(SitesTest, AliasesUpToTheirLimit) {
  ASSERT_TRUE(add("a.example"));
  std::string hosts = "h0.example";
  for (int i = 1; i < 100; ++i) hosts += ",h" + std::to_string(i) + ".example";
  EXPECT_TRUE(sites->set("a.example", "aliases", hosts));
  EXPECT_EQ(published("h99.example")->host, "a.example");
  EXPECT_FALSE(sites->set("a.example", "aliases", hosts + ",h100.example"));
}

TEST_F(SitesTest, UnknownKeyOrSiteSaysWhatIsThere) {
  ASSERT_TRUE(add("a.example"));
  const auto key = sites->set("a.example", "time_zone", "UTC");
  EXPECT_EQ(key.error().code, Code::invalid);
  EXPECT_NE(key.error().message.find("timezone"), std::string::npos);
  EXPECT_EQ(sites->set("b.example", "timezone", "UTC").error().code, Code::not_found);
  EXPECT_EQ(sites->remove("b.example").error().code, Code::not_found);
  EXPECT_NE(sites->find("b.example").error().message.find("site add b.example"), std::string::npos);
}

TEST_F(SitesTest, WhatTheRegistryRefusesChangesNothing) {
  ASSERT_TRUE(add("a.example"));
  registry.fail_changes(Error{Code::full, "no space"});
  EXPECT_EQ(add("b.example").error().code, Code::full);
  EXPECT_EQ(sites->set("a.example", "public_counts", "on").error().code, Code::full);
  EXPECT_EQ(sites->remove("a.example").error().code, Code::full);
  EXPECT_EQ(sites->list().size(), 1U);
  EXPECT_EQ(published("b.example"), nullptr);
  EXPECT_EQ(published("a.example")->counts, Visibility::closed);
  registry.fail_changes({});
  EXPECT_TRUE(add("b.example"));
}

TEST_F(SitesTest, FieldsOfALaterVersionAreKept) {
  ASSERT_TRUE(add("a.example"));
  auto document = *registry.get("site", "1");
  document.fields["from_the_future"] = "x";
  ASSERT_TRUE(registry.put("site", "1", document.fields, document.version));
  reopen();
  ASSERT_TRUE(sites->set("a.example", "public_counts", "on"));
  EXPECT_EQ(registry.get("site", "1")->fields.at("from_the_future"), "x");
}

TEST_F(SitesTest, DocumentThatCannotBeUsedIsRefusedByNameAtTheStart) {
  ASSERT_TRUE(add("a.example"));
  auto document = *registry.get("site", "1");
  document.fields["timezone"] = "Mars/Base";
  ASSERT_TRUE(registry.put("site", "1", document.fields, document.version));
  const auto opened = Sites::open(registry, tables);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("site 1"), std::string::npos);
  EXPECT_NE(opened.error().message.find("timezone"), std::string::npos);
}

TEST_F(SitesTest, AutomaticSiteIsPublicAndMadeOnce) {
  AutoSites automatic(*sites);
  EXPECT_EQ(automatic.make_site("example.com"), SiteMade::yes);
  EXPECT_EQ(automatic.make_site("www.example.com"), SiteMade::yes);
  EXPECT_EQ(published("example.com")->counts, Visibility::open);
  EXPECT_EQ(sites->list().size(), 1U);
  EXPECT_EQ(automatic.make_site("not a host"), SiteMade::no);
  EXPECT_EQ(automatic.make_site(""), SiteMade::no);
}

TEST_F(SitesTest, AutomaticSitesStopAtTheirLimitAlsoAfterARestart) {
  ASSERT_TRUE(add("by-hand.example"));
  {
    AutoSites automatic(*sites);
    for (std::size_t i = 0; i < kAutoSitesMax; ++i) {
      ASSERT_EQ(automatic.make_site("s" + std::to_string(i) + ".example"), SiteMade::yes) << i;
    }
    EXPECT_EQ(automatic.make_site("one-more.example"), SiteMade::no);
  }
  reopen();
  AutoSites automatic(*sites);
  EXPECT_EQ(automatic.make_site("one-more.example"), SiteMade::no);
  ASSERT_TRUE(add("one-more.example"));  // By hand there is no such limit.
  ASSERT_TRUE(sites->remove("s0.example"));
  EXPECT_EQ(automatic.make_site("another.example"), SiteMade::yes);
  EXPECT_EQ(automatic.make_site("one-too-many.example"), SiteMade::no);
}

TEST_F(SitesTest, WhatAnOperatorRemovedAHitDoesNotBringBack) {
  AutoSites automatic(*sites);
  ASSERT_EQ(automatic.make_site("a.example"), SiteMade::yes);
  ASSERT_TRUE(sites->remove("a.example"));
  EXPECT_EQ(automatic.make_site("a.example"), SiteMade::no);
  reopen();
  AutoSites after_restart(*sites);
  EXPECT_EQ(after_restart.make_site("www.a.example"), SiteMade::no);
  ASSERT_TRUE(add("a.example"));
  EXPECT_EQ(after_restart.make_site("a.example"), SiteMade::yes);
}

TEST_F(SitesTest, AutomaticSiteThatCannotBeWrittenIsNotCounted) {
  AutoSites automatic(*sites);
  registry.fail_changes(Error{Code::full, "no space"});
  EXPECT_EQ(automatic.make_site("a.example"), SiteMade::failed);
  registry.fail_changes({});
  EXPECT_EQ(automatic.make_site("a.example"), SiteMade::yes);
}

TEST_F(SitesTest, ManyThreadsMakeOneSiteOnce) {
  AutoSites automatic(*sites);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        EXPECT_EQ(automatic.make_site("s" + std::to_string(k) + ".example"), SiteMade::yes);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sites->list().size(), 50U);
  EXPECT_EQ(sites->automatic_count(), 50U);
}

}  // namespace
}  // namespace nando
