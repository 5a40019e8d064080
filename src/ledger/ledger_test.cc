#include "ledger/ledger.h"

#include <gmock/gmock.h>

#include "counters/counters.h"
#include "ledger/judge.h"
#include "ledger/test_ledger.h"
#include "snapshot/recount.h"
#include "telemetry/log.h"

namespace nando {
namespace {

using namespace std::chrono_literals;
using Status = Outcome::Status;

constexpr std::string_view kId = "an id of 16 byte";
constexpr std::string_view kOtherId = "one more 16 byte";

class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { EXPECT_TRUE(store.open()); }
  LedgerOnDisk store;
};

TEST_F(LedgerTest, HitsOfAPageAreNumberedFromOneWithoutAHole) {
  for (std::uint64_t n = 1; n <= 10; ++n) {
    const auto outcome = store.commit({.page = "a/"});
    EXPECT_EQ(outcome.status, Status::counted);
    EXPECT_EQ(outcome.page_ordinal, n);
  }
  EXPECT_EQ(store.page_count("a/"), 10U);
}

TEST_F(LedgerTest, OrdinalsFollowTheOrderOfTheBatch) {
  const auto outcomes =
      store.commit_all(std::vector<TestHit>{{.page = "a/"}, {.page = "b/"}, {.page = "a/"}});
  EXPECT_EQ(outcomes[0].page_ordinal, 1U);
  EXPECT_EQ(outcomes[1].page_ordinal, 1U);
  EXPECT_EQ(outcomes[2].page_ordinal, 2U);
  EXPECT_EQ(outcomes[2].site_ordinal, 3U);
}

TEST_F(LedgerTest, SitesCountApart) {
  store.commit({.page = "a/", .site = SiteId{1}});
  const auto outcome = store.commit({.page = "a/", .site = SiteId{2}});
  EXPECT_EQ(outcome.page_ordinal, 1U);
  EXPECT_EQ(outcome.site_ordinal, 1U);
}

TEST_F(LedgerTest, EventsMoveNoOrdinal) {
  store.commit({.page = "a/"});
  const auto outcome = store.commit({.page = "a/", .kind = HitKind::event});
  EXPECT_EQ(outcome.status, Status::counted);
  EXPECT_EQ(outcome.page_ordinal, 1U);
  EXPECT_EQ(store.page_count("a/"), 1U);
}

TEST_F(LedgerTest, SameHitTwiceGetsTheSameReceipt) {
  const auto first = store.commit({.id = kId});
  store.commit({});
  const auto again = store.commit({.id = kId});
  EXPECT_EQ(again.status, Status::duplicate);
  EXPECT_EQ(again.page_ordinal, 1U);
  EXPECT_EQ(store.receipt(again), store.receipt(first));
  EXPECT_EQ(store.page_count("blog.example.com/a"), 2U);
}

TEST_F(LedgerTest, SameHitTwiceInOneBatchCountsOnce) {
  const auto outcomes =
      store.commit_all(std::vector<TestHit>{{.id = kId}, {.id = kOtherId}, {.id = kId}});
  EXPECT_EQ(outcomes[2].status, Status::duplicate);
  EXPECT_EQ(store.receipt(outcomes[2]), store.receipt(outcomes[0]));
  EXPECT_EQ(store.page_count("blog.example.com/a"), 2U);
}

TEST_F(LedgerTest, ReceiptIsTheSameOverRestartAndKeyRotation) {
  const auto first = store.receipt(store.commit({.id = kId}));
  store.rotate_key();
  EXPECT_EQ(store.receipt(store.commit({.id = kId})), first);
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.receipt(store.commit({.id = kId})), first);
  // The control: a new hit is under the new key.
  EXPECT_EQ(store.commit({.id = kOtherId}).receipt.key, MacKeyId{2});
  EXPECT_TRUE(open_receipt(first, *store.ring));
}

