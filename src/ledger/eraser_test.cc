// Removing details: what was counted stays, what was told goes, wherever the process dies.
#include "ledger/eraser.h"

#include <gtest/gtest.h>

#include "counters/counters.h"
#include "journal/reader.h"
#include "ledger/test_ledger.h"

namespace nando {
namespace {

constexpr std::string_view kSecretPage = "blog.example.com/about-mr-secret";
constexpr std::string_view kOtherPage = "blog.example.com/about-nobody-at-all";

class EraserTest : public testing::Test {
 protected:
  EraserTest() {
    EXPECT_TRUE(store.open());
    for (int i = 0; i < 20; ++i) {
      store.commit_all(std::vector<TestHit>{
          {.page = kSecretPage}, {.page = kOtherPage}, {.page = kSecretPage, .site = SiteId{2}}});
    }
  }

  RemovalRecord removal_of_page(std::string_view page) {
    const auto& counters = store.ledger->counters();
    return {.what = Removal::page,
            .site = SiteId{1},
            .page = counters.pages().find(test_page_key(page, SiteId{1})).value(),
            .up_to = store.ledger->position().sequence};
  }
  RemovalRecord removal_of_site(SiteId site) {
    return {.what = Removal::site, .site = site, .up_to = store.ledger->position().sequence};
  }
  void remove(const RemovalRecord& record) {
    ASSERT_TRUE(store.ledger->remove(std::span(&record, 1)));
  }
  void keep_all() {
    while (store.ledger->keep().value()) {
    }
  }

  // What the journal says of a site: how many hits, and how many of them with details.
  struct Told {
    std::uint64_t hits = 0;
    std::uint64_t with_details = 0;
    std::uint64_t urls = 0;
    std::uint64_t hosts = 0;
  };
  Told told(SiteId site) {
    Told told;
    JournalReader reader(store.journal);
    const auto end = store.ledger->position().sequence;
    EXPECT_TRUE(reader.scan({}, end, [&](const BatchView& batch) -> Result<> {
      RecordContext context{batch.first, batch.committed};
      for (const auto& record : batch.records) {
        if (const auto hit = decode_hit(record, context); hit && hit->site == site) {
          ++told.hits;
          told.with_details += hit->visitor ? 1 : 0;
        }
        if (const auto page = decode_page(record); page && page->site == site) {
          told.urls += page->url.empty() ? 0 : 1;
        }
        if (const auto row = decode_site(record); row && row->site == site) {
          told.hosts += row->host.empty() ? 0 : 1;
        }
        ++context.sequence.value;
      }
      return {};
    }));
    return told;
  }

  LedgerOnDisk store;
};

TEST_F(EraserTest, APageLosesItsDetailsAndKeepsItsCount) {
  remove(removal_of_page(kSecretPage));
  EXPECT_FALSE(store.ledger->erasure().done());
  keep_all();
  EXPECT_TRUE(store.ledger->erasure().done());
  EXPECT_EQ(store.ledger->erasure().records, 21U) << "20 hits and the page";
  const auto site = told(SiteId{1});
  EXPECT_EQ(site.hits, 40U);
  EXPECT_EQ(site.with_details, 20U) << "of the other page";
  EXPECT_EQ(site.urls, 1U);
  EXPECT_EQ(told(SiteId{2}).with_details, 20U);
  EXPECT_EQ(store.page_count(kSecretPage), 20U);
}

TEST_F(EraserTest, ARemovedPageGoesOnCountingAndIsNamedAgain) {
  remove(removal_of_page(kSecretPage));
  keep_all();
  EXPECT_EQ(store.commit({.page = kSecretPage}).page_ordinal, 21U);
  EXPECT_EQ(store.commit({.page = kSecretPage}).page_ordinal, 22U);
  const auto site = told(SiteId{1});
  EXPECT_EQ(site.urls, 2U) << "named once";
  EXPECT_EQ(site.with_details, 22U);
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.page_count(kSecretPage), 22U);
  EXPECT_EQ(store.commit({.page = kSecretPage}).page_ordinal, 23U);
  EXPECT_EQ(told(SiteId{1}).urls, 2U);
}

TEST_F(EraserTest, APageIsNamedAgainAfterAStartToo) {
  remove(removal_of_page(kSecretPage));
  keep_all();
  ASSERT_TRUE(store.open());
  EXPECT_EQ(told(SiteId{1}).urls, 1U);
  EXPECT_EQ(store.commit({.page = kSecretPage}).page_ordinal, 21U);
  EXPECT_EQ(told(SiteId{1}).urls, 2U);
}

TEST_F(EraserTest, ANameThatWasNotWrittenIsGivenWithTheNextHit) {
  keep_all();
  remove(removal_of_page(kSecretPage));
  std::uint64_t used = 0;
  for (const auto& [name, content] : store.journal.image()) used += content.size();
  store.journal.set_capacity(used);
  while (store.commit({.page = kOtherPage}).status == Outcome::Status::counted) {
  }
  EXPECT_EQ(store.commit({.page = kSecretPage}).status, Outcome::Status::disk_full);
  store.journal.set_capacity(1 << 30);
  store.clock.advance(std::chrono::seconds{1});
  EXPECT_EQ(store.commit({.page = kSecretPage}).status, Outcome::Status::counted);
  keep_all();
  EXPECT_EQ(told(SiteId{1}).urls, 2U);
  const auto canonical = store.canonical();
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.canonical(), canonical);
}

