#include "ingest/ingest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "ingest/ingest_fixture.h"
#include "ingest/page_url.h"
#include "ingest/url_memo.h"

namespace nando {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::string_view kUrl = "https://example.com/a";

Hit hit_of(TestDoor& door, const Beacon& beacon) {
  return std::get<Hit>(door.accept(beacon));
}

// Two that take entries: of some pages of the first site, and of all of the second.
void run_promotions(TestDoor& door) {
  PromotionTable table;
  Promotion rules;
  rules.pages = {"/a", "/b/*"};
  table.running.push_back({PromotionId{1}, SiteId{1}, std::make_shared<const Promotion>(rules)});
  rules.pages.clear();
  table.running.push_back({PromotionId{2}, SiteId{2}, std::make_shared<const Promotion>(rules)});
  door.promotions.publish(table);
}

TEST(Ingest, APageViewBecomesAHitWithAllItsText) {
  TestDoor door;
  auto beacon = beacon_of("https://www.example.com/a?utm_source=n&b=1#top");
  beacon.door = Door::pixel;
  beacon.id = "0123456789abcdef";
  beacon.referrer = "https://news.example/x?token=q";
  beacon.title = "Title";
  beacon.screen = "1920x1080";
  beacon.language = "de-AT";
  beacon.secret_hash = SecretHash{std::byte{3}};
  beacon.time = UnixTime{milliseconds{5}};
  const auto hit = hit_of(door, beacon);
  EXPECT_EQ(hit.kind, HitKind::page_view);
  EXPECT_EQ(hit.door, Door::pixel);
  EXPECT_EQ(hit.site, SiteId{1});
  EXPECT_EQ(hit.site_pages_max, kPagesMaxDefault);
  EXPECT_EQ(hit.site_host, "example.com");
  EXPECT_EQ(hit.page_url, "example.com/a?b=1");
  EXPECT_EQ(hit.page, page_key(kTestHashKey, SiteId{1}, "example.com/a?b=1"));
  EXPECT_EQ(hit.day, Zone::utc().day_of(door.clock.now()).day);
  EXPECT_TRUE(hit.visitor);
  EXPECT_EQ(hit.id, beacon.id);
  EXPECT_EQ(hit.referrer, "https://news.example/x");
  EXPECT_EQ(hit.title, "Title");
  EXPECT_EQ(hit.screen, "1920x1080");
  EXPECT_EQ(hit.language, "de-AT");
  EXPECT_EQ(hit.secret_hash, beacon.secret_hash);
  EXPECT_EQ(hit.at, beacon.time);
}

TEST(Ingest, ANameMakesItAnEvent) {
  TestDoor door;
  auto beacon = beacon_of(kUrl);
  beacon.name = "signup";
  beacon.props = "pairs";
  const auto hit = hit_of(door, beacon);
  EXPECT_EQ(hit.kind, HitKind::event);
  EXPECT_EQ(hit.name, "signup");
  EXPECT_EQ(hit.props, "pairs");
}

TEST(Ingest, AHitNeedsNothingOfItsBeacon) {
  TestDoor door;
  std::string url(kUrl);
  std::string title = "Title";
  auto beacon = beacon_of(url);
  beacon.title = title;
  const auto hit = hit_of(door, beacon);
  url.assign(url.size(), '?');
  title.assign(title.size(), '?');
  door.tables.publish(SiteTable({}));
  EXPECT_EQ(door.verdict(beacon_of(kUrl)), "unknown_site");
  EXPECT_EQ(hit.page_url, "example.com/a");
  EXPECT_EQ(hit.title, "Title");
  EXPECT_EQ(hit.site_host, "example.com");
}

struct StepRow {
  std::string_view url;
  Door door = Door::script;
  std::string_view origin;
  std::string_view referer;
  std::string_view purpose;
  std::string_view verdict;
};

constexpr std::string_view kOwn = "https://example.com";
constexpr std::string_view kOwnPage = "https://www.example.com/b?c=1";
constexpr std::string_view kForeign = "https://evil.example";

constexpr std::array kStepRows = {
    StepRow{kUrl, Door::script, "", "", "", "accepted"},
    StepRow{"https://unknown.example/", Door::script, "", "", "", "unknown_site"},
    StepRow{"javascript:alert(1)", Door::script, "", "", "", "bad_url"},
    // Origin and Referer.
    StepRow{kUrl, Door::script, kOwn, "", "", "accepted"},
    StepRow{kUrl, Door::script, "http://www.example.com:8080", "", "", "accepted"},
    StepRow{kUrl, Door::script, "https://shop.example.net", "", "", "accepted"},
    StepRow{kUrl, Door::script, "", kOwnPage, "", "accepted"},
    StepRow{kUrl, Door::script, kOwn, kOwnPage, "", "accepted"},
    StepRow{kUrl, Door::script, kForeign, "", "", "foreign_host"},
    StepRow{kUrl, Door::script, "https://other.example", "", "", "foreign_host"},
    StepRow{kUrl, Door::script, "", kForeign, "", "foreign_host"},
    StepRow{kUrl, Door::script, kOwn, kForeign, "", "foreign_host"},
    StepRow{kUrl, Door::script, kForeign, kOwnPage, "", "foreign_host"},
    StepRow{kUrl, Door::script, "null", "", "", "foreign_host"},
    StepRow{kUrl, Door::script, "null", kOwnPage, "", "accepted"},
    StepRow{kUrl, Door::script, "null", kForeign, "", "foreign_host"},
    StepRow{kUrl, Door::script, "example.com", "", "", "foreign_host"},
    StepRow{kUrl, Door::script, "chrome-extension://example.com", "", "", "foreign_host"},
    StepRow{kUrl, Door::script, "https://example.com.evil.example", "", "", "foreign_host"},
    StepRow{kUrl, Door::script, "https://evil.example/https://example.com", "", "", "foreign_host"},
    StepRow{kUrl, Door::script, "https://evil.example\\@example.com", "", "", "foreign_host"},
    StepRow{kUrl, Door::seed, kForeign, "", "", "foreign_host"},
    StepRow{kUrl, Door::pixel, "", kForeign, "", "foreign_host"},
    StepRow{kUrl, Door::api_token, kForeign, kForeign, "", "accepted"},
    // Pages that nobody has looked at.
    StepRow{kUrl, Door::script, "", "", "prefetch", "excluded"},
    StepRow{kUrl, Door::script, "", "", "prefetch;prerender", "excluded"},
    StepRow{kUrl, Door::script, "", "", "Prerender", "excluded"},
    StepRow{kUrl, Door::script, "", "", "PREFETCH;anonymous-client-ip", "excluded"},
    StepRow{kUrl, Door::script, "", "", "preview", "excluded"},
    StepRow{kUrl, Door::api_token, "", "", "prefetch", "excluded"},
    StepRow{kUrl, Door::script, "", "", "prefetc", "accepted"},
    // Of two reasons the first step's is told.
    StepRow{"https://unknown.example/", Door::script, kForeign, "", "prefetch", "unknown_site"},
    StepRow{kUrl, Door::script, kForeign, "", "prefetch", "foreign_host"},
};

TEST(Ingest, EachStepRefusesWhatItsRowsSay) {
  TestDoor door;
  for (int time = 1; time <= 2; ++time) {  // The second time the memo knows the URLs.
    for (const auto& row : kStepRows) {
      auto beacon = beacon_of(row.url);
      beacon.door = row.door;
      beacon.origin = row.origin;
      beacon.referer = row.referer;
      beacon.sec_purpose = row.purpose;
      EXPECT_EQ(door.verdict(beacon), row.verdict)
          << row.url << " from " << row.origin << " " << row.referer << " " << row.purpose;
    }
  }
}

TEST(Ingest, ClientsBeyondTheirRateAreRefusedAndTokensAreExempt) {
  TestDoor door;
  door.limiter.set({.hits_per_second = 1, .burst = 3});
  auto beacon = beacon_of(kUrl);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(door.verdict(beacon), "accepted");
  EXPECT_EQ(door.verdict(beacon), "rate_limited");
  EXPECT_EQ(door.verdict(beacon_of("https://other.example/")), "accepted");
  beacon.door = Door::api_token;
  EXPECT_EQ(door.verdict(beacon), "accepted");
  beacon.door = Door::seed;
  EXPECT_EQ(door.verdict(beacon), "rate_limited");
  door.clock.advance(milliseconds{999});
  EXPECT_EQ(door.verdict(beacon), "rate_limited");
  door.clock.advance(milliseconds{1});
  EXPECT_EQ(door.verdict(beacon), "accepted");
}

TEST(Ingest, RefusalsAreCountedByStepAndReason) {
  TestDoor door;
  door.verdict(beacon_of("https://unknown.example/"));
  door.verdict(beacon_of("https://unknown.example/"));
  door.verdict(beacon_of("nonsense"));
  std::set<DropReason> reasons;
  for (const auto& row : door.ingest.refusals()) {
    reasons.insert(row.reason);
    const std::uint64_t expected = row.step != "site"                       ? 0
                                   : row.reason == DropReason::unknown_site ? 2
                                   : row.reason == DropReason::bad_url      ? 1
                                                                            : 0;
    EXPECT_EQ(row.beacons, expected) << row.step << " " << name_of(row.reason);
  }
  EXPECT_EQ(reasons.size(), kDropReasonNames.size()) << "a reason that no step gives";
}

TEST(Ingest, WhatChangedForASiteHoldsFromTheNextHit) {
  TestDoor door;
  EXPECT_EQ(door.page("https://example.com/a?x=1"), "example.com/a?x=1");
  auto sites = example_sites();
  sites[0].query = QueryRule::drop;
  door.tables.publish(SiteTable(sites));
  EXPECT_EQ(door.page("https://example.com/a?x=1"), "example.com/a");
  const auto before = hit_of(door, beacon_of(kUrl)).day;
  sites[0].zone = *Zone::find("Pacific/Kiritimati");
  door.tables.publish(SiteTable(sites));
  door.clock.advance(hours{11});
  EXPECT_EQ(hit_of(door, beacon_of(kUrl)).day, Day{before.since_epoch + 1});
}

TEST(Ingest, ReadingACountHasNoSideEffect) {
  TestDoor door;
  door.limiter.set({.hits_per_second = 1, .burst = 1});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(door.page(kUrl), "example.com/a");
  EXPECT_EQ(door.page("https://unknown.example/"), "unknown_site");
  for (const auto& row : door.ingest.refusals()) EXPECT_EQ(row.beacons, 0);
  EXPECT_EQ(door.verdict(beacon_of(kUrl)), "accepted");
}

class OneSiteMaker final : public SiteMaker {
 public:
  SiteMade make_site(std::string_view host) override {
    asked.emplace_back(host);
    if (host == "unsaved.example") return SiteMade::failed;
    if (host != "new.example") return SiteMade::no;
    tables->publish(SiteTable({nando::make_site(1, "new.example")}));
    return SiteMade::yes;
  }
  SiteTables* tables = nullptr;
  std::vector<std::string> asked;
};

TEST(Ingest, AnUnknownHostMayBecomeASiteAtItsFirstHit) {
  OneSiteMaker maker;
  TestDoor door({}, &maker);
  maker.tables = &door.tables;
  EXPECT_EQ(door.page("https://new.example/"), "unknown_site");
  EXPECT_TRUE(maker.asked.empty());  // Reading makes none.
  auto bound = beacon_of("https://new.example/a");
  bound.door = Door::api_token;
  bound.is_of_known_site = true;
  EXPECT_EQ(door.verdict(bound), "unknown_site");
  EXPECT_TRUE(maker.asked.empty());  // Nor does a token that is bound to a site.
  EXPECT_EQ(door.verdict(beacon_of("https://unsaved.example/a")), "site_not_saved");
  maker.asked.clear();
  EXPECT_EQ(door.verdict(beacon_of("https://New.example/a")), "accepted");
  EXPECT_EQ(door.verdict(beacon_of("https://new.example/b")), "accepted");
  EXPECT_EQ(door.verdict(beacon_of("https://no.example/")), "unknown_site");
  EXPECT_EQ(maker.asked, (std::vector<std::string>{"new.example", "no.example"}));
}

TEST(Ingest, NoAddressAndNoAgentIsInAHit) {
  TestDoor door;
  run_promotions(door);
  auto beacon = beacon_of(kUrl);
  beacon.secret_hash = SecretHash{};
  beacon.title = "control";
  const auto hit = hit_of(door, beacon);
  std::string all(reinterpret_cast<const char*>(&hit), sizeof hit);
  for (const auto text : {hit.site_host, hit.page_url, hit.id, hit.referrer, hit.title, hit.name,
                          hit.props, hit.screen, hit.language}) {
    all += text;
  }
  all += door.arena.keep("-");  // What follows the hit's text in the arena's block.
  const auto block_begins = hit.site_host.data();
  all.append(block_begins, static_cast<std::size_t>(hit.title.data() - block_begins));
  const std::string_view address(reinterpret_cast<const char*>(beacon.address.bytes.data()), 4);
  EXPECT_EQ(all.find(address), std::string::npos);
  EXPECT_EQ(all.find("192.0.2.77"), std::string::npos);
  EXPECT_EQ(all.find("Marked/1.0"), std::string::npos);
  EXPECT_NE(all.find("control"), std::string::npos);  // So the search would find them.
}

TEST(Ingest, WhoseSecretCameEntersTheRunningPromotionOfThePageAndNobodyElseDoes) {
  struct Row {
    std::string_view url;
    std::uint32_t promotion;
  };
  TestDoor door;
  auto beacon = beacon_of(kUrl);
  beacon.secret_hash = SecretHash{std::byte{3}};
  EXPECT_FALSE(hit_of(door, beacon).promotion) << "none runs";
  run_promotions(door);
  for (int time = 1; time <= 2; ++time) {  // The second time the memo knows the URLs.
    for (const auto& row : {Row{"https://example.com/a", 1}, Row{"https://example.com/a?x=1#y", 1},
                            Row{"https://example.com/a/", 0}, Row{"https://example.com/", 0},
                            Row{"https://example.com/ab", 0}, Row{"https://example.com/b/c/d", 1},
                            Row{"https://shop.example.net/a", 1}, Row{"https://localhost/a", 0},
                            Row{"https://other.example/any", 2}}) {
      beacon.url = row.url;
      const auto hit = hit_of(door, beacon);
      EXPECT_EQ(hit.promotion, PromotionId{row.promotion}) << row.url;
      EXPECT_EQ(hit.entrant.visitor != 0, row.promotion != 0) << row.url;
      beacon.secret_hash.reset();
      const auto without = hit_of(door, beacon);
      EXPECT_FALSE(without.promotion) << row.url << ": nobody could claim it";
      EXPECT_EQ(without.entrant, Entrant{}) << row.url;
      beacon.secret_hash = SecretHash{std::byte{3}};
    }
  }
  auto sites = example_sites();
  for (auto& site : sites) site.counts = Visibility::closed;
  const auto open = example_sites();
  beacon.url = "https://other.example/any";
  door.tables.publish(SiteTable(sites));
  EXPECT_FALSE(hit_of(door, beacon).promotion) << "no receipt is given out";
  door.tables.publish(SiteTable(open));
  EXPECT_TRUE(hit_of(door, beacon).promotion);
  door.promotions.publish({});
  EXPECT_FALSE(hit_of(door, beacon).promotion) << "over, from the next hit on";
}

TEST(Ingest, AnEntrantIsWhoTheAddressAndAgentSayWhoeverSentIt) {
  TestDoor door;
  run_promotions(door);
  const auto entrant = [&](std::string_view address, Door by, std::string_view agent = "A/1") {
    auto beacon = beacon_of(kUrl);
    beacon.door = by;  // With a token, the address that the caller says.
    beacon.address = *IpAddress::parse(address);
    beacon.user_agent = agent;
    beacon.secret_hash = SecretHash{std::byte{3}};
    return hit_of(door, beacon).entrant;
  };
  const auto who = entrant("192.0.2.7", Door::script);
  EXPECT_NE(who.v4_24, 0U);
  EXPECT_EQ(who.v6_64, 0U);
  EXPECT_EQ(entrant("192.0.2.7", Door::api_token), who);
  EXPECT_EQ(entrant("::ffff:192.0.2.7", Door::script), who);
  EXPECT_NE(entrant("192.0.2.7", Door::script, "B/1").visitor, who.visitor);
  EXPECT_EQ(entrant("192.0.2.7", Door::script, "B/1").v4_24, who.v4_24);
  EXPECT_NE(entrant("192.0.3.7", Door::api_token).v4_24, who.v4_24);
  const auto v6 = entrant("2001:db8::7", Door::api_token);
  EXPECT_EQ(v6.v4_24, 0U);
  EXPECT_NE(v6.v6_64, 0U);
  EXPECT_EQ(entrant("2001:db8::8", Door::script), v6);
}

// V3: a visit over midnight is one visit.
TEST(Ingest, AVisitorOverMidnightIsKnownByYesterdaysNameForHalfAnHour) {
  for (const auto* zone : {"Etc/UTC", "Pacific/Kiritimati", "Etc/GMT+12", "America/Sao_Paulo"}) {
    auto sites = example_sites();
    sites[0].zone = *Zone::find(zone);
    TestDoor door(sites);
    const auto today = sites[0].zone.day_of(door.clock.now());
    door.clock.advance(today.ends - minutes{10} - door.clock.now());
    const auto before = hit_of(door, beacon_of(kUrl));
    EXPECT_EQ(before.visitor_yesterday, VisitorId{});
    const auto at = [&](UnixTime time) {
      door.clock.advance(time - door.clock.now());
      door.salts.tick(time);
      return hit_of(door, beacon_of(kUrl));
    };
    for (const auto time : {today.ends, today.ends + minutes{30} - milliseconds{1}}) {
      const auto after = at(time);
      EXPECT_EQ(after.visitor_yesterday, before.visitor) << zone;
      EXPECT_NE(after.visitor, before.visitor) << zone;
      EXPECT_EQ(after.day, Day{before.day.since_epoch + 1}) << zone;
    }
    EXPECT_EQ(at(today.ends + minutes{30}).visitor_yesterday, VisitorId{}) << zone;
  }
}

// V3: a restart invents no visitors.
TEST(Ingest, ARestartKnowsItsVisitorsAndAFreshRunDirectoryDoesNot) {
  const auto path = testing::TempDir() + "ingest_run";
  std::filesystem::remove_all(path);
  const auto visitor_of = [](std::unique_ptr<Directory> run) {
    TestDoor door(example_sites(), nullptr, std::move(run));
    return hit_of(door, beacon_of(kUrl)).visitor;
  };
  const auto run = [&] { return open_directory(path, IfMissing::create).value(); };
  const auto first = visitor_of(run());
  EXPECT_EQ(visitor_of(run()), first);
  std::filesystem::remove_all(path);
  EXPECT_NE(visitor_of(run()), first);
  std::filesystem::remove_all(path);
}

TEST(Ingest, AThreadThatSleptLongHasNoOldSalt) {
  TestDoor door;
  const auto before = hit_of(door, beacon_of(kUrl));
  const auto now = door.clock.now();
  const auto salt = door.salts.find(SiteId{1}, before.day);
  door.salts.tick(now + kSaltAgeMax);  // No hit came; the thread still holds what it found.
  Key128 key{};
  EXPECT_FALSE(salt->read(key));
  // And should its clock lag behind, it makes a new one rather than use nothing.
  EXPECT_NE(hit_of(door, beacon_of(kUrl)).visitor, before.visitor);
}

std::vector<std::string> urls_of_one_place(const Key128& key, std::size_t wanted) {
  constexpr std::size_t kSets = UrlMemo::kEntries / 4;
  std::vector<std::string> found;
  for (int i = 0; found.size() < wanted; ++i) {
    auto url = "https://example.com/" + std::to_string(i);
    const auto hash = siphash128(key, as_bytes(url));
    if (load<std::uint64_t>(hash.data()) % kSets == 3) found.push_back(std::move(url));
  }
  return found;
}

std::size_t remembered_of(const std::vector<std::string>& urls, const Key128& key) {
  UrlMemo memo(key);
  const auto site = make_site(1, "example.com");
  for (const auto& url : urls) memo.put(url, {&site, PageKey{}, url});
  return static_cast<std::size_t>(
      std::count_if(urls.begin(), urls.end(), [&](const auto& url) { return memo.find(url); }));
}

// H5.
TEST(UrlMemo, OnlyWhoKnowsTheKeyCanChooseUrlsThatPushEachOtherOut) {
  const auto urls = urls_of_one_place(kTestHashKey, 12);
  EXPECT_EQ(remembered_of(urls, kTestHashKey), 4);  // The control: with that key it works.
  EXPECT_EQ(remembered_of(urls, Key128{std::byte{9}}), urls.size());
}

TEST(UrlMemo, RemembersUpToItsLengthAndForgetsWhenCleared) {
  UrlMemo memo(kTestHashKey);
  const auto site = make_site(1, "example.com");
  const std::string most(UrlMemo::kUrlBytes, 'a');
  memo.put(most, {&site, PageKey{}, most});
  ASSERT_TRUE(memo.find(most));
  EXPECT_EQ(memo.find(most)->url, most);
  memo.put(most + "a", {&site, PageKey{}, "short"});
  EXPECT_FALSE(memo.find(most + "a"));
  memo.put("short", {&site, PageKey{}, most + "a"});
  EXPECT_FALSE(memo.find("short"));
  memo.clear();
  EXPECT_FALSE(memo.find(most));
}

TEST(UrlMemo, WhatIsUsedStaysAndWhatIsNotGoes) {
  const auto urls = urls_of_one_place(kTestHashKey, 20);
  UrlMemo memo(kTestHashKey);
  const auto site = make_site(1, "example.com");
  for (const auto& url : urls) {
    memo.put(url, {&site, PageKey{}, url});
    EXPECT_TRUE(memo.find(urls.front()));
  }
  EXPECT_FALSE(memo.find(urls[1]));
}

// What it is good for is for the ledger to say: ingest refuses nobody for it.
TEST(Ingest, AHitHasTheClassOfItsAgentAtEveryDoor) {
  struct AgentRow {
    std::string_view agent;
    AgentClass expected;
  };
  constexpr std::array kRows = {
      AgentRow{"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
               AgentClass::person},
      AgentRow{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
               AgentClass::bot},
      AgentRow{"", AgentClass::bot},
      AgentRow{"github-camo (c006e452)", AgentClass::image_proxy},
  };
  TestDoor door;
  for (std::size_t i = 0; i < kDoorNames.size(); ++i) {
    for (const auto& row : kRows) {
      auto beacon = beacon_of(kUrl);
      beacon.door = static_cast<Door>(i);
      beacon.user_agent = row.agent;
      for (int twice = 0; twice < 2; ++twice) {
        EXPECT_EQ(hit_of(door, beacon).agent, row.expected) << kDoorNames[i] << " " << row.agent;
      }
    }
  }
}

}  // namespace
}  // namespace nando
