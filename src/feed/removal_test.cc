// What is removed from the journal goes from the warehouse too, to the last byte.
#include <fstream>

#include "feed/test_feed.h"

namespace nando {

namespace {

constexpr std::string_view kTitle = "About Mr Secret, whom nobody should find";
constexpr std::string_view kOtherTitle = "About nobody in particular, for all to read";

class RemovalTest : public FeedTest {
 protected:
  RemovalTest() {
    add([](BatchBuilder& batch) {
      add_record(batch,
                 PageRecord{PageId{2}, SiteId{1}, {}, false, "https://a.example.com/secret"});
    });
    for (int i = 0; i < 10; ++i) add_pair();
  }
  // A hit on each page.
  void add_pair() {
    add([&](BatchBuilder& batch) {
      add_told(batch, PageId{1}, kOtherTitle, ++on_first_);
      add_told(batch, PageId{2}, kTitle, ++on_second_);
    });
  }
  void add_told(BatchBuilder& batch, PageId page, std::string_view title, std::uint64_t ordinal) {
    HitRecord hit{.site = SiteId{1},
                  .page = page,
                  .page_ordinal = ordinal,
                  .site_ordinal = ++hits_,
                  .visitor = VisitorId{5},
                  .title = title};
    const Sequence sequence{journal_->position().sequence.value + batch.records() + 1};
    add_record(batch, hit, {sequence, at_});
  }
  void remove(Removal what, PageId page = {}) {
    const auto up_to = journal_->position().sequence;
    add([&](BatchBuilder& batch) {
      add_record(batch, RemovalRecord{what, SiteId{1}, page, {}, up_to});
    });
  }
  std::string ask(const std::string& sql) {
    auto database = DuckDb::open(path_, {});
    EXPECT_TRUE(database);
    std::string out;
    const auto asked = database->connect()->ask(
        "SELECT (" + sql + ")::VARCHAR", [&](const DuckChunk& chunk) { out += chunk.text(0, 0); });
    EXPECT_TRUE(asked) << asked.error().message;
    return out;
  }
  // Over all files beside the warehouse.
  bool on_disk(std::string_view text) {
    const auto folder = std::filesystem::path(path_).parent_path();
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      if (bytes.find(text) != std::string::npos) return true;
    }
    return false;
  }
  void expect_totals() {
    auto feed = make_feed();
    feed_all(*feed);
    const auto totals = feed->warehouse()->totals(journal_->position().sequence);
    ASSERT_TRUE(totals);
    EXPECT_EQ(totals->kinds[0], hits_);
    EXPECT_TRUE(totals->sites.at(SiteId{1}).is_exact());
    EXPECT_EQ(totals->pages.at(1).page_views, on_second_);
    EXPECT_TRUE(totals->pages.at(1).is_exact());
  }

  std::uint64_t on_first_ = 0;
  std::uint64_t on_second_ = 0;
};

TEST_F(RemovalTest, APageIsForgottenToTheLastByteAndStaysCounted) {
  auto feed = make_feed();
  feed_all(*feed);
  EXPECT_TRUE(on_disk(kTitle));
  remove(Removal::page, PageId{2});
  add_pair();
  feed_all(*feed);
  feed.reset();
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE page = 2 AND title IS NULL"), "10");
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE page = 2 AND visitor IS NULL"), "10");
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE page = 2 AND title IS NOT NULL"), "1");
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE page = 1 AND title IS NOT NULL"), "11");
  EXPECT_EQ(ask("SELECT count(*) FROM pages WHERE page = 2 AND url IS NULL"), "1");
  expect_totals();
}

TEST_F(RemovalTest, NoByteOfItStaysInAnyFile) {
  auto feed = make_feed();
  feed_all(*feed);
  feed->rebuild();  // Sets one aside.
  feed_all(*feed);
  feed.reset();
  ASSERT_TRUE(was_set_aside());
  ask("SELECT 1");  // Its log becomes part of the file.
  ASSERT_TRUE(on_disk(kTitle));
  ASSERT_TRUE(on_disk("example.com/secret"));
  remove(Removal::page, PageId{2});
  feed = make_feed();
  feed_all(*feed);
  feed.reset();
  EXPECT_FALSE(on_disk(kTitle));
  EXPECT_FALSE(on_disk("example.com/secret"));
  EXPECT_TRUE(on_disk(kOtherTitle));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".pruned"));
  EXPECT_FALSE(was_set_aside());
}