TEST_F(LedgerTest, HitsWithoutIdCountEachTime) {
  store.commit({});
  EXPECT_EQ(store.commit({}).status, Status::counted);
  EXPECT_EQ(store.page_count("blog.example.com/a"), 2U);
}

TEST_F(LedgerTest, IdReusedForAnotherPageOrKindMovesNothing) {
  store.commit({.page = "a/", .id = kId});
  EXPECT_EQ(store.commit({.page = "b/", .id = kId}).status, Status::id_reused);
  EXPECT_EQ(store.commit({.page = "a/", .id = kId, .kind = HitKind::event}).status,
            Status::id_reused);
  EXPECT_EQ(store.page_count("b/"), 0U);
  const auto outcomes = store.commit_all(
      std::vector<TestHit>{{.page = "a/", .id = kOtherId}, {.page = "b/", .id = kOtherId}});
  EXPECT_EQ(outcomes[1].status, Status::id_reused);
  EXPECT_EQ(store.ledger->counts(SiteId{1}, {}).site, 2U);
}

TEST_F(LedgerTest, AnIdBelongsToItsSite) {
  store.commit({.id = kId, .site = SiteId{1}});
  EXPECT_EQ(store.commit({.id = kId, .site = SiteId{2}}).status, Status::counted);
}

TEST_F(LedgerTest, IdsAreForgottenAfterADayAndNotBefore) {
  store.commit({.id = kId});
  store.clock.advance(kRetryHours);
  EXPECT_EQ(store.commit({.id = kId}).status, Status::duplicate);
  store.clock.advance(kMarkEvery + 1ms);
  EXPECT_EQ(store.commit({.id = kId}).status, Status::counted);
}

TEST_F(LedgerTest, FullRetryWindowRefusesNewIdsAndStillKnowsOldOnes) {
  store.options.retry_ids_max = 2;
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.commit({.id = kId}).status, Status::counted);
  EXPECT_EQ(store.commit({.id = kOtherId}).status, Status::counted);
  EXPECT_EQ(store.commit({.id = "a third id here."}).status, Status::window_full);
  EXPECT_EQ(store.commit({.id = kId}).status, Status::duplicate);
  EXPECT_EQ(store.commit({}).status, Status::counted);
}

TEST_F(LedgerTest, PagesPastTheSitesLimitCountOnOther) {
  for (const auto* page : {"1/", "2/", "3/"}) {
    EXPECT_FALSE(store.commit({.page = page, .pages_max = 3}).on_other_page);
  }
  const auto fourth = store.commit({.page = "4/", .id = kId, .pages_max = 3});
  EXPECT_TRUE(fourth.on_other_page);
  EXPECT_EQ(fourth.page_ordinal, 1U);
  EXPECT_EQ(fourth.site_ordinal, 4U);
  EXPECT_EQ(store.commit({.page = "5/", .pages_max = 3}).page_ordinal, 2U);
  EXPECT_EQ(store.commit({.page = "2/", .pages_max = 3}).page_ordinal, 2U);
  const auto again = store.commit({.page = "4/", .id = kId, .pages_max = 3});
  EXPECT_EQ(again.status, Status::duplicate);
  EXPECT_TRUE(again.on_other_page);
  EXPECT_EQ(store.receipt(again), store.receipt(fourth));
}

TEST_F(LedgerTest, VisitGoesOnForHalfAnHourAfterItsLastHit) {
  const auto visit_of_last = [&] {
    VisitId visit;
    store.ledger->counters().visits().rows();
    for (const auto& row : store.ledger->counters().visits().rows()) visit = row.open.visit;
    return visit;
  };
  store.commit({});
  const auto first = visit_of_last();
  store.clock.advance(kVisitGap);
  store.commit({});
  EXPECT_EQ(visit_of_last(), first);
  store.clock.advance(kVisitGap + 1ms);
  store.commit({});
  EXPECT_NE(store.ledger->counters().visits().open(VisitorId{7}, store.clock.now()), first);
}

