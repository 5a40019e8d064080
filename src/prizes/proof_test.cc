#include "prizes/proof.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "prizes/test_proof.h"

namespace nando {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::string_view kOutside = "3 7 12 19 33 41";

std::vector<std::string> words(const Proof& proof, const Evidence& evidence = {}) {
  std::vector<std::string> found;
  for (const auto& each : check_proof(proof, evidence)) found.emplace_back(name_of(each.fault));
  return found;
}

using Words = std::vector<std::string>;

NextEntry from(const SimulatedPromotion& promotion) {
  auto text = std::make_shared<std::istringstream>(promotion.entries_file());
  auto file = std::make_shared<EntriesFile>(*text);
  return [text, file] { return file->next(); };
}

SimulatedPromotion entered(Promotion rules, std::uint64_t entries) {
  SimulatedPromotion promotion(std::move(rules));
  promotion.enter_many(entries);
  return promotion;
}

TEST(Proof, HoldsOfEveryRuleAndAtEveryMoment) {
  struct Row {
    Promotion rules;
    std::uint64_t entries;
  };
  const std::vector<Row> rows = {
      {test_promotion(), 0},
      {test_promotion(), 1},
      {test_promotion(), 10},
      {test_promotion(), 137},
      {test_promotion(), 200},
      {test_promotion_by_day(10), 137},
      {test_promotion_by_day(10), 3},
      {test_promotion_by_day(1), 0},
      {test_promotion(WinRule::every), 0},
      {test_promotion(WinRule::every), 137},
      {test_promotion(WinRule::exact), 137},
      {test_promotion(WinRule::exact), 0},
      {test_promotion(WinRule::sealed), 137},
      {test_promotion(WinRule::sealed), 0},
  };
  for (const auto& row : rows) {
    const auto promotion = entered(row.rules, row.entries);
    const auto& rules = promotion.rules();
    ASSERT_TRUE(check_rules(rules)) << check_rules(rules).error().message;
    EXPECT_EQ(words(promotion.published_at_end(), {from(promotion), {}}), Words()) << row.entries;
    const auto before_the_end = rules.closes - milliseconds{1};
    EXPECT_EQ(words(promotion.published(before_the_end), {from(promotion), {}}), Words());
    if (rules.rule == WinRule::sealed) {
      const auto revealed = promotion.published(rules.outside_at, std::string(kOutside));
      EXPECT_EQ(words(revealed, {from(promotion), {}}), Words());
      EXPECT_EQ(revealed.windows[0].winners.size(), std::min<std::uint64_t>(2, row.entries));
    }
  }
}

struct Flaw {
  std::string_view word;
  std::function<void(Proof&)> spoil;
};

// Each row of a control: the proof holds, and with one thing changed it is told which.
void check_flaws(const Proof& proof, const std::vector<Flaw>& flaws,
                 const Evidence& evidence = {}) {
  for (std::size_t i = 0; i < flaws.size(); ++i) {
    auto other = proof;
    flaws[i].spoil(other);
    const auto found = words(other, evidence);
    ASSERT_FALSE(found.empty()) << "row " << i << ", " << flaws[i].word;
    EXPECT_NE(std::ranges::find(found, flaws[i].word), found.end())
        << "row " << i << ": " << found.front() << ", not " << flaws[i].word;
  }
}

void flip(Hash256& hash) {
  hash[5] ^= std::byte{1};
}

TEST(Proof, OneThatIsWrongAboutAnythingIsToldWhat) {
  const auto promotion = entered(test_promotion(), 137);
  const auto proof = promotion.published_at_end();
  ASSERT_EQ(words(proof), Words());
  check_flaws(
      proof, {
                 {"bad_rules", [](auto& p) { p.rules += "\n"; }},
                 {"wrong_name", [](auto& p) { p.promotion = "other"; }},
                 {"wrong_stock", [](auto& p) { p.stock = 41; }},
                 {"wrong_stock", [](auto& p) { p.claimed = 41; }},
                 {"wrong_entries", [](auto& p) { p.entries = 201; }},
                 {"wrong_window", [](auto& p) { p.windows[3].window = 5; }},
                 {"wrong_window", [](auto& p) { p.windows[3].span.first = 30; }},
                 {"wrong_window", [](auto& p) { p.windows[3].span.last = 39; }},
                 {"wrong_window", [](auto& p) { p.entries = 136; }},
                 {"wrong_window", [](auto& p) { p.windows.erase(p.windows.begin() + 3); }},
                 {"missing_window", [](auto& p) { p.windows.pop_back(); }},
                 {"early_window",
                  [](auto& p) { p.status = PromotionStatus::running, p.as_of -= milliseconds{1}; }},
                 {"wrong_seed", [](auto& p) { flip(*p.windows[13].seed); }},
                 {"wrong_seed", [](auto& p) { p.windows[0].seed.reset(); }},
                 {"wrong_seed", [](auto& p) { std::swap(p.windows[0].seed, p.windows[1].seed); }},
                 {"wrong_winners", [](auto& p) { ++p.windows[5].winners[0]; }},
                 {"wrong_winners", [](auto& p) { p.windows[5].winners.pop_back(); }},
                 {"wrong_winners", [](auto& p) { p.windows[5].winners.push_back(60); }},
                 {"wrong_head", [](auto& p) { flip(p.head); }},
                 {"wrong_head", [](auto& p) { flip(p.windows.back().head); }},
                 {"wrong_outside", [](auto& p) { p.outside = "7"; }},
                 {"wrong_statement", [](auto& p) { p.id = {8}; }},
                 {"wrong_statement", [](auto& p) { p.statement->message[0] = std::byte{'n'}; }},
                 {"bad_signature", [](auto& p) { p.statement->message[30] ^= std::byte{1}; }},
                 {"bad_signature", [](auto& p) { p.statement->signature[63] ^= std::byte{1}; }},
                 {"bad_signature", [](auto& p) { p.statement->key[3] ^= std::byte{1}; }},
             });
}

TEST(Proof, RulesThatWereChangedAfterwardsAreNotThoseThatWereSigned) {
  const auto promotion = entered(test_promotion(), 137);
  auto proof = promotion.published_at_end();
  proof.rules.replace(proof.rules.find("stock=40"), 8, "stock=41");
  proof.stock = 41;
  EXPECT_EQ(words(proof), Words({"wrong_statement"}));
  EXPECT_EQ(words(proof, {from(promotion), {}}).back(), "wrong_head");
}

TEST(Proof, ASeedOfAWindowThatNobodyEnteredStaysUntold) {
  const SeedChain seeds(kTestMaster, 20);
  auto proof = entered(test_promotion(), 140).published_at_end();
  ASSERT_EQ(words(proof), Words());
  proof.windows.push_back({15, {141, 140}, proof.head, seeds.seed(15), {}});
  EXPECT_EQ(words(proof), Words({"early_window"}));
}

TEST(Proof, ASeedToldTooEarlyIsFound) {
  const auto promotion = entered(test_promotion_by_day(10), 137);
  const auto now = kTestOpens + hours{24 * 4};
  auto proof = promotion.published(now);
  ASSERT_EQ(proof.windows.size(), 4);
  ASSERT_EQ(words(proof), Words()) << "at this very moment the fourth is over";
  proof.as_of -= milliseconds{1};
  EXPECT_EQ(words(proof), Words({"early_window"}));
  proof.as_of = kTestOpens + hours{24 * 5};
  EXPECT_EQ(words(proof), Words({"missing_window"}));
}

TEST(Proof, ASealedDrawIsDrawnOnlyWhenItsValueIsKnown) {
  const auto promotion = entered(test_promotion(WinRule::sealed), 137);
  const auto known = promotion.rules().outside_at;
  const auto proof = promotion.published(known, std::string(kOutside));
  ASSERT_EQ(words(proof), Words());
  check_flaws(proof, {
                         {"wrong_outside", [](auto& p) { p.as_of -= milliseconds{1}; }},
                         {"wrong_winners", [](auto& p) { p.outside = "3 7 12 19 33 42"; }},
                         {"wrong_winners", [](auto& p) { p.outside.reset(); }},
                         {"wrong_winners", [](auto& p) { p.windows[0].winners.clear(); }},
                         {"wrong_seed", [](auto& p) { p.windows[0].seed.emplace(); }},
                         {"missing_window", [](auto& p) { p.windows.clear(); }},
                     });
}

TEST(Proof, AnOrdinalThatNobodyReachedWinsNothing) {
  const auto promotion = entered(test_promotion(WinRule::exact), 89);
  auto proof = promotion.published_at_end();
  EXPECT_EQ(proof.windows[0].winners, (std::vector<std::uint64_t>{1, 7}));
  proof.windows[0].winners.push_back(90);
  EXPECT_EQ(words(proof), Words({"wrong_winners"}));
}

TEST(Proof, IsHeldAgainstTheKeyThatIsAskedFor) {
  const auto promotion = entered(test_promotion(), 10);
  auto proof = promotion.published_at_end();
  EXPECT_EQ(words(proof, {{}, SigningKey(kTestMaster).public_key()}), Words());
  const SigningKey other(Key256{});
  EXPECT_EQ(words(proof, {{}, other.public_key()}), Words({"foreign_key"}));
  proof.statement = sign(promotion.statement(), other);
  EXPECT_EQ(words(proof), Words()) << "it does not say whose key it is";
  proof.statement.reset();
  EXPECT_EQ(words(proof), Words());
}

TEST(Proof, EntriesThatAreNotTheSignedOnesAreFound) {
  for (const auto& rules : {test_promotion(), test_promotion_by_day(10)}) {
    const auto honest = entered(rules, 137);
    const auto proof = honest.published_at_end();
    const auto with = [&](auto&& spoil) {
      auto other = honest;
      spoil(other.entries());
      return words(proof, {from(other), {}});
    };
    ASSERT_EQ(with([](auto&) {}), Words());
    EXPECT_EQ(with([](auto& e) {
                e.push_back({138, e.back().committed, {}, {}});
              }),
              Words())
        << "the promotion went on";
    EXPECT_EQ(with([](auto& e) { e.pop_back(); }), Words({"wrong_entry"}));
    EXPECT_EQ(with([](auto& e) { e[5].entry = 7; }), Words({"wrong_entry"}));
    EXPECT_EQ(with([](auto& e) { std::swap(e[5], e[6]); }), Words({"wrong_entry"}));
    EXPECT_EQ(with([](auto& e) { e[5].id_digest[0] ^= std::byte{1}; }).front(), "wrong_head");
    EXPECT_EQ(with([](auto& e) { e[136].secret_hash[0] ^= std::byte{1}; }).front(), "wrong_head");
    EXPECT_EQ(with([](auto& e) { e[5].committed += milliseconds{1}; }).front(), "wrong_head");
    EXPECT_EQ(with([](auto& e) { e[0].committed -= milliseconds{1}; }).front(), "wrong_entry");
    EXPECT_EQ(with([](auto& e) { e[5].committed = e[4].committed - milliseconds{1}; }).front(),
              "wrong_entry");
    EXPECT_EQ(with([&](auto& e) { e[136].committed = rules.closes; }).front(), "wrong_entry");
  }
}

// Heads hold, but a window's end was moved so that another entry is its last.
TEST(Proof, AWindowMustHoldTheEntriesOfItsTime) {
  auto promotion = entered(test_promotion_by_day(2), 20);
  auto shifted = promotion.entries();
  const auto middle = promotion.rules().window_ends[0];
  SimulatedPromotion other(promotion.rules());
  for (const auto& entry : shifted) {
    other.enter(entry.committed < middle ? entry.committed : std::max(entry.committed, middle));
  }
  ASSERT_EQ(words(other.published_at_end(), {from(other), {}}), Words());
  auto proof = other.published_at_end();
  ASSERT_EQ(proof.windows[0].span, (WindowSpan{1, 10}));
  SimulatedPromotion nine(promotion.rules());
  for (std::size_t i = 0; i < 20; ++i) {
    nine.enter(i == 9 ? middle : shifted[i].committed);
  }
  auto moved = nine.published_at_end();
  ASSERT_EQ(moved.windows[0].span, (WindowSpan{1, 9}));
  const auto& rules = promotion.rules();
  moved.windows[0] =
      prove_window(rules, 1, {1, 10}, moved.windows[0].head, moved.windows[0].seed, {});
  moved.windows[1] =
      prove_window(rules, 2, {11, 20}, moved.windows[1].head, moved.windows[1].seed, {});
  EXPECT_EQ(words(moved), Words()) << "without the entries nobody can tell";
  const auto found = words(moved, {from(nine), {}});
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front(), "wrong_window");
}

