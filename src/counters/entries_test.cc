// Entries, by records alone: what follows from what came before and what does not, where windows
// end, and that what was not written is taken back whole.
#include "counters/entries.h"

#include <gtest/gtest.h>

#include "prizes/entry_chain.h"

namespace nando {
namespace {

using namespace std::chrono_literals;

constexpr PromotionId kPromotion{1};
constexpr SiteId kSite{1};
constexpr UnixTime kOpens{24h};
constexpr UnixTime kCloses = kOpens + 4h;

Promotion rules_by_entries() {
  return {.name = "launch",
          .host = "blog.example.com",
          .opens = kOpens,
          .closes = kCloses,
          .rule = WinRule::every,
          .windows = WindowKind::entries,
          .window_entries = 3,
          .window_count = 4,
          .limits = {.visitor = 1, .v4_24 = 2, .v6_64 = 0, .v6_56 = 0, .v6_48 = 0},
          .says = "a mug",
          .stock = 4,
          .claim_within = 1h};
}
Promotion rules_by_times() {
  auto rules = rules_by_entries();
  rules.rule = WinRule::instant;
  rules.commitment = Hash256{std::byte{1}};
  rules.windows = WindowKind::times;
  rules.window_entries = 0;
  rules.window_ends = {kOpens + 1h, kOpens + 2h, kOpens + 3h, kCloses};
  return rules;
}
Promotion rules_sealed() {
  auto rules = rules_by_entries();
  rules.rule = WinRule::sealed;
  rules.windows = WindowKind::whole;
  rules.window_entries = 0;
  rules.window_count = 1;
  rules.outside = "the numbers of tomorrow";
  rules.outside_at = kCloses + 1h;
  return rules;
}

// All that a snapshot would hold of it.
auto all_of(const PromotionState& state) {
  return std::tuple(state.intake, state.entries, state.link, state.ended, state.entrants,
                    state.outside, state.claims);
}

class EntriesTest : public testing::Test {
 protected:
  bool open(const Promotion& rules, PromotionId id = kPromotion, UnixTime at = kOpens) {
    const auto text = rules_text(rules);
    return entries.add(PromotionRecord{id, PromotionAct::opened, kSite, text}, at);
  }
  bool change(PromotionAct act, UnixTime at, std::string_view text = {}) {
    return entries.add(PromotionRecord{kPromotion, act, kSite, text}, at);
  }
  // Its ordinal; 0 if it earns none.
  std::uint64_t enter(const Entrant& who, UnixTime at = kOpens) {
    const auto record = entries.earned(kPromotion, kSite, who, at);
    if (!record) return 0;
    EXPECT_TRUE(entries.add(*record, at));
    return record->ordinal;
  }
  bool claim(std::uint64_t entry, std::uint32_t prize) {
    return entries.add(ClaimRecord{kPromotion, entry, prize}, kOpens + 1h);
  }
  const PromotionState& state() const { return *entries.find(kPromotion); }

