#include "base/entropy.h"

#include <gtest/gtest.h>

#include <set>

namespace nando {
namespace {

TEST(Entropy, TheSystemsNeverRepeats) {
  SystemEntropy entropy;
  std::set<std::array<std::byte, 16>> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(entropy.take<16>()).second);
}

TEST(Entropy, ASeedRepeatsAndAnotherDoesNot) {
  SeededEntropy one(1);
  SeededEntropy same(1);
  SeededEntropy other(2);
  const auto taken = one.take<32>();
  EXPECT_EQ(same.take<32>(), taken);
  EXPECT_NE(other.take<32>(), taken);
}

// SplitMix64's published first value for seed 1234567.
TEST(Entropy, TheSeededOneIsSplitMix64) {
  EXPECT_EQ(SeededEntropy(1234567).next(), 6457827717110365317U);
}

TEST(Entropy, BelowStaysBelowAndReachesAll) {
  SeededEntropy chance(3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(chance.below(7));
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace nando