// A statement of another moment, signed all the same.
TEST(Proof, WhatIsSignedIsWhatIsTold) {
  const auto promotion = entered(test_promotion(), 137);
  auto proof = promotion.published_at_end();
  for (const auto& spoil : std::vector<std::function<void(Statement&)>>{
           [](auto& s) { ++s.entries; }, [](auto& s) { flip(s.head); },
           [](auto& s) { flip(s.rules_hash); }, [](auto& s) { ++s.promotion.value; }}) {
    auto statement = promotion.statement();
    spoil(statement);
    proof.statement = sign(statement, SigningKey(kTestMaster));
    EXPECT_EQ(words(proof), Words({"wrong_statement"}));
  }
}

TEST(Proof, EveryHeadIsHeldAgainstTheEntries) {
  const auto promotion = entered(test_promotion_by_day(10), 137);
  const auto running = promotion.rules().closes - milliseconds{1};
  for (const std::size_t window : {0, 4, 8}) {
    auto proof = promotion.published(running);
    flip(proof.windows[window].head);
    EXPECT_EQ(words(proof), Words()) << "without the entries nobody can tell";
    EXPECT_EQ(words(proof, {from(promotion), {}}), Words({"wrong_head"}));
  }
  auto proof = promotion.published(running);
  auto statement = promotion.statement();
  flip(proof.head);
  flip(statement.head);
  proof.statement = sign(statement, SigningKey(kTestMaster));
  EXPECT_EQ(words(proof), Words()) << "nor here";
  EXPECT_EQ(words(proof, {from(promotion), {}}), Words({"wrong_head"}));
}

