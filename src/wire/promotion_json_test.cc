#include "wire/promotion_json.h"

#include <gtest/gtest.h>

#include "prizes/test_proof.h"

namespace nando {
namespace {

SimulatedPromotion entered(const Promotion& rules) {
  SimulatedPromotion promotion(rules);
  promotion.enter_many(37);
  return promotion;
}

Proof instant_proof() {
  return entered(test_promotion()).published_at_end();
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(PromotionJson, IsReadBackAsItWasWritten) {
  for (const auto rule : {WinRule::instant, WinRule::every, WinRule::exact, WinRule::sealed}) {
    const auto promotion = entered(test_promotion(rule));
    auto proof = promotion.published_at_end();
    if (rule == WinRule::sealed) {
      proof = promotion.published(promotion.rules().outside_at, "7 \"and\" \\ \u2713 9");
    }
    if (rule == WinRule::every) proof.statement.reset();
    const auto read = read_proof(write_proof(proof));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, proof);
    EXPECT_TRUE(check_proof(*read).empty());
  }
  for (std::size_t status = 0; status < kPromotionStatusNames.size(); ++status) {
    auto proof = instant_proof();
    proof.status = static_cast<PromotionStatus>(status);
    EXPECT_EQ(read_proof(write_proof(proof)).value(), proof);
  }
}

// The keys and their order are the API's; others read them.
TEST(PromotionJson, LooksAsTheReferenceSays) {
  SimulatedPromotion promotion(test_promotion(WinRule::every));
  promotion.enter_many(10);
  auto proof = promotion.published_at_end();
  proof.rules = "a\n\"b\"";
  proof.head = proof.windows[0].head = {};
  proof.statement.reset();
  const std::string zeros(64, '0');
  EXPECT_EQ(write_proof(proof),
            R"({"promotion":"launch","id":7,"rules":"a\n\"b\"","status":"closed",)"
            R"("as_of":"2024-12-28T00:00:00.000Z","entries":10,"head":")" +
                zeros + R"(","windows":[{"window":1,"first":1,"last":10,"head":")" + zeros +
                R"(","seed":null,"winners":[10]}],"outside":null,"stock":40,"claimed":1,)"
                R"("signed":null})");
}

TEST(PromotionJson, OrderAndSpaceDoNotMatter) {
  const auto proof = instant_proof();
  auto text = write_proof(proof);
  text =
      replaced(replaced(text, R"("id":7,)", ""), R"("stock":40)", "\n \"id\" : 7 , \"stock\":40");
  EXPECT_EQ(read_proof(text).value(), proof);
}

TEST(PromotionJson, WhatIsNoneIsToldWhere) {
  struct Row {
    std::string_view from, to, says;
  };
  const std::vector<Row> rows = {
      {R"({"promotion")", R"({"promotion)", "this is not JSON"},
      {R"({"promotion":"launch",)", "{", "promotion is missing"},
      {R"("promotion":"launch")", R"("promotion":7)", "promotion is no text"},
      {R"("id":7)", R"("id":"7")", "id is no whole number"},
      {R"("id":7)", R"("id":7.5)", "id is no whole number"},
      {R"("id":7)", R"("id":-7)", "id is no whole number"},
      {R"("id":7)", R"("id":4294967296)", "id is too large"},
      {R"("entries":37)", R"("entries":18446744073709551616)", "entries is no whole number"},
      {R"("status":"closed")", R"("status":"shut")", "status is none of"},
      {R"("as_of":"2024-12-28T00:00:00.000Z")", R"("as_of":"2024-12-28T00:00:00Z")", "as_of is no"},
      {R"("head":")", R"("head":"0)", "head is not 64 hex digits"},
      {R"("windows":[)", R"("windows":["a",)", "windows[0] is no object"},
      {R"("windows":[)", R"("windows":{},"w":[)", "windows is no list"},
      {R"("window":1,)", "", "windows[0].window is missing"},
      {R"("window":2,)", R"("window":2,"more":1,)", "windows[1].more does not belong here"},
      {R"("seed":")", R"("seed":"zz)", "windows[0].seed is not 64 hex digits"},
      {R"("winners":[)", R"("winners":[null,)", "windows[0].winners is no whole number"},
      {R"("outside":null)", R"("outside":7)", "outside is no text"},
      {R"("outside":null,)", "", "outside is missing"},
      {R"("signed":{)", R"("signed":[],"s":{)", "signed is no object"},
      {R"("signature":")", R"("signature":"00)", "signed.signature is not 128 hex digits"},
      {R"("message":")",
       R"("message":")"
       "4E",
       "signed.message is not 288 hex digits"},
      {R"({"promotion")", R"({"proportion":1,"promotion")", "proportion does not belong here"},
  };
  const auto text = write_proof(instant_proof());
  for (const auto& row : rows) {
    const auto read = read_proof(replaced(text, row.from, row.to));
    ASSERT_FALSE(read) << row.to;
    EXPECT_EQ(read.error().code, Code::invalid);
    EXPECT_NE(read.error().message.find(row.says), std::string::npos)
        << read.error().message << ", not " << row.says;
  }
  for (const std::string_view other : {"", "[]", "7", "null", "{}", "{} x"}) {
    EXPECT_FALSE(read_proof(other)) << other;
  }
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(read_proof(std::string_view(text).substr(0, size))) << size;
  }
}

TEST(PromotionJson, UpperCaseAndLengthHaveTheirLimits) {
  auto proof = instant_proof();
  proof.head = {std::byte{0xab}};
  const auto text = write_proof(proof);
  EXPECT_TRUE(read_proof(text));
  EXPECT_FALSE(read_proof(replaced(text, "\"ab", "\"AB")));
  proof.windows[0].winners.assign(kWinnersMax, 1);
  EXPECT_TRUE(read_proof(write_proof(proof)));
  proof.windows[0].winners.push_back(1);
  EXPECT_EQ(read_proof(write_proof(proof)).error().message, "windows[0].winners is too long");
  proof = instant_proof();
  proof.windows.resize(kWindowsMax);
  EXPECT_TRUE(read_proof(write_proof(proof)));
  proof.windows.emplace_back();
  EXPECT_EQ(read_proof(write_proof(proof)).error().message, "windows is too long");
}

}  // namespace
}  // namespace nando
