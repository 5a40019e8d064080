// What the ledger's tests share: a ledger on simulated disks, and hits in a few words.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "counters/counters.h"
#include "disk/simulated_disk.h"
#include "ledger/judge.h"
#include "ledger/ledger.h"
#include "records/prizes.h"
#include "snapshot/recount.h"
#include "snapshot/snapshot.h"

namespace nando {

struct TestHit {
  std::string_view page = "blog.example.com/a";
  std::string_view id = "";
  VisitorId visitor = VisitorId{7};
  VisitorId yesterday = {};
  HitKind kind = HitKind::page_view;
  SiteId site = SiteId{1};
  std::uint32_t pages_max = 1000;
  Door door = Door::script;
  AgentClass agent = AgentClass::person;
  PromotionId promotion = {};
  Entrant entrant = {};
  std::optional<SecretHash> secret_hash = {};
};

// A batch that keeps its outcomes for the test.
class TestBatch final : public HitBatch {
 public:
  void on_committed(std::unique_ptr<HitBatch> self) override { self.release(); }
};

inline PageKey test_page_key(std::string_view page, SiteId site) {
  PageKey key{};
  const auto hash = blake2b(as_bytes(std::string(page) + std::to_string(site.value)));
  std::copy_n(hash.begin(), key.size(), key.begin());
  return key;
}

inline Hit to_hit(const TestHit& test, Day day = {}) {
  return {.kind = test.kind,
          .door = test.door,
          .agent = test.agent,
          .site = test.site,
          .site_pages_max = test.pages_max,
          .site_host = "blog.example.com",
          .page = test_page_key(test.page, test.site),
          .page_url = test.page,
          .day = day,
          .visitor = test.visitor,
          .visitor_yesterday = test.yesterday,
          .promotion = test.promotion,
          .entrant = test.entrant,
          .id = test.id,
          .secret_hash = test.secret_hash};
}

class LedgerOnDisk {
 public:
  explicit LedgerOnDisk(std::uint64_t seed = 1) : data(seed), journal(seed + 1), entropy(seed + 2) {
    rotate_key();
  }

  Result<> open() {
    ledger.reset();
    auto opened = Ledger::open(data, journal, options, ring, clock, entropy);
    if (!opened) return opened.error();
    ledger = std::move(*opened);
    return {};
  }

  std::vector<Outcome> commit_all(const std::vector<TestHit>& hits) {
    TestBatch batch;
    for (const auto& hit : hits) batch.hits.push_back(to_hit(hit));
    HitBatch* const batches[] = {&batch};
    ledger->commit(batches);
    return batch.outcomes;
  }
  Outcome commit(const TestHit& hit) { return commit_all({hit}).front(); }

  std::vector<ClaimOutcome> claim_all(const std::vector<Receipt>& receipts) {
    TestBatch batch;
    for (const auto& receipt : receipts) batch.claims.push_back({receipt});
    HitBatch* const batches[] = {&batch};
    ledger->commit(batches);
    return batch.claim_outcomes;
  }
  ClaimOutcome claim(const Receipt& receipt) { return claim_all({receipt}).front(); }

  void rotate_key() {
    const MacKeyId next{static_cast<std::uint32_t>(keys.size() + 1)};
    keys.emplace(next, entropy.take<32>());
    ring = std::make_shared<const KeyRing>(keys, next);
    if (ledger != nullptr) ledger->use_keys(ring);
  }

  std::string receipt(const Outcome& outcome) const {
    std::string text(kReceiptTextBytes, ' ');
    ReceiptSealer().seal(outcome.receipt, *ring, text.data());
    return text;
  }

  // The state in its canonical form.
  Buffer canonical() const {
    SimulatedDisk scratch(1);
    EXPECT_TRUE(write_snapshot(scratch, ledger->counters(), ledger->hash_key()));
    return *read_file(scratch, kSnapshotName, 1 << 30);
  }