TEST(Proof, AWindowThatNobodyEnteredHasTheHeadBeforeIt) {
  const auto promotion = entered(test_promotion_by_day(10), 3);
  const auto proof = promotion.published_at_end();
  ASSERT_EQ(proof.windows[1].span.entries(), 0);
  check_flaws(proof, {{"wrong_head", [](auto& p) { flip(p.windows[1].head); }},
                      {"wrong_head", [](auto& p) { flip(p.windows[9].head); }}});
}

TEST(Proof, TellsSoMuchAndNoMore) {
  auto rules = test_promotion();
  rules.window_entries = 1;
  rules.winners = 1;
  rules.window_count = 200;
  auto proof = entered(rules, 200).published_at_end();
  for (auto& window : proof.windows) window.winners.clear();
  proof.statement->signature = {};
  EXPECT_EQ(check_proof(proof).size(), kContradictionsMax);
}

TEST(Statement, IsReadBackAndNothingElseIs) {
  const auto statement = entered(test_promotion(), 3).statement();
  const auto bytes = encode(statement);
  EXPECT_EQ(decode_statement(bytes), statement);
  EXPECT_EQ(to_hex(Bytes(bytes).first(4)), "4e445301");
  EXPECT_FALSE(decode_statement(Bytes(bytes).first(143)));
  auto longer = Buffer(bytes.begin(), bytes.end());
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_statement(longer));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto other = bytes;
    other[i] ^= std::byte{1};
    const auto read = decode_statement(other);
    EXPECT_EQ(read.has_value(), i >= 4);
    if (read) {
      EXPECT_NE(*read, statement) << i;
    }
  }
}