TEST_F(LedgerTest, VisitOverMidnightIsOneVisit) {
  store.commit({.visitor = VisitorId{7}});
  const auto before = store.ledger->counters().visits().open(VisitorId{7}, store.clock.now());
  store.clock.advance(10min);
  store.commit({.visitor = VisitorId{8}, .yesterday = VisitorId{7}});
  store.clock.advance(25min);
  store.commit({.visitor = VisitorId{8}});
  EXPECT_EQ(store.ledger->counters().visits().open(VisitorId{8}, store.clock.now()), before);
  // The control: without yesterday's name it is another visit.
  store.commit({.visitor = VisitorId{9}});
  EXPECT_NE(store.ledger->counters().visits().open(VisitorId{9}, store.clock.now()), before);
}

TEST_F(LedgerTest, AClockThatStepsBackMovesNothingBack) {
  const auto first = store.commit({.id = kId});
  store.clock.step_wall(-24h);
  const auto second = store.commit({});
  EXPECT_GE(second.receipt.committed, first.receipt.committed);
  EXPECT_EQ(second.page_ordinal, 2U);
  EXPECT_EQ(store.commit({.id = kId}).status, Status::duplicate);
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.commit({}).page_ordinal, 3U);
}

TEST_F(LedgerTest, ReplayGivesTheSameStateBitForBit) {
  for (int i = 0; i < 200; ++i) {
    const auto page = "page " + std::to_string(i % 17);
    const auto id = "an id of 16 byte " + std::to_string(i);
    store.commit_all(std::vector<TestHit>{
        {.page = page, .id = id, .visitor = VisitorId{1U + static_cast<unsigned>(i % 5)}},
        {.page = page, .kind = HitKind::event},
        {.page = page, .id = id, .visitor = VisitorId{3}}});
    store.clock.advance(7min);
  }
  const auto before = store.canonical();
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.canonical(), before);
}

TEST_F(LedgerTest, SnapshotMergedFromFilesIsTheStateBitForBit) {
  const auto count_some = [&](int from) {
    for (int i = from; i < from + 400; ++i) {
      const auto page = "page " + std::to_string(i % (37 + from / 8));  // Later, new ones too.
      const auto id = "an id of 16 byte " + std::to_string(i);
      store.commit(
          {.page = page, .id = id, .visitor = VisitorId{1U + static_cast<unsigned>(i % 5)}});
      store.clock.advance(11min);
    }
    while (*store.ledger->keep()) {
    }
  };
  count_some(0);
  const auto first = snapshot_position(store.data);
  EXPECT_GT(first.sequence.value, 0U);
  count_some(400);  // Now on top of the first snapshot.
  const auto merged = *read_file(store.data, kSnapshotName, 1 << 30);
  EXPECT_GT(snapshot_position(store.data).sequence, first.sequence);

  Counters replayed;
  JournalReader reader(store.journal);
  ASSERT_TRUE(reader.scan({}, snapshot_position(store.data).sequence,
                          [&](const BatchView& batch) { return replayed.fold(batch); }));
  SimulatedDisk scratch(1);
  ASSERT_TRUE(write_snapshot(scratch, replayed, store.ledger->hash_key()));
  EXPECT_EQ(*read_file(scratch, kSnapshotName, 1 << 30), merged);

  const auto before = store.canonical();
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.canonical(), before);
  EXPECT_THAT(store.ledger->recovery(), testing::Not(testing::HasSubstr("after record 0")));
}

