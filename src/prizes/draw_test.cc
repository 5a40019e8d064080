#include "prizes/draw.h"

#include <gtest/gtest.h>

#include <set>

#include "prizes/entry_chain.h"
#include "prizes/seed_chain.h"
#include "prizes/winners.h"

namespace nando {
namespace {

using std::chrono::milliseconds;
using Ordinals = std::vector<std::uint64_t>;

template <std::size_t n>
std::array<std::byte, n> counting(int from = 0) {
  std::array<std::byte, n> bytes{};
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(from + static_cast<int>(i));
  return bytes;
}

Hash256 seed_of(std::uint64_t number) {
  std::byte bytes[sizeof number];
  store(bytes, number);
  return sha256(bytes);
}

// Known answers were computed with Python's hashlib from the formulas alone.
TEST(Draw, HasItsKnownAnswers) {
  const auto seed = counting<32>();
  EXPECT_EQ(draw(seed, 1, 1), Ordinals({1}));
  EXPECT_EQ(draw(seed, 1'000, 1), Ordinals({786}));
  EXPECT_EQ(draw(seed, 1'000, 5), Ordinals({17, 20, 202, 609, 786}));
  EXPECT_EQ(draw(seed, 1'000'000'000, 3), Ordinals({279'156'786, 517'836'202, 526'442'609}));
  EXPECT_EQ(draw(seed, 100, 20),
            Ordinals({1, 2, 3, 9, 13, 16, 17, 20, 22, 28, 41, 42, 44, 52, 55, 72, 74, 78, 86, 94}));
}

// Here nearly every other word is one to be passed over.
TEST(Draw, PassesOverTheWordsOfTheRemainder) {
  EXPECT_EQ(draw(counting<32>(), 9'223'372'036'854'775'809ULL, 4),
            Ordinals({3'032'868'458'517'836'202, 3'321'016'245'736'108'478,
                      6'270'051'656'918'711'020, 7'291'882'220'307'728'703}));
}

TEST(Draw, HasNoMoreWinnersThanEntries) {
  const auto seed = counting<32>();
  EXPECT_EQ(draw(seed, 3, 9), Ordinals({1, 2, 3}));
  EXPECT_EQ(draw(seed, 7, 7), Ordinals({1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(draw(seed, 0, 1), Ordinals());
  EXPECT_EQ(draw(seed, 5, 0), Ordinals());
}

TEST(Draw, WinnersAreDistinctAndRise) {
  for (std::uint64_t number = 0; number < 200; ++number) {
    const auto winners = draw(seed_of(number), 1 + number * 7, number);
    EXPECT_EQ(winners.size(), std::min(number, 1 + number * 7));
    for (std::size_t i = 0; i < winners.size(); ++i) {
      EXPECT_GE(winners[i], 1);
      EXPECT_LE(winners[i], 1 + number * 7);
      if (i > 0) {
        EXPECT_LT(winners[i - 1], winners[i]);
      }
    }
  }
}

template <class Position>
std::vector<int> count_all_words(unsigned n, const Position& position) {
  std::vector<int> counts(n + 1);
  for (unsigned word = 0; word < 256; ++word) {
    if (const auto at = position(static_cast<std::uint8_t>(word))) ++counts[*at];
  }
  return counts;
}

// With words of 8 bits all of them can be tried: each position must come from as many words as any
// other, and no more words are passed over than must be.
TEST(Draw, EveryPositionComesFromAsManyWords) {
  for (unsigned n = 1; n < 256; ++n) {
    const auto counts = count_all_words(
        n, [&](std::uint8_t word) { return position_of(word, static_cast<std::uint8_t>(n)); });
    EXPECT_EQ(counts[0], 0);
    for (unsigned at = 1; at <= n; ++at) EXPECT_EQ(counts[at], static_cast<int>(256 / n)) << n;
  }
  // The control: a word taken modulo n as it comes makes the first positions likelier.
  const auto biased = count_all_words(100, [](std::uint8_t word) {
    return std::optional<std::uint8_t>(static_cast<std::uint8_t>(1 + word % 100));
  });
  EXPECT_EQ(biased[1], 3);
  EXPECT_EQ(biased[100], 2);
}

TEST(Draw, TheLimitOfWordsIsExact) {
  constexpr std::uint64_t kLast = ~std::uint64_t{0};
  EXPECT_EQ(position_of(kLast, std::uint64_t{1}), 1);
  EXPECT_EQ(position_of(kLast, std::uint64_t{1} << 63), std::uint64_t{1} << 63);
  // 2^64 = 3 * 6148914691236517205 + 1: only the last word is one too many.
  EXPECT_EQ(position_of(kLast, std::uint64_t{3}), std::nullopt);
  EXPECT_EQ(position_of(kLast - 1, std::uint64_t{3}), 3);
  EXPECT_EQ(position_of(kLast, kLast), std::nullopt);
  EXPECT_EQ(position_of(kLast - 1, kLast), kLast);
}

double chi_square(const std::vector<std::uint64_t>& counts) {
  double sum = 0;
  for (const auto count : counts) sum += static_cast<double>(count);
  const auto expected = sum / static_cast<double>(counts.size());
  double distance = 0;
  for (const auto count : counts) {
    const auto off = static_cast<double>(count) - expected;
    distance += off * off / expected;
  }
  return distance;
}

// 99 degrees of freedom: 99 on average, and over 170 (five deviations) once in a million runs; but
// the seeds are fixed.
TEST(Draw, PositionsAreEquallyLikely) {
  constexpr double kFar = 170;
  std::vector<std::uint64_t> alone(100), among_five(100), control(100);
  for (std::uint64_t number = 0; number < 100'000; ++number) {
    const auto seed = seed_of(number);
    ++alone[draw(seed, 100, 1).front() - 1];
    ++control[std::to_integer<unsigned>(seed[0]) % 100];
  }
  for (std::uint64_t number = 0; number < 20'000; ++number) {
    for (const auto winner : draw(seed_of(number), 100, 5)) ++among_five[winner - 1];
  }
  EXPECT_LT(chi_square(alone), kFar);
  EXPECT_LT(chi_square(among_five), kFar);
  EXPECT_GT(chi_square(control), 10 * kFar) << "a byte modulo 100 must be seen to be uneven";
}

TEST(SeedChain, HasItsKnownAnswers) {
  const SeedChain chain(counting<32>(), 5);
  EXPECT_EQ(to_hex(chain.commitment()),
            "4fc78a19f0bc2dc52fbe0935b04d21366fc9156aeefda8cd3473be4d8aaa35c9");
  EXPECT_EQ(to_hex(chain.seed(1)),
            "1e3a9fad19ea66418a027a3a6fe95f73469c38212a8d086dd00d559d87b417c6");
  EXPECT_EQ(to_hex(chain.seed(3)),
            "c8267d3b508528f41bcf36e9d3d3eff0e855c9ce355e4b68c8509f1ee8b10c57");
  EXPECT_EQ(to_hex(chain.seed(5)),
            "8ad0d5931a3408b94ab26be45b912701729febf825ecd7476c3c5d489a748324");
}

TEST(SeedChain, ASeedIsUnderTheCommitmentAndGivesAwayTheOnesBeforeItOnly) {
  const SeedChain chain(counting<32>(1), 100);
  for (std::uint32_t window = 1; window <= 100; ++window) {
    EXPECT_EQ(hash_times(chain.seed(window), window), chain.commitment());
    EXPECT_NE(hash_times(chain.seed(window), window - 1), chain.commitment());
    if (window < 100) {
      EXPECT_EQ(sha256(chain.seed(window + 1)), chain.seed(window));
    }
  }
  EXPECT_EQ(SeedChain(counting<32>(1), 1).seed(1), chain.seed(100));
  EXPECT_DEATH(chain.seed(0), "bug");
  EXPECT_DEATH(chain.seed(101), "bug");
}

TEST(EntryChain, HasItsKnownAnswers) {
  auto link = first_link(sha256(as_bytes("rules")));
  EXPECT_EQ(to_hex(link), "25a08d6fc2b027e35446930877665652125e636a51effb096238d679e7cd268d");
  const UnixTime at{milliseconds{1'795'366'800'000}};
  link = next_link(link, {1, at, counting<16>(), counting<16>(16)});
  EXPECT_EQ(to_hex(link), "1b9eae1421bd6a77956ddeb58b1ae0ef52dd440d3e9a724992ad05ea359b0771");
  link = next_link(link, {2, at + milliseconds{1}, {}, {}});
  EXPECT_EQ(to_hex(link), "3fa84392570bdd73c3569012df82ffa9d0bd2ae5879c30a8b95a1a5ae50ef2ef");
  EXPECT_EQ(to_hex(sealed_seed(link, "3 7 12 19 33 41 \u2713")),
            "a2109f7ca9180cea9a37889ecf37ee6bad59482be4f3ef15178a0e7ed63902e5");
}

TEST(Secret, IsHashedIfAPageCouldHaveMadeIt) {
  const auto hash = hash_secret("abcdefghijklmnop");
  ASSERT_TRUE(hash);
  EXPECT_EQ(to_hex(*hash), "f39dac6cbaba535e2c207cd0cd8f1549");
  EXPECT_FALSE(hash_secret("abcdefghijklmno"));
  EXPECT_TRUE(hash_secret(std::string(55, '_')));
  EXPECT_FALSE(hash_secret(std::string(56, '_')));
  for (const char c : std::string_view("+/= .\n\0\x80", 8)) {
    EXPECT_FALSE(hash_secret("abcdefghijklmnop" + std::string(1, c)));
  }
}

Promotion by_entries(WinRule rule) {
  Promotion rules;
  rules.rule = rule;
  rules.window_entries = 100;
  rules.window_count = 3;
  return rules;
}

TEST(Winners, WindowsByEntriesFollowFromTheOrdinal) {
  const auto rules = by_entries(WinRule::instant);
  EXPECT_EQ(window_of(rules, 1, {}), 1);
  EXPECT_EQ(window_of(rules, 100, {}), 1);
  EXPECT_EQ(window_of(rules, 101, {}), 2);
  EXPECT_EQ(window_of(rules, 300, {}), 3);
  EXPECT_EQ(window_of(rules, 301, {}), 4);
  EXPECT_EQ(window_of(rules, ~std::uint64_t{0}, {}), 4);
  EXPECT_EQ(span_by_entries(rules, 2, 99), (WindowSpan{101, 100}));
  EXPECT_EQ(span_by_entries(rules, 2, 100), (WindowSpan{101, 100}));
  EXPECT_EQ(span_by_entries(rules, 2, 101), (WindowSpan{101, 101}));
  EXPECT_EQ(span_by_entries(rules, 2, 300), (WindowSpan{101, 200}));
}

TEST(Winners, WindowsByTimesFollowFromTheMomentOfTheCommit) {
  Promotion rules;
  rules.windows = WindowKind::times;
  rules.window_ends = {UnixTime{milliseconds{10}}, UnixTime{milliseconds{20}}};
  EXPECT_EQ(window_of(rules, 1, UnixTime{milliseconds{9}}), 1);
  EXPECT_EQ(window_of(rules, 1, UnixTime{milliseconds{10}}), 2);
  EXPECT_EQ(window_of(rules, 1, UnixTime{milliseconds{19}}), 2);
  EXPECT_EQ(window_of(rules, 1, UnixTime{milliseconds{20}}), 3);
  rules.windows = WindowKind::whole;
  EXPECT_EQ(window_of(rules, 1, UnixTime{milliseconds{20}}), 1);
}

TEST(Winners, FollowTheRule) {
  const auto seed = counting<32>();
  auto exact = by_entries(WinRule::exact);
  exact.windows = WindowKind::whole;
  exact.ordinals = {1, 10, 11};
  EXPECT_EQ(winners_of(exact, {1, 0}, seed), Ordinals());
  EXPECT_EQ(winners_of(exact, {1, 10}, seed), Ordinals({1, 10}));
  EXPECT_EQ(winners_of(exact, {1, 5'000}, seed), Ordinals({1, 10, 11}));
  const auto every = by_entries(WinRule::every);
  EXPECT_EQ(winners_of(every, {101, 200}, seed), Ordinals({200}));
  EXPECT_EQ(winners_of(every, {101, 199}, seed), Ordinals());
  auto sealed = by_entries(WinRule::sealed);
  sealed.windows = WindowKind::whole;
  sealed.winners = 5;
  EXPECT_EQ(winners_of(sealed, {1, 1'000}, seed), draw(seed, 1'000, 5));
  EXPECT_EQ(winners_of(sealed, {1, 0}, seed), Ordinals());
}

TEST(Winners, TheNextIsToldWhereSomebodyCouldCountToIt) {
  auto exact = by_entries(WinRule::exact);
  exact.windows = WindowKind::whole;
  exact.ordinals = {1, 10, 11};
  EXPECT_EQ(next_winner(exact, 0), 1U);
  EXPECT_EQ(next_winner(exact, 1), 10U);
  EXPECT_EQ(next_winner(exact, 10), 11U);
  EXPECT_EQ(next_winner(exact, 11), std::nullopt) << "none is left";
  const auto every = by_entries(WinRule::every);
  EXPECT_EQ(next_winner(every, 0), 100U);
  EXPECT_EQ(next_winner(every, 99), 100U);
  EXPECT_EQ(next_winner(every, 100), 200U);
  EXPECT_EQ(next_winner(every, entries_max(every)), std::nullopt);
  for (const auto rule : {WinRule::instant, WinRule::sealed}) {
    EXPECT_EQ(next_winner(by_entries(rule), 5), std::nullopt) << "nobody can tell";
  }
}

// A window by entries that was not filled is drawn as if it had been: a winner's place may be
// empty.
TEST(Winners, APlaceThatNobodyTookWinsNothing) {
  const auto seed = counting<32>();
  auto rules = by_entries(WinRule::instant);
  rules.winners = 20;
  const auto positions = draw(seed, 100, 20);
  Ordinals expected;
  for (const auto position : positions) {
    if (position <= 50) expected.push_back(100 + position);
  }
  EXPECT_EQ(winners_of(rules, {101, 150}, seed), expected);
  auto by_times = rules;
  by_times.windows = WindowKind::times;
  EXPECT_EQ(winners_of(by_times, {101, 150}, seed).size(), 20) << "these are drawn among 50";
}

}  // namespace
}  // namespace nando