TEST_F(EraserTest, WhereThereIsNoRoomForARemovalCountingGoesOn) {
  store.commit({.page = kOtherPage});  // Begins a segment.
  std::uint64_t used = 0;
  for (const auto& [name, content] : store.journal.image()) used += content.size();
  store.journal.set_capacity(used);
  const auto record = removal_of_page(kSecretPage);
  const auto removed = store.ledger->remove(std::span(&record, 1));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, Code::full);
  EXPECT_TRUE(store.ledger->erasure().done()) << "nothing was asked";
  EXPECT_EQ(store.commit({.page = kSecretPage}).status, Outcome::Status::counted);
  store.journal.set_capacity(1 << 30);
  store.clock.advance(std::chrono::seconds{1});
  ASSERT_TRUE(store.ledger->remove(std::span(&record, 1)));
  keep_all();
  EXPECT_TRUE(store.ledger->erasure().done());
}

TEST_F(EraserTest, ASiteLosesEverythingButItsCounts) {
  remove(removal_of_site(SiteId{2}));
  keep_all();
  const auto removed = told(SiteId{2});
  EXPECT_EQ(removed.hits, 20U);
  EXPECT_EQ(removed.with_details, 0U);
  EXPECT_EQ(removed.urls, 0U);
  EXPECT_EQ(removed.hosts, 0U);
  EXPECT_EQ(told(SiteId{1}).with_details, 40U);
  EXPECT_EQ(store.page_count(kSecretPage, SiteId{2}), 20U);
  const auto late = store.commit({.page = kSecretPage, .site = SiteId{2}});
  EXPECT_EQ(late.page_ordinal, 21U) << "a hit that was under way is counted";
  store.commit({.page = "blog.example.com/not-seen-before", .site = SiteId{2}});
  EXPECT_EQ(told(SiteId{2}).with_details, 0U) << "and tells nothing";
  EXPECT_EQ(told(SiteId{2}).urls, 0U);
  ASSERT_TRUE(store.open());
  store.commit({.page = "blog.example.com/seen-after-a-start", .site = SiteId{2}});
  EXPECT_EQ(told(SiteId{2}).with_details, 0U) << "nor after a start from the snapshot";
  EXPECT_EQ(told(SiteId{2}).urls, 0U);
}

TEST_F(EraserTest, WhatIsExpiredGoesAndWhatIsYoungerStays) {
  const auto up_to = store.ledger->position().sequence;
  for (int i = 0; i < 5; ++i) store.commit({.page = kOtherPage});
  remove({.what = Removal::expired, .site = SiteId{1}, .up_to = up_to});
  keep_all();
  const auto site = told(SiteId{1});
  EXPECT_EQ(site.hits, 45U);
  EXPECT_EQ(site.with_details, 5U);
  EXPECT_EQ(site.urls, 2U) << "pages keep their names";
  EXPECT_EQ(store.ledger->counters().sites().find(SiteId{1})->expired_to, up_to);
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.ledger->counters().sites().find(SiteId{1})->expired_to, up_to);
}

TEST_F(EraserTest, ARetryOfARemovedHitGetsItsReceiptAgain) {
  const TestHit hit{.page = kSecretPage, .id = "an id of 16 byte"};
  const auto first = store.commit(hit);
  remove(removal_of_page(kSecretPage));
  keep_all();
  const auto again = store.commit(hit);
  EXPECT_EQ(again.status, Outcome::Status::duplicate);
  EXPECT_EQ(store.receipt(again), store.receipt(first));
  EXPECT_EQ(store.page_count(kSecretPage), 21U);
}

