#include "model/hit_arena.h"

#include <gtest/gtest.h>

#include <string>

namespace nando {
namespace {

TEST(HitArena, WhatIsKeptOutlivesItsSourceAndNeverMoves) {
  HitArena arena;
  std::vector<std::pair<std::string, std::string_view>> kept;
  for (int i = 0; i < 20'000; ++i) {
    auto text = std::to_string(i) + " a text";
    kept.emplace_back(text, arena.keep(text));
    text.assign(text.size(), '?');
  }
  for (const auto& [expected, text] : kept) ASSERT_EQ(text, expected);
}

TEST(HitArena, ATextMayFillABlockAndMayBeLargerThanOne) {
  HitArena arena;
  constexpr std::size_t kBlockBytes = 16 * 1024;
  for (const auto size :
       {kBlockBytes - 1, std::size_t{1}, kBlockBytes, kBlockBytes + 1, std::size_t{1'000'000}}) {
    const std::string text(size, 'a');
    EXPECT_EQ(arena.keep(text), text);
  }
}

TEST(HitArena, KeepsNothingOfNothing) {
  HitArena arena;
  EXPECT_TRUE(arena.keep("").empty());
  arena.clear();
  EXPECT_TRUE(arena.keep("").empty());
}

TEST(HitArena, AClearedOneUsesItsFirstBlockAgain) {
  HitArena arena;
  const auto* first = arena.keep("first").data();
  arena.keep(std::string(100'000, 'a'));
  arena.clear();
  EXPECT_EQ(arena.keep("again").data(), first);
  const std::string fills(16 * 1024 - 5, 'b');
  EXPECT_EQ(arena.keep(fills).data(), first + 5) << "the block has its whole room back";
}

}  // namespace
}  // namespace nando
