// What the ledger's tests share: a ledger on simulated disks, and hits in a few words.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "disk/simulated_disk.h"
#include "ledger/ledger.h"
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
    seal(outcome.receipt, *ring, text.data());
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

}  // namespace nando
