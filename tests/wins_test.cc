// Promotions on a ledger: who the judge says has won and when that is known, the seed that must be
// the committed one, and which wins a webhook's target is told of.
#include <gtest/gtest.h>

#include "counters/counters.h"
#include "ledger/test_ledger.h"
#include "prizes/winners.h"
#include "promotions/judge.h"
#include "promotions/opening.h"
#include "promotions/win_events.h"
#include "registry/memory_registry.h"

namespace nando {
namespace {

using namespace std::chrono_literals;

constexpr SecretHash kSecret{std::byte{5}};
const std::string kTarget = "0123456789abcdef";

// Every entry wins, 5,000 at most.
Promotion rules_of(const std::string& name, UnixTime opens) {
  Promotion rules;
  rules.name = name;
  rules.host = "blog.example.com";
  rules.pages = {"/" + name};
  rules.opens = opens;
  rules.closes = opens + 24h;
  rules.rule = WinRule::every;
  rules.window_entries = 1;
  rules.window_count = 5000;
  rules.limits = {.visitor = 0, .v4_24 = 0, .v6_64 = 0, .v6_56 = 0, .v6_48 = 0};
  rules.says = "a mug";
  rules.stock = 5000;
  rules.claim_within = 1h;
  return rules;
}

class PromotionsTest : public testing::Test {
 protected:
  PromotionsTest() {
    EXPECT_TRUE(store.open());
    store.ledger->use_judge(judge);
  }

  Result<Promotion> open(const Promotion& rules, const std::vector<std::string>& codes = {}) {
    const Site site{.id = SiteId{1}, .host = rules.host, .counts = Visibility::open};
    return open_promotion({secrets, store.entropy, run()}, site, rules, codes);
  }
  std::function<Result<>(const std::function<void(Ledger&)>&)> run() {
    return [this](const auto& work) -> Result<> {
      work(*store.ledger);
      return {};
    };
  }
  Receipt enter(std::uint32_t promotion) {
    return store
        .commit({.promotion = PromotionId{promotion},
                 .entrant = {.visitor = ++visitors},
                 .secret_hash = kSecret})
        .receipt;
  }
  const PromotionState& state(std::uint32_t promotion) const {
    return *store.ledger->counters().entries().find(PromotionId{promotion});
  }
  Verdict verdict(const Receipt& receipt) {
    return judge.judge(state(receipt.promotion), receipt.entry_ordinal, receipt.committed,
                       store.clock.now());
  }
  // A tick, so that wins of one after those of another are later.
  void win(std::uint32_t promotion) {
    store.clock.advance(1ms);
    EXPECT_EQ(store.claim(enter(promotion)).status, ClaimOutcome::Status::won);
  }
  // The ids of what the target takes, until there is no more.
  std::vector<std::string> take_all(WinEvents& events, const std::string& target = kTarget) {
    std::vector<std::string> ids;
    for (;;) {
      const auto next = events.next(target);
      EXPECT_TRUE(next);
      if (!next || !*next) return ids;
      // "old-2" of "old-2-1700000000000": what follows is the time of the claim.
      const auto& id = (*next)->id;
      EXPECT_GT(id.size() - id.rfind('-'), 12U) << id;
      ids.push_back(id.substr(0, id.rfind('-')));
      EXPECT_TRUE(events.sent(target, **next));
    }
  }

