// The table of doors and agents: what records.md and docs/reference/bots.md print, row by row.
#include "model/counting.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace nando {
namespace {

template <class Answer>
std::string word(Answer answer) {
  return answer == Answer::yes ? "yes" : "no";
}

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

}  // namespace
}  // namespace nando
