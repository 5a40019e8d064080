// What stands around a hit: the table of doors and agents, and the arena of its text.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "model/counting.h"
#include "model/hit_arena.h"

namespace nando {
namespace {

template <class Answer>
std::string word(Answer answer) {
  return answer == Answer::yes ? "yes" : "no";
}

// As records.md and docs/reference/bots.md print it, row by row.
TEST(Counting, ReferenceHasTheTable) {
  std::string table =
      "| door | agent | counted | visitor and visit | may enter a draw |\n"
      "| --- | --- | --- | --- | --- |\n";
  for (const auto& rule : kCountingRules) {
    table += "| `" + std::string(name_of(rule.door)) + "` | `" + std::string(name_of(rule.agent)) +
             "` | " + word(rule.counted) + " | " + word(rule.visitor) + " | " +
             word(rule.eligible) + " |\n";
  }
  const auto path = std::filesystem::path(__FILE__).parent_path() / "../../docs/reference/bots.md";
  std::ostringstream page;
  page << std::ifstream(path).rdbuf();
  EXPECT_NE(page.str().find("\n\n" + table + "\n"), std::string::npos) << "it should have\n"
                                                                       << table;
}

// The design in words, held against the rows by themselves.
TEST(Counting, PeopleCountEverywhereAndNobodyElseIsAVisitorOrMayWin) {
  for (const auto& rule : kCountingRules) {
    const bool person = rule.agent == AgentClass::person;
    const bool in_page = rule.door == Door::script || rule.door == Door::pixel;
    const bool counted = rule.agent != AgentClass::bot || !in_page;
    EXPECT_EQ(rule.counted == Counted::yes, counted) << name_of(rule.door);
    EXPECT_EQ(rule.visitor == Visitor::yes, person) << name_of(rule.door);
    EXPECT_EQ(rule.eligible == Eligible::yes, person) << name_of(rule.door);
    EXPECT_EQ(is_numbered(HitKind::page_view, rule.door, rule.agent), counted);
    EXPECT_FALSE(is_numbered(HitKind::event, rule.door, rule.agent));
  }
}

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
