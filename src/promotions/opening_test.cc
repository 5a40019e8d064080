// Opening a promotion where the journal fails under it.
#include "promotions/opening.h"

#include <gtest/gtest.h>

#include "counters/counters.h"
#include "disk/simulated_disk.h"
#include "ledger/ledger.h"
#include "prizes/seed_chain.h"
#include "registry/memory_registry.h"

namespace nando {
namespace {

using namespace std::chrono_literals;

const Site kSite{.id = SiteId{1}, .host = "example.com", .counts = Visibility::open};

struct Opened {
  explicit Opened(std::uint64_t seed = 1) : data(seed), journal(seed + 1), entropy(seed + 2) {
    open();
  }

  void open() {
    ledger.reset();
    const std::map<MacKeyId, Key256> keys{{MacKeyId{1}, Key256{}}};
    auto opened = Ledger::open(data, journal, {},
                               std::make_shared<const KeyRing>(keys, MacKeyId{1}), clock, entropy);
    ASSERT_TRUE(opened) << opened.error().message;
    ledger = std::move(*opened);
  }
  Promotion rules() const {
    Promotion promotion;
    promotion.name = "launch";
    promotion.host = kSite.host;
    promotion.opens = clock.now();
    promotion.closes = clock.now() + 24h;
    promotion.window_entries = 4;
    promotion.window_count = 100;
    promotion.says = "a mug";
    promotion.stock = 100;
    promotion.claim_within = 1h;
    return promotion;
  }
  Result<Promotion> add() {
    const OpeningParts parts{secrets, entropy, [this](const auto& work) -> Result<> {
                               work(*ledger);
                               return {};
                             }};
    return open_promotion(parts, kSite, rules(), {});
  }
  const PromotionState* state() const { return ledger->counters().entries().find("launch"); }

  SimulatedDisk data;
  SimulatedDisk journal;
  SeededEntropy entropy;
  ManualClock clock;
  MemoryRegistry registry;
  Secrets secrets{registry};
  std::unique_ptr<Ledger> ledger;
};

// Its record may be on disk for all that anybody knows, and then it runs after a restart.
TEST(Opening, WhatAFailedJournalLeftInDoubtKeepsTheSeedItWasCommittedTo) {
  int in_doubt = 0;
  for (std::uint64_t call = 1; call <= 12; ++call) {
    Opened world(call);
    world.journal.fail_call(world.journal.calls() + call, Code::io);
    if (world.add()) continue;
    EXPECT_FALSE(world.add()) << "asked for again before the restart";
    world.open();
    if (world.state() == nullptr) continue;
    ++in_doubt;
    const SeedChain chain(*world.secrets.master("launch"), 100);
    EXPECT_EQ(chain.commitment(), world.state()->rules->commitment) << "call " << call;
  }
  EXPECT_GT(in_doubt, 0);
}

}  // namespace
}  // namespace nando
