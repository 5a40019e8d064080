// Entries and claims through the ledger: who enters, what a receipt says of it, that windows turn
// and limits hold, that a prize is given once, and that replay, snapshot and recount agree.
#include "records/prizes.h"

#include <gtest/gtest.h>

#include "counters/counters.h"
#include "ledger/judge.h"
#include "ledger/test_ledger.h"
#include "snapshot/recount.h"

namespace nando {
namespace {

using namespace std::chrono_literals;
using Status = ClaimOutcome::Status;

TEST_F(PrizesTest, EntriesAreNumberedAndOfferedOnceAVisitorAndWindow) {
  ASSERT_EQ(open(rules()).value(), kPromotion);
  EXPECT_EQ(entry_of(hit(1)), 1U);
  EXPECT_EQ(entry_of(hit(1)), 0U) << "the same visitor again";
  EXPECT_EQ(entry_of(hit(2)), 2U);
  EXPECT_EQ(entry_of(hit(3)), 3U);
  EXPECT_EQ(entry_of(hit(4)), 4U);
  EXPECT_EQ(entry_of(hit(1)), 5U) << "the next window";
  EXPECT_EQ(store.page_count("blog.example.com/a"), 6U) << "every view counts all the same";
  const auto outcome = store.commit(hit(2));
  EXPECT_EQ(outcome.receipt.promotion, kPromotion.value);
  EXPECT_EQ(state().ended.size(), 1U);
  expect_replay_agrees();
}

TEST_F(PrizesTest, ABatchThatTurnsAWindowKnowsWhoEnteredEach) {
  ASSERT_TRUE(open(rules()));
  const auto outcomes =
      store.commit_all({hit(1), hit(2), hit(1), hit(3), hit(4), hit(1), hit(2), hit(1)});
  std::vector<std::uint64_t> entries;
  for (const auto& outcome : outcomes) entries.push_back(outcome.receipt.entry_ordinal);
  EXPECT_EQ(entries, (std::vector<std::uint64_t>{1, 2, 0, 3, 4, 5, 6, 0}));
  expect_replay_agrees();
}

TEST_F(PrizesTest, EveryLimitHoldsAtItsFigureAndOnePast) {
  auto promotion = rules();
  promotion.window_entries = 1000;
  promotion.limits = {.visitor = 3, .v4_24 = 2, .v6_64 = 2, .v6_56 = 3, .v6_48 = 4};
  ASSERT_TRUE(open(promotion));
  std::uint64_t fresh = 100;
  const auto may = [&](const Entrant& who) {
    auto one = hit(0);
    one.entrant = who;
    return entry_of(one) != 0;
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(may({.visitor = 7})) << i;
  EXPECT_FALSE(may({.visitor = 7}));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(may({.visitor = fresh++, .v4_24 = 8})) << i;
  EXPECT_FALSE(may({.visitor = fresh++, .v4_24 = 8}));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(may({fresh++, 0, 20, 30, 40})) << i;
  EXPECT_FALSE(may({fresh++, 0, 20, 30, 40})) << "/64";
  EXPECT_TRUE(may({fresh++, 0, 21, 30, 40}));
  EXPECT_FALSE(may({fresh++, 0, 22, 30, 40})) << "/56";
  EXPECT_TRUE(may({fresh++, 0, 23, 31, 40}));
  EXPECT_FALSE(may({fresh++, 0, 24, 32, 40})) << "/48";
  EXPECT_TRUE(may({fresh++, 0, 25, 33, 41}));
  expect_replay_agrees();
}

TEST_F(PrizesTest, WhatIsNotEligibleEntersNothing) {
  ASSERT_TRUE(open(rules()));
  auto bot = hit(1);
  bot.agent = AgentClass::bot;
  bot.door = Door::seed;
  auto proxy = hit(2);
  proxy.agent = AgentClass::image_proxy;
  auto event = hit(3);
  event.kind = HitKind::event;
  auto elsewhere = hit(4);
  elsewhere.site = SiteId{2};
  auto of_none = hit(5);
  of_none.promotion = PromotionId{9};
  for (const auto& each : {bot, proxy, event, elsewhere, of_none}) {
    const auto outcome = store.commit(each);
    EXPECT_TRUE(was_counted(outcome));
    EXPECT_EQ(outcome.receipt.entry_ordinal, 0U);
  }
  EXPECT_EQ(state().entries, 0U);
}

TEST_F(PrizesTest, ARetryGetsTheSameReceiptWithItsEntry) {
  ASSERT_TRUE(open(rules()));
  store.commit(hit(1));
  const auto one = hit(2, 0, "an id of 16 byte");
  const auto first = store.commit(one);
  ASSERT_EQ(first.receipt.entry_ordinal, 2U);
  store.rotate_key();
  EXPECT_EQ(store.receipt(store.commit(one)), store.receipt(first));
  ASSERT_TRUE(reopen());
  const auto again = store.commit(one);
  EXPECT_EQ(again.status, Outcome::Status::duplicate);
  EXPECT_EQ(store.receipt(again), store.receipt(first));
  EXPECT_EQ(state().entries, 2U);
}

TEST_F(PrizesTest, ARetryAfterTheDetailsWentDoesNotChangeWhoMayClaim) {
  ASSERT_TRUE(open(rules()));
  auto one = hit(1, 0, "an id of 16 byte");
  one.visitor = {};  // What is open of a visit is not replayed without details.
  const auto first = store.receipt(store.commit(one));
  const RemovalRecord expired{
      .what = Removal::expired, .site = SiteId{1}, .up_to = store.ledger->position().sequence};
  ASSERT_TRUE(store.ledger->remove(std::span(&expired, 1)));
  while (store.ledger->keep().value()) {
  }
  ASSERT_TRUE(store.ledger->erasure().done());
  EXPECT_EQ(store.receipt(store.commit(one)), first);
  one.secret_hash = SecretHash{std::byte{66}};
  EXPECT_EQ(store.receipt(store.commit(one)), first) << "of somebody who has seen the id";
  expect_replay_agrees();
}

TEST_F(PrizesTest, AFullDiskTakesEntriesAndClaimsBack) {
  ASSERT_TRUE(open(rules()));
  std::vector<Receipt> receipts;
  for (std::uint64_t i = 1; i <= 3; ++i) receipts.push_back(store.commit(hit(i)).receipt);
  std::uint64_t used = 0;
  for (const auto& [name, bytes] : store.journal.image()) used += bytes.size();
  store.journal.set_capacity(used);
  while (was_counted(store.commit({.page = "other/"}))) {
  }
  const auto before = store.canonical();
  // Past the end of a window, on both sides of it.
  const auto refused = store.commit_all({hit(4), hit(1), hit(2), hit(3), hit(4), hit(5)});
  EXPECT_EQ(refused.front().status, Outcome::Status::disk_full);
  EXPECT_EQ(store.claim(receipts[1]).status, Status::disk_full);
  EXPECT_EQ(store.canonical(), before);
  store.journal.set_capacity(1 << 30);
  store.clock.advance(1s);
  EXPECT_EQ(entry_of(hit(1)), 0U) << "still the first window";
  EXPECT_EQ(entry_of(hit(4)), 4U);
  EXPECT_EQ(store.claim(receipts[1]).prize, 1U);
  expect_replay_agrees();
}

TEST_F(PrizesTest, AClaimIsDecidedOnceAndAnsweredAlike) {
  ASSERT_TRUE(open(rules()));
  store.commit(hit(1));
  const auto winner = store.commit(hit(2)).receipt;
  const auto together = store.claim_all(std::vector<Receipt>(64, winner));
  for (const auto& outcome : together) {
    EXPECT_EQ(outcome.status, Status::won);
    EXPECT_EQ(outcome.prize, 1U);
    EXPECT_EQ(outcome.claimed, together.front().claimed);
  }
  store.clock.advance(1min);
  ASSERT_TRUE(reopen());
  const auto later = store.claim(winner);
  EXPECT_TRUE(later.is_repeated);
  EXPECT_EQ(later.claimed, together.front().claimed);
  EXPECT_EQ(state().claims.size(), 1U);
  expect_replay_agrees();
}

TEST_F(PrizesTest, ALossIsNoRecord) {
  ASSERT_TRUE(open(rules()));
  const auto loser = store.commit(hit(1)).receipt;
  const auto before = store.ledger->position().sequence;
  EXPECT_EQ(store.claim(loser).status, Status::not_drawn);
  auto none = loser;
  none.entry_ordinal = 0;
  EXPECT_EQ(store.claim(none).status, Status::no_entry);
  none.entry_ordinal = 2;
  EXPECT_EQ(store.claim(none).status, Status::no_entry) << "one that nobody has";
  none = loser;
  none.promotion = 7;
  EXPECT_EQ(store.claim(none).status, Status::no_entry);
  EXPECT_EQ(store.ledger->position().sequence, before);
}

// Else the journal's length, which receipts tell, would say that nobody has won yet.
TEST_F(PrizesTest, ALossInAWindowThatIsOpenLeavesAsMuchAsAWin) {
  auto promotion = rules();
  promotion.rule = WinRule::instant;
  promotion.commitment = Hash256{std::byte{1}};
  ASSERT_TRUE(open(promotion));
  const auto loser = store.commit(hit(1)).receipt;
  const auto winner = store.commit(hit(2)).receipt;
  const auto left = [&](const Receipt& receipt) {
    const auto before = store.ledger->position().sequence.value;
    store.claim(receipt);
    return store.ledger->position().sequence.value - before;
  };
  EXPECT_EQ(left(loser), 1U);
  EXPECT_EQ(left(winner), 1U);
  store.commit_all({hit(3), hit(4)});
  EXPECT_EQ(left(loser), 0U) << "the window is over";
}

TEST_F(PrizesTest, StockIsNotOverspentWithinOneCommit) {
  auto promotion = rules();
  promotion.stock = 2;
  ASSERT_TRUE(open(promotion));
  std::vector<Receipt> winners;
  for (std::uint64_t i = 1; i <= 8; ++i) {
    const auto receipt = store.commit(hit(i)).receipt;
    if (receipt.entry_ordinal % 2 == 0) winners.push_back(receipt);
  }
  const auto outcomes = store.claim_all(winners);
  EXPECT_EQ(outcomes[0].prize, 1U);
  EXPECT_EQ(outcomes[1].prize, 2U);
  EXPECT_EQ(outcomes[2].status, Status::no_stock);
  EXPECT_EQ(outcomes[3].status, Status::no_stock);
  EXPECT_EQ(store.claim(winners[3]).status, Status::no_stock);
  expect_replay_agrees();
}

// The answer to one rests on the claim of the other, which may not be there after a start.
TEST_F(PrizesTest, NobodyIsToldThatAllIsGoneByAClaimThatWasNotWritten) {
  auto promotion = rules();
  promotion.stock = 1;
  ASSERT_TRUE(open(promotion));
  std::vector<Receipt> winners;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    const auto receipt = store.commit(hit(i)).receipt;
    if (receipt.entry_ordinal % 2 == 0) winners.push_back(receipt);
  }
  store.clock.advance(1s);
  store.journal.fail_call(store.journal.calls() + 1, Code::io);
  for (const auto& outcome : store.claim_all({winners[0], winners[0], winners[1]})) {
    EXPECT_EQ(outcome.status, Status::outcome_unknown);
  }
  EXPECT_EQ(store.claim(winners[0]).status, Status::failed);
  EXPECT_TRUE(state().claims.empty()) << "what is told of a promotion is what is on disk";
}

TEST_F(PrizesTest, WhatMayNotBeOnDiskIsToldOfNoPromotion) {
  ASSERT_TRUE(open(rules()));
  for (std::uint64_t i = 1; i <= 3; ++i) store.commit(hit(i));
  const auto before = state();
  store.journal.fail_call(store.journal.calls() + 1, Code::io);
  const auto unknown = store.commit_all({hit(4), hit(5), hit(1)});
  EXPECT_EQ(unknown.front().status, Outcome::Status::outcome_unknown);
  EXPECT_EQ(state().entries, 3U);
  EXPECT_EQ(state().link, before.link);
  EXPECT_TRUE(state().ended.empty());
  EXPECT_EQ(state().entrants, before.entrants);
  EXPECT_EQ(*state().shown, 3U);
}

// Of another promotion, as the restored journal of another life may know it.
TEST_F(PrizesTest, AClaimOfNoWindowIsNone) {
  auto promotion = rules();
  promotion.rule = WinRule::instant;
  promotion.commitment = Hash256{std::byte{1}};
  promotion.windows = WindowKind::times;
  promotion.window_entries = 0;
  promotion.window_ends = {promotion.closes};
  promotion.window_count = 1;
  ASSERT_TRUE(open(promotion));
  auto receipt = store.commit(hit(1)).receipt;
  EXPECT_EQ(store.claim(receipt).status, Status::not_drawn);
  receipt.committed = promotion.closes;
  EXPECT_EQ(store.claim(receipt).status, Status::no_entry);
}

// What time has decided is written, so that a clock that is set back changes nothing.
TEST_F(PrizesTest, WhatLapsedStaysSoWhenTheClockIsSetBack) {
  ASSERT_TRUE(open(rules()));
  store.commit(hit(1));
  const auto winner = store.commit(hit(2)).receipt;
  store.clock.step_wall(1h);
  EXPECT_EQ(store.claim(winner).status, Status::won) << "the last moment";
  const auto late = [&] {
    store.commit(hit(3));
    return store.commit(hit(4)).receipt;
  }();
  store.clock.step_wall(1h + 1ms);
  EXPECT_EQ(store.claim(late).status, Status::lapsed);
  store.clock.step_wall(-2h);
  EXPECT_EQ(store.claim(late).status, Status::lapsed);
  ASSERT_TRUE(reopen());
  EXPECT_EQ(store.claim(late).status, Status::lapsed);
}

TEST_F(PrizesTest, WhatWasKnownIsNotUnknownAgainWhenTheClockIsSetBack) {
  ASSERT_TRUE(open(rules()));
  store.commit(hit(1));
  const auto winner = store.commit(hit(2)).receipt;
  const auto loser = store.commit(hit(3)).receipt;
  judge.known_from = store.clock.now() + 30min;
  const auto pending = store.claim(winner);
  EXPECT_EQ(pending.status, Status::pending);
  EXPECT_EQ(pending.known_at, judge.known_from);
  store.clock.step_wall(30min);
  EXPECT_EQ(store.claim(loser).status, Status::not_drawn);
  store.clock.step_wall(-30min);
  EXPECT_EQ(store.claim(loser).status, Status::not_drawn);
  EXPECT_EQ(store.claim(winner).status, Status::won);
}

TEST_F(PrizesTest, PausedAndClosedTakeNoEntries) {
  ASSERT_TRUE(open(rules()));
  EXPECT_EQ(entry_of(hit(1)), 1U);
  ASSERT_TRUE(change(PromotionAct::paused));
  EXPECT_EQ(entry_of(hit(2)), 0U);
  EXPECT_EQ(change(PromotionAct::paused).error().code, Code::conflict);
  ASSERT_TRUE(change(PromotionAct::resumed));
  EXPECT_EQ(change(PromotionAct::resumed).error().code, Code::conflict);
  const auto winner = store.commit(hit(2)).receipt;
  EXPECT_EQ(winner.entry_ordinal, 2U);
  ASSERT_TRUE(change(PromotionAct::closed));
  EXPECT_EQ(entry_of(hit(3)), 0U);
  EXPECT_EQ(change(PromotionAct::closed).error().code, Code::conflict);
  EXPECT_EQ(change(PromotionAct::resumed).error().code, Code::conflict);
  EXPECT_EQ(store.claim(winner).status, Status::won) << "what was won can be claimed";
  expect_replay_agrees();
}

TEST_F(PrizesTest, WindowsByTimeEndWhenTheyEndHoweverFewEntered) {
  auto promotion = rules();
  promotion.rule = WinRule::instant;
  promotion.commitment = Hash256{std::byte{1}};
  promotion.windows = WindowKind::times;
  promotion.window_entries = 0;
  const auto opens = promotion.opens;
  promotion.window_ends = {opens + 1h, opens + 2h, opens + 3h, promotion.closes};
  promotion.window_count = 4;
  ASSERT_TRUE(open(promotion));
  EXPECT_EQ(entry_of(hit(1)), 1U);
  EXPECT_EQ(entry_of(hit(1)), 0U);
  store.clock.step_wall(1h);
  EXPECT_EQ(entry_of(hit(1)), 2U);
  store.clock.step_wall(2h);  // Nobody in the third.
  EXPECT_EQ(entry_of(hit(1)), 3U);
  const auto now = store.ledger->counters().committed();
  const auto& now_state = state();
  const auto spans = [&](std::uint32_t number) {
    const auto window = now_state.window(number, now);
    return std::tuple(window.first, window.last, window.is_over);
  };
  EXPECT_EQ(spans(1), std::tuple(1U, 1U, true));
  EXPECT_EQ(spans(2), std::tuple(2U, 2U, true));
  EXPECT_EQ(spans(3), std::tuple(3U, 2U, true));
  EXPECT_EQ(spans(4), std::tuple(3U, 3U, false));
  expect_replay_agrees();
}

TEST_F(PrizesTest, OneThatIsOverByItselfLeavesItsPagesToTheNext) {
  auto first = rules();
  first.closes = first.opens + 1h;
  ASSERT_TRUE(open(first));
  auto full = rules();
  full.name = "full";
  full.host = "other.example";
  full.window_count = 1;
  full.stock = 1;
  ASSERT_TRUE(store.ledger->open_promotion(SiteId{2}, full.host, rules_text(full)));
  for (std::uint64_t i = 1; i <= 4; ++i) {
    auto one = hit(i);
    one.promotion = PromotionId{2};
    one.site = SiteId{2};
    ASSERT_EQ(entry_of(one), i);
  }
  store.clock.step_wall(1h);
  auto next = rules();
  next.name = "next";
  ASSERT_EQ(open(next).value(), PromotionId{3});
  full.name = "more";
  ASSERT_TRUE(store.ledger->open_promotion(SiteId{2}, full.host, rules_text(full)));
  const auto expect_next = [&] {
    PromotionTables::Reader reader(store.ledger->promotions());
    EXPECT_EQ(reader.get().covering(SiteId{1}, "blog.example.com/a")->id, PromotionId{3});
    EXPECT_EQ(reader.get().covering(SiteId{2}, "other.example/a")->id, PromotionId{4});
  };
  expect_next();
  ASSERT_TRUE(reopen());
  expect_next();
}

// A record that does not follow would be there for ever: no start could replay it.
TEST_F(PrizesTest, WhatIsAskedForAtTheLastMomentIsWrittenAsOfThatMomentOrRefused) {
  class TickingClock final : public Clock {
   public:
    UnixTime now() const override { return UnixTime{std::chrono::milliseconds{++ticks_}}; }
    std::chrono::nanoseconds monotonic() const override { return {}; }

   private:
    mutable std::atomic<std::int64_t> ticks_{0};
  };
  for (int lasts = 1; lasts < 40; ++lasts) {
    LedgerOnDisk fresh;
    const TickingClock clock;
    const auto open_it = [&] {
      auto opened =
          Ledger::open(fresh.data, fresh.journal, fresh.options, fresh.ring, clock, fresh.entropy);
      ASSERT_TRUE(opened) << opened.error().message;
      fresh.ledger = std::move(*opened);
    };
    open_it();
    auto promotion = rules();
    promotion.opens = UnixTime{};
    promotion.closes = UnixTime{std::chrono::milliseconds{lasts}};
    const auto text = rules_text(promotion);
    bool is_refused = !fresh.ledger->open_promotion(SiteId{1}, promotion.host, text);
    while (!is_refused) {
      for (const auto act : {PromotionAct::paused, PromotionAct::resumed}) {
        is_refused = !fresh.ledger->change_promotion({kPromotion, act, SiteId{1}, {}});
      }
    }
    open_it();
  }
}

TEST_F(PrizesTest, TheTableTellsIngestWhatTakesEntries) {
  PromotionTables::Reader reader(store.ledger->promotions());
  EXPECT_TRUE(reader.get().running.empty());
  ASSERT_TRUE(open(rules()));
  ASSERT_EQ(reader.get().running.size(), 1U);
  store.commit(hit(1));
  EXPECT_EQ(*reader.get().running.front().entries, 1U);
  ASSERT_TRUE(reopen());
  PromotionTables::Reader again(store.ledger->promotions());
  ASSERT_EQ(again.get().running.size(), 1U);
  EXPECT_EQ(*again.get().running.front().entries, 1U);
  ASSERT_TRUE(change(PromotionAct::paused));
  EXPECT_TRUE(again.get().running.empty());
}

}  // namespace
}  // namespace nando