  LedgerOnDisk store;
  MemoryRegistry registry;
  Secrets secrets{registry};
  DrawJudge judge{secrets};
  std::uint64_t visitors = 0;
};

using Judging = PromotionsTest;

TEST_F(Judging, EveryAndExactAreKnownAtOnce) {
  auto rules = rules_of("every", store.clock.now());
  rules.window_entries = 3;
  ASSERT_TRUE(open(rules));
  auto exact = rules_of("exact", store.clock.now());
  exact.rule = WinRule::exact;
  exact.windows = WindowKind::whole;
  exact.window_entries = 0;
  exact.window_count = 1;
  exact.ordinals = {2, 3};
  exact.stock = 2;
  ASSERT_TRUE(open(exact));
  for (const bool wins : {false, false, true, false, false, true}) {
    const auto receipt = enter(1);
    EXPECT_EQ(verdict(receipt).kind == Verdict::Kind::won, wins) << receipt.entry_ordinal;
    EXPECT_EQ(verdict(receipt).known_at, receipt.committed);
  }
  for (const bool wins : {false, true, true}) {
    EXPECT_EQ(verdict(enter(2)).kind == Verdict::Kind::won, wins);
  }
}

TEST_F(Judging, ADrawByEntriesIsThatOfItsSeedFromTheFirstEntryOn) {
  auto rules = rules_of("drawn", store.clock.now());
  rules.rule = WinRule::instant;
  rules.window_entries = 5;
  rules.window_count = 40;
  rules.winners = 2;
  const auto opened = open(rules);
  ASSERT_TRUE(opened);
  std::vector<std::uint64_t> won;
  std::vector<std::uint64_t> drawn;
  for (std::uint64_t entry = 1; entry <= 200; ++entry) {
    if (verdict(enter(1)).kind == Verdict::Kind::won) won.push_back(entry);
  }
  for (std::uint32_t window = 1; window <= 40; ++window) {
    const auto seed = judge.seed(state(1), window);
    ASSERT_TRUE(seed);
    EXPECT_EQ(hash_times(*seed, window), opened->commitment) << "what strangers check";
    for (const auto each : winners_of(*opened, {5 * window - 4, 5 * window}, *seed)) {
      drawn.push_back(each);
    }
  }
  EXPECT_EQ(won, drawn);
}

TEST_F(Judging, ADrawByTimesIsKnownWhenItsWindowEnds) {
  auto rules = rules_of("hourly", store.clock.now());
  rules.rule = WinRule::instant;
  rules.windows = WindowKind::times;
  rules.window_entries = 0;
  rules.closes = rules.opens + 2h;
  rules.window_ends = {rules.opens + 1h, rules.closes};
  rules.window_count = 2;
  ASSERT_TRUE(open(rules));
  const auto one = enter(1);
  EXPECT_EQ(verdict(one).kind, Verdict::Kind::pending);
  EXPECT_EQ(verdict(one).known_at, rules.opens + 1h);
  const auto two = enter(1);
  store.clock.step_wall(1h - 1ms);
  EXPECT_EQ(verdict(two).kind, Verdict::Kind::pending) << "a millisecond before";
  store.clock.step_wall(1ms);
  EXPECT_NE(verdict(one).kind, verdict(two).kind) << "one of both";
  EXPECT_EQ(verdict(two).known_at, rules.opens + 1h);
}

// A draw is remembered for the entries it was drawn among: one asked for too early is not kept.
TEST_F(Judging, WhatIsRememberedOfAWindowIsOfAllItsEntries) {
  auto rules = rules_of("hourly", store.clock.now());
  rules.rule = WinRule::instant;
  rules.windows = WindowKind::times;
  rules.window_entries = 0;
  rules.window_ends = {rules.closes};
  rules.window_count = 1;
  ASSERT_TRUE(open(rules));
  enter(1);
  const auto ends = rules.closes;
  const auto first = judge.winners(state(1), state(1).window(1, ends));
  EXPECT_EQ(first, std::vector<std::uint64_t>{1});
  for (int i = 0; i < 99; ++i) enter(1);
  DrawJudge fresh(secrets);
  EXPECT_EQ(judge.winners(state(1), state(1).window(1, ends)),
            fresh.winners(state(1), state(1).window(1, ends)));
}

TEST_F(Judging, ASealedDrawWaitsForItsValue) {
  auto rules = rules_of("sealed", store.clock.now());
  rules.rule = WinRule::sealed;
  rules.windows = WindowKind::whole;
  rules.window_entries = 0;
  rules.window_count = 1;
  rules.outside = "the numbers";
  rules.closes = rules.opens + 1h;
  rules.outside_at = rules.opens + 2h;
  rules.stock = 1;
  ASSERT_TRUE(open(rules));
  const auto receipt = enter(1);
  EXPECT_EQ(verdict(receipt).known_at, rules.outside_at);
  store.clock.step_wall(2h);
  EXPECT_EQ(verdict(receipt).kind, Verdict::Kind::pending);
  EXPECT_EQ(verdict(receipt).known_at, std::nullopt) << "it is late";
  ASSERT_TRUE(
      store.ledger->change_promotion({PromotionId{1}, PromotionAct::revealed, SiteId{1}, "1 2 3"}));
  EXPECT_EQ(verdict(receipt).kind, Verdict::Kind::won);
  EXPECT_EQ(verdict(receipt).known_at, state(1).revealed_at);
}

// Nobody wins by a seed that is not the committed one, and nobody loses.
TEST_F(Judging, ASeedThatIsGoneOrAnotherDecidesNothing) {
  auto rules = rules_of("drawn", store.clock.now());
  rules.rule = WinRule::instant;
  rules.window_entries = 1;
  ASSERT_TRUE(open(rules));
  const auto receipt = enter(1);
  EXPECT_EQ(verdict(receipt).kind, Verdict::Kind::won) << "the control";
  MemoryRegistry empty;
  const Secrets none(empty);
  Secrets other(empty);
  for (const bool has_another : {false, true}) {
    if (has_another) {
      ASSERT_TRUE(other.put("drawn", Key256{std::byte{1}}, {}));
    }
    DrawJudge blind(none);
    const auto said =
        blind.judge(state(1), receipt.entry_ordinal, receipt.committed, store.clock.now());
    EXPECT_EQ(said.kind, Verdict::Kind::pending);
    EXPECT_EQ(said.known_at, std::nullopt) << "nobody can say when";
    EXPECT_EQ(blind.seed(state(1), 1), std::nullopt);
  }
}

TEST_F(PromotionsTest, ANameWhoseOpeningWasRefusedIsFree) {
  ASSERT_TRUE(open(rules_of("one", store.clock.now())));
  std::uint64_t used = 0;
  for (const auto& [name, bytes] : store.journal.image()) used += bytes.size();
  store.journal.set_capacity(used);
  while (was_counted(store.commit({.page = "other/"}))) {
  }
  auto rules = rules_of("two", store.clock.now());
  rules.prize = PrizeKind::code;
  rules.codes_hash = Hash256{std::byte{1}};
  EXPECT_FALSE(open(rules, {"A", "B"}));
  store.journal.set_capacity(1 << 30);
  store.clock.advance(1s);
  const auto again = open(rules, {"C"});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(secrets.code("two", 0).value(), "C");
  EXPECT_FALSE(open(rules, {"D"})) << "and then it is had";
  EXPECT_EQ(secrets.code("two", 0).value(), "C");
}

using Wins = PromotionsTest;

TEST_F(Wins, ANewTargetIsToldOfWhatIsWonFromThenOn) {
  ASSERT_TRUE(open(rules_of("old", store.clock.now())));
  win(1);
  WinEvents events(registry, run());
  EXPECT_TRUE(take_all(events).empty());
  win(1);
  ASSERT_TRUE(open(rules_of("new", store.clock.now())));
  win(2);
  EXPECT_EQ(take_all(events), (std::vector<std::string>{"old-2", "new-1"}));
  EXPECT_TRUE(take_all(events, "another").empty());
  win(2);
  EXPECT_EQ(take_all(events, "another"), std::vector<std::string>{"new-2"});
  EXPECT_EQ(take_all(events), std::vector<std::string>{"new-2"}) << "each has its own place";
}

TEST_F(Wins, WhatWasNotTakenIsToldAfterARestartAndWhatWasIsNot) {
  ASSERT_TRUE(open(rules_of("launch", store.clock.now())));
  {
    WinEvents events(registry, run());
    EXPECT_TRUE(take_all(events).empty());
    for (int i = 0; i < 3; ++i) win(1);
    const auto first = events.next(kTarget).value();
    EXPECT_EQ(events.next(kTarget).value()->id, first->id) << "until it is taken";
    EXPECT_EQ(events.waiting(kTarget), 3U);
    ASSERT_TRUE(events.sent(kTarget, *first));
    ASSERT_TRUE(events.sent(kTarget, *first)) << "called again";
    EXPECT_EQ(events.waiting(kTarget), 2U);
  }
  WinEvents events(registry, run());
  EXPECT_EQ(take_all(events), (std::vector<std::string>{"launch-2", "launch-3"}));
}

TEST_F(Wins, AMarkThatIsNotSavedIsNotPassed) {
  ASSERT_TRUE(open(rules_of("launch", store.clock.now())));
  WinEvents events(registry, run());
  EXPECT_TRUE(take_all(events).empty());
  win(1);
  const auto event = events.next(kTarget).value();
  registry.fail_changes(Error{Code::full, "no space"});
  EXPECT_FALSE(events.sent(kTarget, *event));
  EXPECT_EQ(events.next(kTarget).value()->id, event->id);
  registry.fail_changes({});
  EXPECT_TRUE(events.sent(kTarget, *event));
  EXPECT_TRUE(take_all(events).empty());
}

// More than are taken from the ledger at once; the oldest of one waits behind newer ones of another
// in the ledger's order.
TEST_F(Wins, AThousandOfOneAreToldInTheOrderOfAll) {
  ASSERT_TRUE(open(rules_of("a", store.clock.now())));
  ASSERT_TRUE(open(rules_of("b", store.clock.now())));
  WinEvents events(registry, run());
  EXPECT_TRUE(take_all(events).empty());
  std::vector<std::string> order;
  for (int i = 1; i <= 1001; ++i) {
    win(1);
    order.push_back("a-" + std::to_string(i));
    if (i % 250 != 0) continue;
    win(2);
    order.push_back("b-" + std::to_string(i / 250));
  }
  EXPECT_EQ(take_all(events), order);
}

TEST_F(Wins, ThousandsOfPromotionsHaveTheirMarks) {
  WinEvents events(registry, run());
  EXPECT_TRUE(take_all(events).empty());
  constexpr std::uint32_t kMany = 1'500;
  for (std::uint32_t i = 1; i <= kMany; ++i) {
    auto rules = rules_of(std::string(58, 'n') + std::to_string(i), store.clock.now());
    rules.window_count = 1;
    rules.stock = 1;
    ASSERT_TRUE(open(rules));
    win(i);
  }
  EXPECT_EQ(take_all(events).size(), kMany);
  WinEvents again(registry, run());
  EXPECT_TRUE(take_all(again).empty());
}

// The registry of a backup is copied after the journal, so its marks may be ahead.
TEST_F(Wins, MarksOfWinsThatARestoreTookBackDoNotHideNewOnes) {
  ASSERT_TRUE(registry.put("webhook", kTarget, {}, kNoVersion));
  ASSERT_TRUE(registry.put("webhook_mark", kTarget + "/launch", {{"prize", "7"}}, kNoVersion));
  ASSERT_TRUE(open(rules_of("launch", store.clock.now())));
  win(1);
  WinEvents events(registry, run());
  EXPECT_TRUE(take_all(events).empty());
  win(1);
  EXPECT_EQ(take_all(events), std::vector<std::string>{"launch-2"});
}

}  // namespace
}  // namespace nando