  Entries entries;
};

TEST_F(EntriesTest, OnlyWhatFollowsIsTaken) {
  EXPECT_FALSE(open(rules_by_entries(), PromotionId{2})) << "the first is 1";
  EXPECT_FALSE(open(rules_by_entries(), PromotionId{0}));
  ASSERT_TRUE(open(rules_by_entries()));
  EXPECT_FALSE(open(rules_by_entries(), PromotionId{2})) << "the name is taken";
  EXPECT_FALSE(open(rules_by_entries(), PromotionId{1}));

  const auto add = [&](PromotionId promotion, std::uint64_t ordinal, UnixTime at) {
    return entries.add(EntryRecord{.promotion = promotion, .ordinal = ordinal}, at);
  };
  EXPECT_FALSE(add(kPromotion, 0, kOpens));
  EXPECT_FALSE(add(kPromotion, 2, kOpens)) << "a hole";
  EXPECT_FALSE(add(PromotionId{2}, 1, kOpens));
  EXPECT_FALSE(add(PromotionId{0}, 1, kOpens));
  EXPECT_FALSE(add(kPromotion, 1, kOpens - 1ms));
  EXPECT_FALSE(add(kPromotion, 1, kCloses));
  EXPECT_TRUE(add(kPromotion, 1, kOpens));
  EXPECT_FALSE(add(kPromotion, 1, kOpens)) << "twice";
  EXPECT_TRUE(add(kPromotion, 2, kCloses - 1ms));

  EXPECT_FALSE(claim(0, 1));
  EXPECT_FALSE(claim(3, 1)) << "nobody's entry";
  EXPECT_FALSE(claim(2, 2)) << "a hole";
  EXPECT_FALSE(claim(2, 0));
  EXPECT_FALSE(entries.add(ClaimRecord{PromotionId{2}, 1, 1}, kOpens));
  EXPECT_TRUE(claim(2, 1));
  EXPECT_FALSE(claim(2, 2)) << "twice";
  EXPECT_TRUE(claim(1, 2));
  EXPECT_EQ(state().claims.size(), 2U);
}

TEST_F(EntriesTest, TheChainIsOverEveryFieldOfEveryEntry) {
  ASSERT_TRUE(open(rules_by_entries()));
  auto link = first_link(sha256(as_bytes(rules_text(rules_by_entries()))));
  EXPECT_EQ(state().link, link);
  for (std::uint8_t n = 1; n <= 3; ++n) {
    const auto at = kOpens + n * 1s;
    const EntryRecord record{.promotion = kPromotion,
                             .ordinal = n,
                             .id_digest = {std::byte{n}},
                             .secret_hash = {std::byte{9}, std::byte{n}},
                             .entrant = {.visitor = n}};
    ASSERT_TRUE(entries.add(record, at));
    link = next_link(link, {n, at, record.id_digest, record.secret_hash});
    EXPECT_EQ(state().link, link);
  }
  EXPECT_EQ(state().ended, (std::vector<PromotionState::WindowEnd>{{3, link}}));
}

TEST_F(EntriesTest, AnEntryIsEarnedOfItsSiteWithinTheLimitsAndSaysNoMoreThanTheyAskFor) {
  ASSERT_TRUE(open(rules_by_entries()));
  EXPECT_FALSE(entries.earned(kPromotion, SiteId{2}, {.visitor = 1}, kOpens));
  EXPECT_FALSE(entries.earned(PromotionId{2}, kSite, {.visitor = 1}, kOpens));
  const Entrant who{.visitor = 1, .v4_24 = 2, .v6_64 = 3, .v6_56 = 4, .v6_48 = 5};
  const auto record = entries.earned(kPromotion, kSite, who, kOpens);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->entrant, (Entrant{.visitor = 1, .v4_24 = 2})) << "no limit asks for the rest";
  EXPECT_EQ(state().entries, 0U) << "asking enters nobody";
}

TEST_F(EntriesTest, OpensAndClosesByItsRules) {
  ASSERT_TRUE(open(rules_by_entries(), kPromotion, kOpens - 1h));
  EXPECT_EQ(enter({.visitor = 1}, kOpens - 1ms), 0U);
  EXPECT_EQ(enter({.visitor = 1}, kOpens), 1U);
  EXPECT_EQ(enter({.visitor = 2}, kCloses - 1ms), 2U);
  EXPECT_EQ(enter({.visitor = 3}, kCloses), 0U);
}

TEST_F(EntriesTest, AfterTheLastWindowNobodyEnters) {
  ASSERT_TRUE(open(rules_by_entries()));
  for (std::uint64_t n = 1; n <= 12; ++n) EXPECT_EQ(enter({.visitor = n}), n);
  EXPECT_EQ(enter({.visitor = 13}), 0U);
  EXPECT_TRUE(state().is_over(kOpens));
  EXPECT_EQ(state().windows_begun(kOpens), 4U);
  EXPECT_EQ(state().window(4, kOpens).last, 12U);
}

TEST_F(EntriesTest, EachWindowOfOneBatchHasItsOwnEntrants) {
  ASSERT_TRUE(open(rules_by_entries()));
  entries.begin();
  for (std::uint64_t n = 0; n < 9; ++n) {
    EXPECT_EQ(enter({.visitor = n % 3 + 1}), n + 1);
    EXPECT_EQ(n % 3 == 2 ? 0U : enter({.visitor = n % 3 + 1}), 0U) << "had theirs";
  }
  entries.take_back();
  EXPECT_TRUE(state().entrants.empty());
  EXPECT_EQ(enter({.visitor = 1}), 1U);
}

// An exact win of an ordinal after which nothing can be won.
TEST_F(EntriesTest, AfterTheLastOrdinalThatWinsNobodyEnters) {
  auto rules = rules_sealed();
  rules.rule = WinRule::exact;
  rules.outside.clear();
  rules.outside_at = {};
  rules.ordinals = {2, 3};
  ASSERT_TRUE(open(rules));
  for (std::uint64_t n = 1; n <= 3; ++n) EXPECT_EQ(enter({.visitor = n}), n);
  EXPECT_EQ(enter({.visitor = 4}), 0U);
}

TEST_F(EntriesTest, WindowsByTimeEndAtTheirMoment) {
  ASSERT_TRUE(open(rules_by_times()));
  EXPECT_EQ(enter({.visitor = 1}, kOpens + 1h - 1ms), 1U);
  EXPECT_EQ(enter({.visitor = 1}, kOpens + 1h - 1ms), 0U);
  EXPECT_FALSE(state().window(1, kOpens + 1h - 1ms).is_over);
  EXPECT_TRUE(state().window(1, kOpens + 1h).is_over) << "whether somebody enters the next or not";
  EXPECT_EQ(state().windows_begun(kOpens + 1h - 1ms), 1U);
  EXPECT_EQ(state().windows_begun(kOpens + 1h), 2U);
  EXPECT_EQ(enter({.visitor = 1}, kOpens + 1h), 2U);
  EXPECT_EQ(enter({.visitor = 2}, kOpens + 1h), 3U);
  ASSERT_TRUE(change(PromotionAct::closed, kOpens + 3h));
  const auto spans = [&](std::uint32_t number) {
    const auto window = state().window(number, kOpens + 3h);
    return std::tuple(window.first, window.last, window.is_over, window.over_at);
  };
  EXPECT_EQ(spans(1), std::tuple(1U, 1U, true, kOpens + 1h));
  EXPECT_EQ(spans(2), std::tuple(2U, 3U, true, kOpens + 2h));
  EXPECT_EQ(spans(3), std::tuple(4U, 3U, true, kOpens + 3h));
  EXPECT_EQ(spans(4), std::tuple(4U, 3U, true, kOpens + 3h)) << "by hand, before its time";
  EXPECT_EQ(enter({.visitor = 3}, kOpens + 3h), 0U);
}

TEST_F(EntriesTest, WhatWasNotWrittenIsTakenBackWhole) {
  for (const auto& rules : {rules_by_entries(), rules_by_times()}) {
    entries = Entries();
    ASSERT_TRUE(open(rules));
    entries.begin();
    enter({.visitor = 1, .v4_24 = 10});
    enter({.visitor = 2, .v4_24 = 10});
    ASSERT_TRUE(claim(1, 1));
    EXPECT_EQ(*state().shown, 0U) << "nothing is shown that is not durable";
    entries.publish();
    EXPECT_EQ(*state().shown, 2U);
    const auto before = all_of(state());
    // Over no, one and two ends of windows, with claims and without.
    for (const std::uint64_t more : {0U, 1U, 4U, 7U}) {
      entries.begin();
      EXPECT_TRUE(claim(2, 2));
      for (std::uint64_t n = 1; n <= more; ++n) {
        EXPECT_NE(enter({.visitor = 2 + n, .v4_24 = 20 + n}, kOpens + n * 30min), 0U) << n;
      }
      entries.take_back();
      EXPECT_EQ(all_of(state()), before) << more;
      EXPECT_EQ(*state().shown, 2U);
      EXPECT_EQ(enter({.visitor = 1, .v4_24 = 11}), 0U) << "who entered is still known";
      EXPECT_EQ(enter({.visitor = 3, .v4_24 = 10}), 0U);
    }
    entries.begin();
    entries.take_back();
    EXPECT_EQ(all_of(state()), before);
  }
}

TEST_F(EntriesTest, APageHasOnePromotionAtATime) {
  auto first = rules_by_entries();
  first.pages = {"/a/*"};
  const auto may = [&](std::string name, std::vector<std::string> pages, UnixTime at = kOpens,
                       SiteId site = kSite) {
    auto rules = rules_by_entries();
    rules.name = std::move(name);
    rules.pages = std::move(pages);
    rules.closes = kCloses + 1h;
    const auto answer = check_opening(entries, site, rules, at);
    return answer ? "yes" : answer.error().code == Code::conflict ? "conflict" : "invalid";
  };
  ASSERT_TRUE(open(first));
  EXPECT_STREQ(may("other", {"/a/b"}), "conflict");
  EXPECT_STREQ(may("other", {}), "conflict") << "every page";
  EXPECT_STREQ(may("other", {"/b"}), "yes");
  EXPECT_STREQ(may("other", {"/a/b"}, kOpens, SiteId{2}), "yes");
  EXPECT_STREQ(may("launch", {"/c"}), "conflict") << "a name is used once";
  EXPECT_STREQ(may("other", {"/a/b"}, kCloses - 1ms), "conflict");
  EXPECT_STREQ(may("other", {"/a/b"}, kCloses), "yes");
  EXPECT_STREQ(may("other", {"/b"}, kCloses + 1h), "invalid") << "it would be over";
  EXPECT_STREQ(may("Other", {"/b"}), "invalid");
  ASSERT_TRUE(change(PromotionAct::paused, kOpens));
  EXPECT_STREQ(may("other", {"/a/b"}), "conflict") << "it may go on";
  ASSERT_TRUE(change(PromotionAct::closed, kOpens));
  EXPECT_STREQ(may("other", {"/a/b"}), "yes");
}

TEST_F(EntriesTest, ChangesFollowEachOther) {
  ASSERT_TRUE(open(rules_by_entries()));
  EXPECT_FALSE(change(PromotionAct::resumed, kOpens));
  EXPECT_FALSE(change(PromotionAct::revealed, kCloses + 2h, "7")) << "it is not sealed";
  EXPECT_TRUE(change(PromotionAct::paused, kOpens));
  EXPECT_FALSE(change(PromotionAct::paused, kOpens));
  EXPECT_EQ(enter({.visitor = 1}), 0U);
  EXPECT_TRUE(entries.table(kOpens).running.empty());
  EXPECT_FALSE(change(PromotionAct::resumed, kCloses)) << "it is over";
  EXPECT_TRUE(change(PromotionAct::resumed, kCloses - 1ms));
  EXPECT_FALSE(change(PromotionAct::paused, kCloses)) << "it is over";
  EXPECT_EQ(entries.table(kCloses - 1ms).running.size(), 1U);
  EXPECT_TRUE(entries.table(kCloses).running.empty());
  EXPECT_TRUE(change(PromotionAct::closed, kOpens + 1h));
  EXPECT_EQ(state().closed_at, kOpens + 1h);
  EXPECT_FALSE(change(PromotionAct::closed, kOpens + 1h));
  EXPECT_FALSE(change(PromotionAct::resumed, kOpens + 1h));
  EXPECT_EQ(enter({.visitor = 1}), 0U);
}

TEST_F(EntriesTest, ASealedOneHasItsValueOnceItIsOverAndCanBeKnown) {
  ASSERT_TRUE(open(rules_sealed()));
  EXPECT_FALSE(change(PromotionAct::revealed, kCloses - 1ms, "3 17")) << "it takes entries still";
  ASSERT_TRUE(change(PromotionAct::closed, kOpens + 1h));
  EXPECT_FALSE(change(PromotionAct::revealed, kCloses + 1h - 1ms, "3 17")) << "not known yet";
  const auto known = kCloses + 1h;
  EXPECT_FALSE(change(PromotionAct::revealed, known, ""));
  EXPECT_FALSE(change(PromotionAct::revealed, known, "3\n17"));
  EXPECT_FALSE(change(PromotionAct::revealed, known, "3\x7f"));
  EXPECT_FALSE(change(PromotionAct::revealed, known, "\xff 17"));
  EXPECT_FALSE(change(PromotionAct::revealed, known, std::string(kOutsideBytesMax + 1, '7')));
  EXPECT_TRUE(check_change(
      state(), {kPromotion, PromotionAct::revealed, kSite, std::string(kOutsideBytesMax, '7')},
      known));
  EXPECT_TRUE(change(PromotionAct::revealed, known, "3 17 \xc3\xa4"));
  EXPECT_FALSE(change(PromotionAct::revealed, known, "4 18")) << "it has one";
  EXPECT_EQ(state().outside, "3 17 \xc3\xa4");
  EXPECT_EQ(state().revealed_at, known);
}

}  // namespace
}  // namespace nando