TEST_F(LedgerTest, DamagedOrForeignSnapshotIsNotBelieved) {
  for (int i = 0; i < 300; ++i) store.commit({.page = "page " + std::to_string(i % 3)});
  while (*store.ledger->keep()) {
  }
  const auto before = store.canonical();
  auto bytes = *read_file(store.data, kSnapshotName, 1 << 30);
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{30}, bytes.size() / 2, bytes.size() - 1}) {
    auto damaged = bytes;
    damaged[at] ^= std::byte{1};
    ASSERT_TRUE(replace_file(store.data, kSnapshotName, damaged));
    ASSERT_TRUE(store.open());
    EXPECT_EQ(store.canonical(), before) << "byte " << at;
  }
  // The control: a snapshot with a wrong number and a right checksum is believed, so it is the
  // checksum that protects.
  Counters wrong;
  ASSERT_TRUE(replace_file(store.data, kSnapshotName, bytes));
  ASSERT_TRUE(read_snapshot(store.data, store.ledger->hash_key(), wrong));
  wrong.pages().set_count(PageId{1}, 12345);
  ASSERT_TRUE(write_snapshot(store.data, wrong, store.ledger->hash_key()));
  const auto reopened = store.open();
  EXPECT_TRUE(!reopened || store.canonical() != before);
}

TEST_F(LedgerTest, FullDiskRefusesChangesNothingAndGoesOnWhenThereIsSpace) {
  store.commit({.page = "a/"});
  std::uint64_t used = 0;
  for (const auto& [name, bytes] : store.journal.image()) used += bytes.size();
  store.journal.set_capacity(used);
  std::vector<Outcome> outcomes;
  std::uint64_t counted = 1;
  for (int i = 0; i < 100 && (outcomes.empty() || outcomes[0].status == Status::counted); ++i) {
    counted += outcomes.empty() ? 0 : 1;
    outcomes = store.commit_all(std::vector<TestHit>{{.page = "a/"}});
  }
  EXPECT_EQ(outcomes[0].status, Status::disk_full);
  EXPECT_EQ(store.page_count("a/"), counted);
  // A batch that brings a site, a page, an id and a visitor is taken back whole.
  const auto before = store.canonical();
  EXPECT_EQ(
      store.commit({.page = "new/", .id = kId, .visitor = VisitorId{99}, .site = SiteId{5}}).status,
      Status::disk_full);
  EXPECT_EQ(
      store.commit({.page = "new/", .id = kId, .visitor = VisitorId{99}, .pages_max = 1}).status,
      Status::disk_full);
  EXPECT_EQ(store.canonical(), before);

  store.journal.set_capacity(1 << 30);
  store.clock.advance(1s);
  EXPECT_EQ(store.commit({.page = "a/"}).page_ordinal, counted + 1);
  EXPECT_EQ(store.commit({.page = "new/", .id = kId, .site = SiteId{5}}).status, Status::counted);
  const auto live = store.canonical();
  ASSERT_TRUE(store.open());
  EXPECT_EQ(store.canonical(), live);
}

TEST_F(LedgerTest, FailedWriteOrSyncIsFinalAndLeavesTheOutcomeUnknown) {
  for (std::uint64_t call = 1; call <= 2; ++call) {  // The write, then the sync.
    LedgerOnDisk fresh(call);
    ASSERT_TRUE(fresh.open());
    fresh.commit({.id = kId});
    fresh.journal.fail_call(fresh.journal.calls() + call, Code::io);
    EXPECT_EQ(fresh.commit({.id = kOtherId}).status, Status::outcome_unknown);
    EXPECT_EQ(fresh.commit({}).status, Status::failed);
    EXPECT_EQ(fresh.commit({.id = kId}).status, Status::failed);
    EXPECT_FALSE(fresh.ledger->failure().empty());
    EXPECT_EQ(fresh.page_count("blog.example.com/a"), 1U);
    fresh.journal.kill();
    ASSERT_TRUE(fresh.open());
    EXPECT_EQ(fresh.commit({.id = kId}).status, Status::duplicate);
    const auto again = fresh.commit({.id = kOtherId});
    EXPECT_EQ(again.page_ordinal, 2U);  // Counted once, whether it had got through or not.
  }
}