// The journal may have forgotten before a file that is filled anew comes to the removal.
TEST_F(RemovalTest, WhatWasSetAsideGoesThoughTheFileHoldsNothing) {
  auto feed = make_feed();
  feed_all(*feed);
  remove(Removal::page, PageId{2});
  feed_all(*feed);
  std::ofstream(path_ + ".aside") << kTitle;
  ASSERT_TRUE(on_disk(kTitle));
  remove(Removal::page, PageId{2});
  feed_all(*feed);
  EXPECT_FALSE(on_disk(kTitle));
}

TEST_F(RemovalTest, WhereACopyWouldTakeWhatCountingNeedsTheFileIsFilledAnew) {
  auto feed = make_feed();
  feed_all(*feed);
  feed.reset();
  remove(Removal::page, PageId{2});
  Feed tight({.journal = *disk_,
              .sites = sites_,
              .durable_end = [this] { return journal_->position(); },
              .path = path_,
              .left_for_counting = ~std::uint64_t{0}});
  ASSERT_TRUE(tight.step());
  EXPECT_TRUE(tight.status().filling);
  EXPECT_FALSE(was_set_aside()) << "it holds what was removed";
  EXPECT_FALSE(on_disk(kTitle));
}

TEST_F(RemovalTest, ASiteLosesItsHostAndItsPages) {
  remove(Removal::site);
  auto feed = make_feed();
  feed_all(*feed);
  feed.reset();
  EXPECT_EQ(ask("SELECT count(*) FROM sites WHERE host IS NULL"), "1");
  EXPECT_EQ(ask("SELECT count(*) FROM pages WHERE url IS NULL"), "2");
  EXPECT_EQ(ask("SELECT count(title) + count(visitor) FROM hits"), "0");
  EXPECT_FALSE(on_disk(kOtherTitle));
  expect_totals();
}

TEST_F(RemovalTest, WhatIsExpiredLosesItsDetailsAndPagesKeepTheirNames) {
  remove(Removal::expired);
  add_pair();
  auto feed = make_feed();
  feed_all(*feed);
  feed.reset();
  EXPECT_EQ(ask("SELECT count(title) FROM hits"), "2");
  EXPECT_EQ(ask("SELECT count(url) FROM pages"), "2");
  EXPECT_EQ(ask("SELECT count(host) FROM sites"), "1");
  expect_totals();
}

TEST_F(RemovalTest, ARebuildBringsNothingBackAndARemovedPageIsNamedAgain) {
  remove(Removal::page, PageId{2});
  add([](BatchBuilder& batch) {
    add_record(batch,
               PageRecord{PageId{2}, SiteId{1}, {}, false, "https://a.example.com/secret", true});
  });
  add_pair();
  auto feed = make_feed();
  feed_all(*feed);
  feed->rebuild();
  feed_all(*feed);
  feed.reset();
  EXPECT_EQ(ask("SELECT count(*) FROM pages WHERE page = 2"), "1");
  EXPECT_EQ(ask("SELECT url FROM pages WHERE page = 2"), "https://a.example.com/secret");
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE page = 2 AND title IS NOT NULL"), "1");
  expect_totals();
}

// A removal that names nothing the file holds writes no new file: after a rebuild from a journal
// that forgot years of details, that would be one for each day.
TEST_F(RemovalTest, ARemovalOfNothingMovesTheMarkAlone) {
  auto feed = make_feed();
  feed_all(*feed);
  remove(Removal::expired);
  feed_all(*feed);
  const auto warehouse = feed->warehouse();
  remove(Removal::expired);
  feed_all(*feed);
  EXPECT_EQ(feed->warehouse(), warehouse);
}

TEST_F(RemovalTest, VoidHitsAreMarkedAndShownAgain) {
  const auto set = [&](std::string_view from, std::string_view to, PageId page, bool undone) {
    const auto up_to = journal_->position().sequence;
    add([&](BatchBuilder& batch) {
      add_record(batch, VoidRecord{SiteId{1}, page, up_to, time_of(from), time_of(to), undone});
    });
  };
  at_ = time_of("2026-03-29T02:00:00Z");
  add_pair();
  set("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z", {}, false);
  auto feed = make_feed();
  feed_all(*feed);
  feed.reset();
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE is_void"), "0") << "the end is not in the span";
  set("2026-03-29T00:59:30Z", "2026-03-29T02:00:00Z", PageId{2}, false);
  add_pair();
  feed = make_feed();
  feed_all(*feed);
  feed.reset();
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE is_void"), "10");
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE NOT is_void"), "14");
  set("2026-03-29T00:59:30Z", "2026-03-29T00:59:31Z", {}, true);
  feed = make_feed();
  feed->rebuild();
  feed_all(*feed);
  feed.reset();
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE is_void"), "0");
  expect_totals();
}

}  // namespace

}  // namespace nando
