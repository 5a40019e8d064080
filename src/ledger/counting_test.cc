// Every row of the table of doors and agents, through the ledger: what moves, what is kept, and
// that replay and snapshots say the same.
#include "model/counting.h"

#include <gtest/gtest.h>

#include "counters/counters.h"
#include "ledger/test_ledger.h"
#include "snapshot/recount.h"

namespace nando {
namespace {

using namespace std::chrono_literals;
using Status = Outcome::Status;

constexpr std::string_view kId = "an id of 16 byte";

// The records of hits, as the journal has them.
std::vector<HitRecord> hits_in(LedgerOnDisk& store) {
  std::vector<HitRecord> hits;
  JournalReader reader(store.journal);
  const auto scanned =
      reader.scan({}, store.ledger->position().sequence, [&](const BatchView& batch) -> Result<> {
        auto sequence = batch.first;
        for (const auto& record : batch.records) {
          const auto kind = static_cast<RecordKind>(record.kind);
          if (kind == RecordKind::page_view || kind == RecordKind::event) {
            hits.push_back(without_details(*decode_hit(record, {sequence, batch.committed})));
            hits.back().visitor = decode_hit(record, {sequence, batch.committed})->visitor;
          }
          ++sequence.value;
        }
        return {};
      });
  EXPECT_TRUE(scanned);
  return hits;
}

class CountingTest : public testing::TestWithParam<CountingRule> {
 protected:
  CountingTest() { EXPECT_TRUE(store.open()); }

  TestHit hit(std::string_view id = "", HitKind kind = HitKind::page_view) const {
    return {.page = "a/",
            .id = id,
            .visitor = VisitorId{9},
            .kind = kind,
            .door = GetParam().door,
            .agent = GetParam().agent};
  }
  bool is_counted() const { return GetParam().counted == Counted::yes; }

  LedgerOnDisk store;
};

std::string name_of_row(const testing::TestParamInfo<CountingRule>& row) {
  return std::string(name_of(row.param.door)) + "_" + std::string(name_of(row.param.agent));
}

INSTANTIATE_TEST_SUITE_P(Rows, CountingTest, testing::ValuesIn(kCountingRules), name_of_row);

TEST_P(CountingTest, APageViewMovesWhatItsRowSays) {
  store.commit({.page = "a/"});
  const auto outcome = store.commit(hit());
  const std::uint64_t count = is_counted() ? 2 : 1;
  EXPECT_EQ(outcome.status, is_counted() ? Status::counted : Status::bot);
  EXPECT_EQ(outcome.page_ordinal, count);
  EXPECT_EQ(outcome.site_ordinal, count);
  EXPECT_EQ(outcome.receipt.sequence.value != 0, is_counted());
  EXPECT_EQ(store.page_count("a/"), count);
  EXPECT_EQ(store.ledger->counts(SiteId{1}, {}).site, count);
  // Whatever it was, the next one has the next number.
  EXPECT_EQ(store.commit({.page = "a/"}).page_ordinal, count + 1);
}

TEST_P(CountingTest, AnEventMovesNothingAndIsAnsweredAsAPageViewIs) {
  store.commit({.page = "a/"});
  const auto outcome = store.commit(hit("", HitKind::event));
  EXPECT_EQ(outcome.status, is_counted() ? Status::counted : Status::bot);
  EXPECT_EQ(outcome.page_ordinal, 1U);
  EXPECT_EQ(store.page_count("a/"), 1U);
}

TEST_P(CountingTest, ItsRecordIsKeptWithItsClass) {
  store.commit(hit());
  const auto hits = hits_in(store);
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].door, GetParam().door);
  EXPECT_EQ(hits[0].agent, GetParam().agent);
  EXPECT_EQ(hits[0].page_ordinal, is_counted() ? 1U : 0U);
}

TEST_P(CountingTest, OnlyAVisitorHasAVisit) {
  const bool has = GetParam().visitor == Visitor::yes;
  store.commit(hit());
  store.commit(hit());
  const auto hits = hits_in(store);
  EXPECT_EQ(hits[0].visitor, has ? VisitorId{9} : VisitorId{});
  EXPECT_EQ(hits[0].is_entry, has);
  EXPECT_EQ(hits[1].visit, has ? hits[0].visit : VisitId{});
  EXPECT_EQ(store.ledger->counters().visits().size(), has ? 1U : 0U);
}