// Cuts the power again and again in the middle of counting; what was acknowledged must be there.
// Returns how many acknowledged hits were lost, counted twice or renumbered.
std::uint64_t wrongs_after_power_cuts(std::uint64_t seed, SimulatedDisk::Lie lie) {
  log_open(LogLevel::silent);
  LedgerOnDisk store(seed);
  SeededEntropy chance(seed);
  std::map<std::string, Outcome> acknowledged;
  std::uint64_t wrongs = 0;
  std::uint64_t next_id = 0;
  for (int life = 0; life < 4; ++life) {
    store.journal.stop_at_call(0);
    if (!store.open()) return wrongs + 1;
    store.journal.lie(lie);
    for (const auto& [id, was] : acknowledged) {
      const auto is = store.commit({.id = id});
      if (is.status != Status::duplicate || store.receipt(is) != store.receipt(was)) ++wrongs;
    }
    store.journal.stop_at_call(store.journal.calls() + 1 + chance.below(40));
    for (int i = 0; i < 30; ++i) {
      const auto id = "an id of 16 byte " + std::to_string(next_id++);
      const auto outcome = store.commit({.id = id});
      if (outcome.status == Status::counted) acknowledged[id] = outcome;
    }
    store.journal.power_cut();
  }
  return wrongs;
}

TEST(LedgerPowerCut, NoAcknowledgedHitIsLostOrCountedTwice) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    ASSERT_EQ(wrongs_after_power_cuts(seed, SimulatedDisk::Lie::none), 0U) << "seed " << seed;
  }
}

TEST(LedgerPowerCut, ADiskThatDoesNotSyncIsFoundOut) {
  std::uint64_t wrongs = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    wrongs += wrongs_after_power_cuts(seed, SimulatedDisk::Lie::file_sync);
  }
  EXPECT_GT(wrongs, 0U);
}

class EveryoneWins final : public Judge {
 public:
  Verdict judge(const PromotionState&, std::uint64_t, UnixTime entered, UnixTime) override {
    return {Verdict::Kind::won, entered};
  }
};

// P1: a promotion whose machine stops at any call, again and again, while visitors enter and claim.
class StoppedPromotion {
 public:
  explicit StoppedPromotion(std::uint64_t seed) : store_(seed), chance_(seed) {}

  // Opens the store. How much of what was acknowledged is not so any more, and how much of what is
  // there cannot be.
  std::uint64_t start(SimulatedDisk::Lie lie) {
    store_.journal.stop_at_call(0);
    if (!store_.open()) return 1;
    store_.journal.lie(lie);
    store_.ledger->use_judge(judge_);
    const auto& all = store_.ledger->counters().entries().all();
    if (all.empty()) return entered_.empty() && open() ? 0 : 1;
    std::uint64_t wrongs = 0;
    for (const auto& [id, was] : entered_) {
      const auto is = store_.commit(hit_of(id));
      wrongs += is.status == Status::duplicate && store_.receipt(is) == was ? 0 : 1;
    }
    for (const auto& [entry, prize] : claimed_) {
      const auto found = all.front()->claims.find(entry);
      wrongs += found != all.front()->claims.end() && found->second.prize == prize ? 0 : 1;
    }
    JournalReader reader(store_.journal);
    Recount recount;  // No entry twice, no hole, no prize twice.
    const auto end = store_.ledger->position().sequence;
    const auto counted = recount.advance(reader, end, [](Sequence) {});
    const Recount::Prizes says{all.front()->entries, all.front()->link, all.front()->claims.size()};
    return wrongs + (counted && recount.promotions().at(PromotionId{1}) == says ? 0 : 1);
  }