Result<std::optional<EntryLink>> first_of(std::string text) {
  std::istringstream in(std::move(text));
  return EntriesFile(in).next();
}

TEST(EntriesFile, IsReadBackAsItWasWritten) {
  const auto promotion = entered(test_promotion(), 50);
  for (const std::string_view end : {"\n", "\r\n"}) {
    std::string text;
    for (const char c : promotion.entries_file()) text += c == '\n' ? end : std::string_view(&c, 1);
    if (end == "\n") text.pop_back();
    std::istringstream in(text);
    EntriesFile file(in);
    auto copy = promotion;
    for (const auto& entry : copy.entries()) EXPECT_EQ(file.next().value(), entry);
    EXPECT_EQ(file.next().value(), std::nullopt);
    EXPECT_EQ(file.next().value(), std::nullopt);
  }
}

TEST(EntriesFile, ALineThatIsNoneIsToldOf) {
  const auto header = std::string(kEntriesHeader) + "\n";
  const std::string hash(32, '0');
  ASSERT_TRUE(first_of(header + "1,2," + hash + "," + hash));
  EXPECT_EQ(first_of(header).value(), std::nullopt);
  for (const auto& line :
       {std::string("1"), "1,2," + hash, "1,2," + hash + "," + hash + ",", "1,2,," + hash,
        "x,2," + hash + "," + hash, "1,2.5," + hash + "," + hash, "-1,2," + hash + "," + hash,
        "1,2," + hash.substr(2) + "," + hash, "1,2," + hash + "00," + hash, std::string("")}) {
    const auto read = first_of(header + line + "\n");
    ASSERT_FALSE(read) << line;
    EXPECT_EQ(read.error().message, "line 2 of the entries file is none");
  }
  EXPECT_EQ(first_of("entry\n").error().code, Code::invalid);
  EXPECT_EQ(first_of("").error().message, "the entries file is empty");
}

}  // namespace
}  // namespace nando