TEST_F(EraserTest, AStartGoesOnWhereRemovingWasStopped) {
  remove(removal_of_page(kSecretPage));
  const auto counts = store.page_count(kSecretPage);
  ASSERT_TRUE(store.open());
  EXPECT_FALSE(store.ledger->erasure().done());
  EXPECT_EQ(told(SiteId{1}).with_details, 40U);
  keep_all();
  EXPECT_TRUE(store.ledger->erasure().done());
  EXPECT_EQ(told(SiteId{1}).with_details, 20U);
  EXPECT_EQ(store.page_count(kSecretPage), counts);
  ASSERT_TRUE(store.open());
  EXPECT_TRUE(store.ledger->erasure().done()) << "done is done: a snapshot holds it";
}

TEST_F(EraserTest, CountersAreTheSameFromTheJournalAndFromTheSnapshot) {
  remove(removal_of_page(kSecretPage));
  remove(removal_of_site(SiteId{2}));
  keep_all();
  store.commit({.page = kOtherPage});
  ASSERT_TRUE(store.open());
  const auto from_snapshot = store.canonical();
  ASSERT_TRUE(store.data.remove(kSnapshotName));
  // Open visits are forgotten with their visitors, and end by themselves.
  store.clock.advance(std::chrono::hours{3});
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.page_count(kSecretPage), 20U);
  EXPECT_EQ(store.ledger->counters().kinds(), [&] {
    Counters counters;
    SimulatedDisk scratch(1);
    EXPECT_TRUE(replace_file(scratch, kSnapshotName, from_snapshot));
    EXPECT_TRUE(read_snapshot(scratch, store.ledger->hash_key(), counters));
    return counters.kinds();
  }());
}

// The disk fails, or the power goes, at every call of removing and what follows it.
TEST_F(EraserTest, NothingIsLostWhereverItStops) {
  remove(removal_of_page(kSecretPage));
  const auto data = store.data.image();
  const auto journal = store.journal.image();
  bool went_through = false;
  for (std::uint64_t call = 1; !went_through; call += 1 + call % 3) {
    LedgerOnDisk other(call);
    other.ring = store.ring;
    const auto restore = [&](SimulatedDisk& disk, const SimulatedDisk::Image& image) {
      for (const auto& [name, content] : image) ASSERT_TRUE(replace_file(disk, name, content));
    };
    restore(other.data, data);
    restore(other.journal, journal);
    ASSERT_TRUE(other.open());
    other.journal.stop_at_call(other.journal.calls() + call);
    for (int i = 0; i < 60; ++i) static_cast<void>(other.ledger->keep());
    went_through = other.ledger->erasure().done();
    other.ledger.reset();
    if (call % 2 == 0) other.journal.power_cut();
    if (call % 2 != 0) other.journal.kill();
    const auto opened = other.open();
    ASSERT_TRUE(opened) << call << ": " << opened.error().message;
    EXPECT_EQ(other.page_count(kSecretPage), 20U) << call;
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(other.ledger->keep()) << call;
    EXPECT_TRUE(other.ledger->erasure().done()) << call;
    JournalReader reader(other.journal);
    std::uint64_t with_details = 0;
    const auto end = other.ledger->position().sequence;
    ASSERT_TRUE(reader.scan({}, end, [&](const BatchView& batch) -> Result<> {
      RecordContext context{batch.first, batch.committed};
      for (const auto& record : batch.records) {
        const auto hit = decode_hit(record, context);
        with_details += hit && hit->visitor ? 1 : 0;
        ++context.sequence.value;
      }
      return {};
    })) << call;
    EXPECT_EQ(with_details, 40U) << call;
  }
}

TEST(EraserOnFullDisk, SaysWhatStopsIt) {
  LedgerOnDisk store;
  ASSERT_TRUE(store.open());
  store.commit({.page = kSecretPage});
  const RemovalRecord record{
      .what = Removal::site, .site = SiteId{1}, .up_to = store.ledger->position().sequence};
  ASSERT_TRUE(store.ledger->remove(std::span(&record, 1)));
  for (std::uint64_t call = 1; store.ledger->erasure().problem.empty(); ++call) {
    store.journal.fail_call(store.journal.calls() + call, Code::full);
    static_cast<void>(store.ledger->keep());
    store.clock.advance(std::chrono::seconds{5});
    ASSERT_FALSE(store.ledger->erasure().done());
  }
  while (!store.ledger->erasure().done()) ASSERT_TRUE(store.ledger->keep());
  EXPECT_TRUE(store.ledger->erasure().problem.empty());
}

}  // namespace
}  // namespace nando