  // Some batches of hits and claims, until the machine stops.
  void run() {
    store_.journal.stop_at_call(store_.journal.calls() + 1 + chance_.below(60));
    for (int i = 0; i < 20; ++i) {
      std::vector<std::string> ids;
      for (int n = 0; n < 4; ++n) ids.push_back("an id of 16 byte " + std::to_string(next_id_++));
      TestBatch batch;
      for (const auto& id : ids) batch.hits.push_back(to_hit(hit_of(id)));
      for (const auto& receipt : receipts_) {
        if (chance_.below(4) == 0) batch.claims.push_back({receipt});
      }
      HitBatch* const batches[] = {&batch};
      store_.ledger->commit(batches);
      for (std::size_t n = 0; n < ids.size(); ++n) {
        const auto& outcome = batch.outcomes[n];
        if (outcome.status != Status::counted) continue;
        entered_[ids[n]] = store_.receipt(outcome);
        if (outcome.receipt.entry_ordinal > 0) receipts_.push_back(outcome.receipt);
      }
      for (std::size_t n = 0; n < batch.claims.size(); ++n) {
        const auto& outcome = batch.claim_outcomes[n];
        if (outcome.status != ClaimOutcome::Status::won) continue;
        claimed_[batch.claims[n].receipt.entry_ordinal] = outcome.prize;
      }
      if (chance_.below(4) == 0) static_cast<void>(store_.ledger->keep());
      store_.clock.advance(1s);
    }
    chance_.below(4) == 0 ? store_.journal.kill() : store_.journal.power_cut();
  }

  std::size_t entries() const { return receipts_.size(); }
  std::size_t claims() const { return claimed_.size(); }

 private:
  bool open() {
    Promotion rules{.name = "launch",
                    .host = "blog.example.com",
                    .opens = store_.clock.now(),
                    .closes = store_.clock.now() + 24h,
                    .rule = WinRule::every,
                    .windows = WindowKind::entries,
                    .window_entries = 3,
                    .window_count = 1000,
                    .says = "a mug",
                    .stock = 1000,
                    .claim_within = 1h};
    return store_.ledger->open_promotion(SiteId{1}, rules.host, rules_text(rules)).has_value();
  }
  // The same id, the same visitor: one of seven.
  static TestHit hit_of(const std::string& id) {
    return {.id = id,
            .promotion = PromotionId{1},
            .entrant = {.visitor = std::hash<std::string>{}(id) % 7 + 1},
            .secret_hash = SecretHash{std::byte{1}}};
  }

  LedgerOnDisk store_;
  EveryoneWins judge_;
  SeededEntropy chance_;
  std::uint64_t next_id_ = 0;
  std::map<std::string, std::string> entered_;  // Id -> receipt.
  std::vector<Receipt> receipts_;               // Of those that earned an entry.
  std::map<std::uint64_t, std::uint32_t> claimed_;
};

struct PrizeLives {
  std::uint64_t wrongs = 0;
  std::size_t entries = 0;
  std::size_t claims = 0;
};
PrizeLives live_through_stops(std::uint64_t seeds, SimulatedDisk::Lie lie) {
  log_open(LogLevel::silent);
  PrizeLives lives;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    StoppedPromotion promotion(seed);
    for (int life = 0; life < 4; ++life) {
      const auto wrongs = promotion.start(lie);
      if (wrongs > 0 && lie == SimulatedDisk::Lie::none) ADD_FAILURE() << "seed " << seed;
      lives.wrongs += wrongs;
      if (wrongs > 0) break;
      promotion.run();
    }
    lives.entries += promotion.entries();
    lives.claims += promotion.claims();
  }
  return lives;
}

TEST(LedgerPowerCut, NoEntryIsThereTwiceNoneIsMissingAndNoPrizeIsGivenTwice) {
  const auto lives = live_through_stops(500, SimulatedDisk::Lie::none);
  EXPECT_EQ(lives.wrongs, 0U);
  EXPECT_GT(lives.entries, 12'000U);
  EXPECT_GT(lives.claims, 8'000U);
}

TEST(LedgerPowerCut, ADiskThatDoesNotSyncLosesEntriesAndIsFoundOut) {
  EXPECT_GT(live_through_stops(30, SimulatedDisk::Lie::file_sync).wrongs, 10U);
}

}  // namespace
}  // namespace nando