TEST_P(CountingTest, AskedTwiceItIsKeptOnceAndAnsweredTheSame) {
  const auto first = store.commit(hit(kId));
  const auto second = store.commit(hit(kId));
  const auto again =
      store.commit_all(std::vector<TestHit>{hit("other id 16 byte"), hit("other id 16 byte")});
  EXPECT_EQ(second.status, is_counted() ? Status::duplicate : Status::bot);
  EXPECT_EQ(again[0].status, is_counted() ? Status::counted : Status::bot);
  EXPECT_EQ(again[1].status, second.status);
  EXPECT_EQ(hits_in(store).size(), 2U);
  EXPECT_EQ(first.receipt, second.receipt);
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.commit(hit(kId)).status, second.status);
  auto other = hit(kId);
  other.page = "b/";
  EXPECT_EQ(store.commit(other).status, Status::id_reused);
}

TEST_P(CountingTest, AFullDiskTakesItBack) {
  std::uint64_t used = 0;
  store.commit({.page = "a/"});
  for (const auto& [name, bytes] : store.journal.image()) used += bytes.size();
  store.journal.set_capacity(used);
  auto outcome = store.commit(hit());
  for (int i = 0; i < 2000 && outcome.status != Status::disk_full; ++i)
    outcome = store.commit(hit());
  ASSERT_EQ(outcome.status, Status::disk_full);
  const auto before = store.canonical();
  EXPECT_EQ(store.commit(hit(kId)).status, Status::disk_full);
  EXPECT_EQ(store.canonical(), before);
}

// All of them in one journal, in an order of chance.
TEST(Counting, ReplaySnapshotAndRecountAgreeWithEveryRowInTheMix) {
  LedgerOnDisk store(5);
  ASSERT_TRUE(store.open());
  SeededEntropy chance(8);
  std::map<std::string, std::uint64_t> expected;
  std::uint64_t kept = 0, uncounted = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> pages, ids;
    std::vector<TestHit> hits;
    pages.reserve(8);
    ids.reserve(8);
    for (std::uint64_t i = 0; i < 1 + chance.below(8); ++i) {
      const auto& rule = kCountingRules.at(chance.below(kCountingRules.size()));
      const auto& page = pages.emplace_back("page " + std::to_string(chance.below(9)));
      const auto& id = ids.emplace_back("an id of 16 byte " + std::to_string(kept++));
      const auto kind = chance.below(5) == 0 ? HitKind::event : HitKind::page_view;
      hits.push_back({.page = page,
                      .id = chance.below(2) == 0 ? std::string_view(id) : std::string_view(),
                      .visitor = VisitorId{1 + chance.below(5)},
                      .kind = kind,
                      .door = rule.door,
                      .agent = rule.agent});
      expected[page] += is_numbered(kind, rule.door, rule.agent);
      uncounted += kind == HitKind::page_view && !is_numbered(kind, rule.door, rule.agent);
    }
    store.commit_all(hits);
    store.clock.advance(3min);
    while (*store.ledger->keep()) {
    }
  }
  ASSERT_GT(uncounted, 50U);
  std::uint64_t counted = 0;
  for (const auto& [page, count] : expected) {
    EXPECT_EQ(store.page_count(page), count) << page;
    counted += count;
  }
  EXPECT_EQ(store.ledger->counts(SiteId{1}, {}).site, counted);
  EXPECT_EQ(hits_in(store).size(), kept);

  JournalReader reader(store.journal);
  Recount recount;
  ASSERT_TRUE(recount.advance(reader, store.ledger->position().sequence, [](Sequence) {}));
  EXPECT_EQ(recount.hits(), counted);
  EXPECT_EQ(recount.sites().at(SiteId{1}), counted);
  const auto views = recount.kinds()[static_cast<std::size_t>(RecordKind::page_view)];
  EXPECT_EQ(views, counted + uncounted);

  const auto before = store.canonical();
  EXPECT_GT(snapshot_position(store.data).sequence.value, 0U);
  ASSERT_TRUE(store.open());  // From the snapshot.
  EXPECT_EQ(store.canonical(), before);
  ASSERT_TRUE(store.data.remove(kSnapshotName));
  ASSERT_TRUE(store.open());  // From the first record.
  EXPECT_EQ(store.canonical(), before);
}

}  // namespace
}  // namespace nando