  std::uint64_t page_count(std::string_view page, SiteId site = SiteId{1}) const {
    return ledger->counts(site, test_page_key(page, site)).page;
  }

  SimulatedDisk data;
  SimulatedDisk journal;
  SeededEntropy entropy;
  ManualClock clock;
  LedgerOptions options{.segment_bytes = 64 << 10,
                        .segment_bytes_hurry = 16 << 10,
                        .segment_bytes_min = 16 << 10,
                        .snapshot_records_min = 20};
  std::map<MacKeyId, Key256> keys;
  std::shared_ptr<const KeyRing> ring;
  std::unique_ptr<Ledger> ledger;
};

inline constexpr PromotionId kPromotion{1};
inline constexpr SecretHash kSecret{std::byte{5}};

// Even ordinals win once `known_from` is over.
class EvenWins final : public Judge {
 public:
  Verdict judge(const PromotionState&, std::uint64_t entry, UnixTime entered,
                UnixTime now) override {
    const auto at = std::max(entered, known_from);
    if (now < at) return {Verdict::Kind::pending, at};
    return {entry % 2 == 0 ? Verdict::Kind::won : Verdict::Kind::not_drawn, at};
  }
  UnixTime known_from{};
};

class PrizesTest : public testing::Test {
 protected:
  PrizesTest() { EXPECT_TRUE(reopen()); }

  Result<> reopen() {
    auto opened = store.open();
    if (opened) store.ledger->use_judge(judge);
    return opened;
  }

  // Every fourth entry, 100 windows.
  Promotion rules() const {
    Promotion promotion;
    promotion.name = "launch";
    promotion.host = "blog.example.com";
    promotion.opens = store.clock.now();
    promotion.closes = store.clock.now() + std::chrono::hours{24};
    promotion.rule = WinRule::every;
    promotion.windows = WindowKind::entries;
    promotion.window_entries = 4;
    promotion.window_count = 100;
    promotion.limits = {.visitor = 1, .v4_24 = 2, .v6_64 = 0, .v6_56 = 0, .v6_48 = 0};
    promotion.says = "a mug";
    promotion.stock = 100;
    promotion.claim_within = std::chrono::hours{1};
    return promotion;
  }
  Result<PromotionId> open(const Promotion& promotion) {
    return store.ledger->open_promotion(SiteId{1}, promotion.host, rules_text(promotion));
  }

  static TestHit hit(std::uint64_t visitor, std::uint64_t network = 0, std::string_view id = "") {
    return {.id = id,
            .promotion = kPromotion,
            .entrant = {.visitor = visitor, .v4_24 = network},
            .secret_hash = kSecret};
  }
  std::uint64_t entry_of(const TestHit& hit) { return store.commit(hit).receipt.entry_ordinal; }
  const PromotionState& state() const {
    return *store.ledger->counters().entries().find(kPromotion);
  }
  Result<> change(PromotionAct act, std::string_view text = {}) {
    return store.ledger->change_promotion({kPromotion, act, SiteId{1}, text});
  }
  // From the journal alone, and from the snapshot and what came after it.
  void expect_replay_agrees() {
    const auto live = store.canonical();
    ASSERT_TRUE(reopen());
    EXPECT_EQ(store.canonical(), live);
    while (*store.ledger->keep()) {
    }
    ASSERT_TRUE(reopen());
    EXPECT_EQ(store.canonical(), live);
    (void)store.data.remove(kSnapshotName);
    ASSERT_TRUE(reopen());
    EXPECT_EQ(store.canonical(), live);
    JournalReader reader(store.journal);
    Recount recount;
    ASSERT_TRUE(recount.advance(reader, store.ledger->position().sequence, [](Sequence) {}));
    const auto& counted = recount.promotions().at(kPromotion);
    EXPECT_EQ(counted, (Recount::Prizes{state().entries, state().link, state().claims.size()}));
  }

  EvenWins judge;
  LedgerOnDisk store;
};

}  // namespace nando
