#include "model/promotion.h"

#include <gtest/gtest.h>

#include <functional>

namespace nando {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr UnixTime kOpens{hours{24 * 365 * 50}};

Hash256 hash_of(int number) {
  return {static_cast<std::byte>(number)};
}

Promotion instant() {
  Promotion rules;
  rules.name = "launch";
  rules.host = "example.com";
  rules.opens = kOpens;
  rules.closes = kOpens + hours{48};
  rules.window_entries = 1'000;
  rules.window_count = 100;
  rules.commitment = hash_of(7);
  rules.says = "A mug, and our thanks";
  rules.stock = 3;
  rules.claim_within = hours{24 * 7};
  return rules;
}

Promotion by_day() {
  auto rules = instant();
  rules.windows = WindowKind::times;
  rules.window_entries = 0;
  rules.window_count = 2;
  rules.window_ends = {kOpens + hours{24}, rules.closes};
  rules.winners = 2;
  return rules;
}

Promotion every() {
  auto rules = instant();
  rules.rule = WinRule::every;
  rules.commitment = {};
  return rules;
}

Promotion exact() {
  auto rules = every();
  rules.rule = WinRule::exact;
  rules.windows = WindowKind::whole;
  rules.window_entries = 0;
  rules.window_count = 1;
  rules.ordinals = {1, 10, 10'000};
  return rules;
}

Promotion sealed() {
  auto rules = exact();
  rules.rule = WinRule::sealed;
  rules.ordinals = {};
  rules.winners = 5;
  rules.outside = "The six numbers of the lottery, rising, with spaces = between";
  rules.outside_at = rules.closes + milliseconds{1};
  return rules;
}

std::vector<Promotion> of_each_kind() {
  auto with_codes = every();
  with_codes.prize = PrizeKind::code;
  with_codes.codes_hash = hash_of(9);
  with_codes.pages = {"/", "/launch", "/blog/*"};
  with_codes.limits = {0, 0, 0, 0, 0xffffffff};
  auto with_link = sealed();
  with_link.prize = PrizeKind::link;
  with_link.says = "https://example.com/surprise?a=b";
  return {instant(), by_day(), every(), exact(), sealed(), with_codes, with_link};
}

std::string problem(const Promotion& rules) {
  const auto checked = check_rules(rules);
  if (checked) return "";
  EXPECT_EQ(checked.error().code, Code::invalid);
  return checked.error().message;
}

TEST(Promotion, RulesAreReadBackAsTheyWereWritten) {
  for (const auto& rules : of_each_kind()) {
    ASSERT_EQ(problem(rules), "");
    const auto read = parse_rules(rules_text(rules));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, rules) << rules_text(rules);
  }
}

// The format's own example: what was published must be read for ever.
TEST(Promotion, RulesTextIsWhatTheFormatSays) {
  auto rules = by_day();
  rules.pages = {"/launch", "/blog/*"};
  EXPECT_EQ(rules_text(rules),
            "rules=1\nname=launch\nhost=example.com\npage=/launch\npage=/blog/*\n"
            "opens=2019-12-20T00:00:00.000Z\ncloses=2019-12-22T00:00:00.000Z\nrule=instant\n"
            "windows=times\nwindow_end=2019-12-21T00:00:00.000Z\n"
            "window_end=2019-12-22T00:00:00.000Z\nwinners=2\ncommitment=07" +
                std::string(62, '0') +
                "\nvisitor=1\nipv4_24=10\nipv6_64=3\nipv6_56=10\nipv6_48=30\nprize=text\n"
                "says=A mug, and our thanks\nstock=3\nclaim_within_ms=604800000\n");
}

// One text, one value: no second text is read as the same rules, and none that is not rules.
TEST(Promotion, AnyOtherTextIsRefusedOrIsOtherRules) {
  for (const auto& rules : of_each_kind()) {
    const auto text = rules_text(rules);
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (const char c : std::string_view("\n=0 aZ/*\x80")) {
        if (text[i] == c) continue;
        auto other = text;
        other[i] = c;
        const auto read = parse_rules(other);
        if (!read) continue;
        EXPECT_NE(*read, rules) << other;
        EXPECT_EQ(rules_text(*read), other);
      }
      EXPECT_FALSE(parse_rules(text.substr(0, i))) << i;
    }
    EXPECT_FALSE(parse_rules(text + "\n"));
    EXPECT_FALSE(parse_rules(text + "stock=3\n"));
  }
}

TEST(Promotion, ARefusedTextIsToldByItsLine) {
  struct Row {
    std::string_view from, to, says;
  };
  constexpr std::array kRows = {
      Row{"rules=1", "rules=2", "line 1 of the rules: this program reads rules=1 only"},
      Row{"name=", "nome=", "line 2 of the rules: a line 'name=...' belongs here"},
      Row{"stock=3\n", "", "line 19 of the rules: a line 'stock=...' belongs here"},
      Row{"opens=2", "opens=x", "line 4 of the rules: opens is no time"},
      Row{"opens=2019-12-20T00:00:00.000Z", "opens=2019-12-20T00:00:00Z",
          "line 4 of the rules: it is not spelled as rules are"},
      Row{"stock=3", "stock=03", "line 19 of the rules: it is not spelled as rules are"},
      Row{"stock=3", "stock=4294967296", "line 19 of the rules: stock is no number of its size"},
      Row{"stock=3", "stock=-3", "line 19 of the rules: stock is no number"},
      Row{"stock=3", "stock=0", "stock must be 1 to 100000, not 0"},
      Row{"rule=instant", "rule=raffle", "line 6 of the rules: rule has no such value"},
      Row{"commitment=07", "commitment=0", "line 11 of the rules: commitment is not 64 hex digits"},
      Row{"commitment=07", "commitment=0A", "line 11 of the rules: it is not spelled as rules are"},
      Row{"=604800000\n", "=604800000\nmore=1\n", "line 21 of the rules: nothing belongs here"},
  };
  const auto text = rules_text(instant());
  for (const auto& row : kRows) {
    auto other = text;
    other.replace(text.find(row.from), row.from.size(), row.to);
    const auto read = parse_rules(other);
    ASSERT_FALSE(read) << row.to;
    EXPECT_EQ(read.error().code, Code::invalid);
    EXPECT_NE(read.error().message.find(row.says), std::string::npos) << read.error().message;
  }
}

struct Fault {
  Promotion (*from)();
  std::function<void(Promotion&)> spoil;
  std::string_view says;  // Empty: it is no fault, but the last before one.
};

void check_faults(const std::vector<Fault>& faults) {
  for (std::size_t i = 0; i < faults.size(); ++i) {
    auto rules = faults[i].from();
    faults[i].spoil(rules);
    const auto said = problem(rules);
    EXPECT_EQ(said.empty(), faults[i].says.empty()) << "row " << i << ": " << said;
    EXPECT_NE(said.find(faults[i].says), std::string::npos) << "row " << i << ": " << said;
    const auto read = parse_rules(rules_text(rules));
    EXPECT_EQ(read && *read == rules, said.empty()) << "row " << i;
  }
}

TEST(Promotion, NamesPagesAndTimesHaveTheirLimits) {
  check_faults({
      {instant, [](auto& p) { p.name = ""; }, "the name must be"},
      {instant, [](auto& p) { p.name.assign(64, 'a'); }, ""},
      {instant, [](auto& p) { p.name.assign(65, 'a'); }, "the name must be"},
      {instant, [](auto& p) { p.name = "-a"; }, "the name must be"},
      {instant, [](auto& p) { p.name = "Launch"; }, "the name must be"},
      {instant, [](auto& p) { p.name = "a\nb"; }, "the name must be"},
      {instant, [](auto& p) { p.host = ""; }, "is no site's host"},
      {instant, [](auto& p) { p.host.assign(253, 'a'); }, ""},
      {instant, [](auto& p) { p.host.assign(254, 'a'); }, "is no site's host"},
      {instant, [](auto& p) { p.host = "a/b"; }, "is no site's host"},
      {instant, [](auto& p) { p.pages = {"/*"}; }, ""},
      {instant, [](auto& p) { p.pages = {"launch"}; }, "is no page"},
      {instant, [](auto& p) { p.pages = {"/a?b"}; }, "is no page"},
      {instant, [](auto& p) { p.pages = {"/a*"}; }, "is no page"},
      {instant, [](auto& p) { p.pages = {"/*/*"}; }, "is no page"},
      {instant, [](auto& p) { p.pages = {"/a\n"}; }, "is no page"},
      {instant, [](auto& p) { p.pages = {"/caf\u00e9"}; }, "is no page"},
      {instant,
       [](auto& p) {
         p.pages = {"/a", "/b", "/a"};
       },
       "'/a' is there twice"},
      {instant, [](auto& p) { p.pages = {"/" + std::string(399, 'a')}; }, ""},
      {instant, [](auto& p) { p.pages = {"/" + std::string(400, 'a')}; }, "is no page"},
      {instant, [](auto& p) { p.opens = UnixTime{}; }, ""},
      {instant, [](auto& p) { p.opens = UnixTime{milliseconds{-1}}; }, "between 1970 and 9999"},
      {instant, [](auto& p) { p.closes = UnixTime{milliseconds{253'402'300'799'999}}; }, ""},
      {instant, [](auto& p) { p.closes = UnixTime{milliseconds{253'402'300'800'000}}; },
       "between 1970 and 9999"},
      {instant, [](auto& p) { p.closes = p.opens + milliseconds{1}; }, ""},
      {instant, [](auto& p) { p.closes = p.opens; }, "must open before"},
      {instant, [](auto& p) { p.claim_within = minutes{1}; }, ""},
      {instant, [](auto& p) { p.claim_within = minutes{1} - milliseconds{1}; }, "claim_within"},
      {instant, [](auto& p) { p.claim_within = hours{24 * 3660}; }, ""},
      {instant, [](auto& p) { p.claim_within = hours{24 * 3660} + milliseconds{1}; },
       "claim_within"},
  });
  auto rules = instant();
  for (std::size_t i = 0; i < kPromotionPagesMax; ++i)
    rules.pages.push_back("/" + std::to_string(i));
  EXPECT_EQ(problem(rules), "");
  rules.pages.push_back("/more");
  EXPECT_NE(problem(rules).find("more than 100 pages"), std::string::npos);
}

TEST(Promotion, WindowsHaveTheirLimits) {
  check_faults({
      {instant, [](auto& p) { p.window_entries = 0; }, "the entries of a window must be 1 to"},
      {instant, [](auto& p) { p.window_entries = 1; }, ""},
      {instant, [](auto& p) { p.window_entries = kWindowEntriesMax + 1; }, "entries of a window"},
      {instant, [](auto& p) { p.window_count = 0; }, "the windows must be 1 to 100000"},
      {instant, [](auto& p) { p.window_entries = 100, p.window_count = 100'000; }, ""},
      {instant, [](auto& p) { p.window_entries = 1, p.window_count = 100'001; }, "the windows"},
      {instant, [](auto& p) { p.window_entries = 10'000'000, p.window_count = 1; }, ""},
      {instant, [](auto& p) { p.window_entries = 10'000'001, p.window_count = 1; },
       "windows times entries must not be over 10000000"},
      {instant, [](auto& p) { p.winners = 0; }, "winners must be 1 to 1000"},
      {instant, [](auto& p) { p.winners = 1'000; }, ""},
      {instant, [](auto& p) { p.winners = 1'001, p.window_entries = 2'000; }, "winners must be"},
      {instant, [](auto& p) { p.window_entries = 10, p.winners = 10; }, ""},
      {instant, [](auto& p) { p.window_entries = 10, p.winners = 11; },
       "a window of 10 entries cannot have 11 winners"},
      {instant, [](auto& p) { p.commitment = {}; }, "has a commitment"},
      {instant, [](auto& p) { p.windows = WindowKind::whole; }, "has no windows of the kind whole"},
      {instant, [](auto& p) { p.ordinals = {1}; }, "only the rule exact"},
      {instant, [](auto& p) { p.window_ends = {p.closes}; }, "only windows by times"},
      {every, [](auto& p) { p.commitment = hash_of(1); }, "no other rule has one"},
      {every, [](auto& p) { p.winners = 2; }, "winners must be 1 to 1,"},
      {every, [](auto& p) { p.windows = WindowKind::times; }, "no windows of the kind times"},
      {every, [](auto& p) { p.outside = "a"; }, "only the rule sealed"},
      {by_day, [](auto& p) { p.window_ends = {}; }, "1 to 1000 windows, not 0"},
      {by_day, [](auto& p) { p.window_ends.front() = p.opens; }, "must end after"},
      {by_day, [](auto& p) { p.window_ends.front() = p.opens + milliseconds{1}; }, ""},
      {by_day, [](auto& p) { p.window_ends.front() = p.closes; }, "must end after"},
      {by_day, [](auto& p) { p.window_ends.back() -= milliseconds{1}; }, "the last window must"},
      {by_day, [](auto& p) { p.window_entries = 1; }, "only windows by entries"},
  });
  auto rules = by_day();
  rules.window_count = 3;
  EXPECT_NE(problem(rules).find("each window must have an end"), std::string::npos);
  rules.window_ends.clear();
  for (std::size_t i = 1; i <= kWindowEndsMax; ++i) {
    rules.window_ends.push_back(rules.opens + minutes{i});
  }
  rules.window_count = kWindowEndsMax;
  rules.closes = rules.window_ends.back();
  EXPECT_EQ(problem(rules), "");
  EXPECT_TRUE(parse_rules(rules_text(rules)));
  rules.closes += minutes{1};
  rules.window_ends.push_back(rules.closes);
  ++rules.window_count;
  EXPECT_NE(problem(rules).find("1 to 1000 windows, not 1001"), std::string::npos);
}

TEST(Promotion, OrdinalsAndOutsideValuesHaveTheirLimits) {
  check_faults({
      {exact, [](auto& p) { p.ordinals = {}; }, "needs 1 to 1000 ordinals"},
      {exact, [](auto& p) { p.ordinals = {0}; }, "an ordinal must be 1 to 10000000, not 0"},
      {exact, [](auto& p) { p.ordinals = {10'000'000}; }, ""},
      {exact, [](auto& p) { p.ordinals = {10'000'001}; }, "an ordinal must be"},
      {exact,
       [](auto& p) {
         p.ordinals = {5, 5};
       },
       "ordinals must rise, and 5 comes after 5"},
      {exact,
       [](auto& p) {
         p.ordinals = {6, 5};
       },
       "ordinals must rise"},
      {exact, [](auto& p) { p.window_count = 2; }, "the rule exact has one window"},
      {exact, [](auto& p) { p.winners = 3; }, "winners must be 1 to 1,"},
      {sealed, [](auto& p) { p.outside = ""; }, "the outside value is missing"},
      {sealed, [](auto& p) { p.outside.assign(500, 'a'); }, ""},
      {sealed, [](auto& p) { p.outside.assign(501, 'a'); }, "longer than 500 bytes"},
      {sealed, [](auto& p) { p.outside = "a\nstock=9"; }, "it must be one line"},
      {sealed, [](auto& p) { p.outside_at = p.closes; }, "outside_at must be after"},
      {sealed, [](auto& p) { p.commitment = hash_of(1); }, "no other rule has one"},
      {sealed, [](auto& p) { p.winners = 1'001; }, "winners must be 1 to 1000"},
  });
  auto rules = exact();
  rules.ordinals.clear();
  for (std::uint64_t i = 1; i <= kPromotionOrdinalsMax; ++i) rules.ordinals.push_back(i);
  EXPECT_EQ(problem(rules), "");
  rules.ordinals.push_back(5'000);
  EXPECT_NE(problem(rules).find("needs 1 to 1000 ordinals"), std::string::npos);
}

TEST(Promotion, PrizesHaveTheirLimits) {
  check_faults({
      {instant, [](auto& p) { p.stock = 0; }, "stock must be 1 to 100000, not 0"},
      {instant, [](auto& p) { p.stock = 100'000; }, ""},
      {instant, [](auto& p) { p.stock = 100'001; }, "stock must be"},
      {instant, [](auto& p) { p.says = ""; }, "what the prize says is missing"},
      {instant, [](auto& p) { p.says.assign(2'000, 'a'); }, ""},
      {instant, [](auto& p) { p.says.assign(2'001, 'a'); }, "longer than 2000 bytes"},
      {instant, [](auto& p) { p.says = "one\ntwo"; }, "it must be one line"},
      {instant, [](auto& p) { p.says = "one\x7f"; }, "control character"},
      {instant, [](auto& p) { p.says = "\xff"; }, "is not UTF-8"},
      {instant, [](auto& p) { p.says = "Ein Becher f\u00fcr dich"; }, ""},
      {instant, [](auto& p) { p.prize = PrizeKind::link; }, "an http or https URL"},
      {instant, [](auto& p) { p.prize = PrizeKind::link, p.says = "https://"; }, "https URL"},
      {instant, [](auto& p) { p.prize = PrizeKind::link, p.says = "https://a b"; }, "https URL"},
      {instant, [](auto& p) { p.prize = PrizeKind::link, p.says = "javascript://a"; }, "https URL"},
      {instant, [](auto& p) { p.prize = PrizeKind::link, p.says = "http://a"; }, ""},
      {instant, [](auto& p) { p.prize = PrizeKind::code; }, "has codes"},
      {instant, [](auto& p) { p.codes_hash = hash_of(1); }, "no other has"},
  });
}

TEST(Promotion, ATextThatFitsNoRecordIsRefused) {
  auto rules = by_day();
  for (std::size_t i = 0; i < 65; ++i) {
    rules.pages.push_back("/" + std::to_string(i) + std::string(380, 'a'));
  }
  rules.window_ends.clear();
  for (int i = 1; i <= 600; ++i) rules.window_ends.push_back(rules.opens + minutes{i});
  rules.window_count = 600;
  rules.closes = rules.window_ends.back();
  rules.says.clear();
  const auto size = rules_text(rules).size();
  ASSERT_LT(size, kRulesTextBytesMax);
  ASSERT_GT(size + kPrizeTextBytesMax, kRulesTextBytesMax);
  rules.says.assign(kRulesTextBytesMax - size, 'a');
  EXPECT_EQ(problem(rules), "");
  EXPECT_TRUE(parse_rules(rules_text(rules)));
  rules.says += 'a';
  EXPECT_NE(problem(rules).find("longer than 49152 bytes as text"), std::string::npos);
  EXPECT_FALSE(parse_rules(rules_text(rules)));
}

TEST(Promotion, CoversThePagesItNames) {
  auto rules = instant();
  EXPECT_TRUE(covers(rules, "/whatever"));
  rules.pages = {"/launch", "/blog/*"};
  for (const auto* const path : {"/launch", "/blog/", "/blog/a", "/blog/a/b"}) {
    EXPECT_TRUE(covers(rules, path)) << path;
  }
  for (const auto* const path :
       {"", "/", "/launch/", "/launcher", "/blog", "/blogs/a", "/a/blog/"}) {
    EXPECT_FALSE(covers(rules, path)) << path;
  }
  rules.pages = {"/*"};
  EXPECT_TRUE(covers(rules, "/"));
}

TEST(Promotion, TwoOverlapWhereSomePageIsOfBoth) {
  struct Row {
    std::vector<std::string> one, other;
    bool share;
  };
  const std::vector<Row> rows = {
      {{}, {"/a"}, true},          {{"/a"}, {"/a"}, true},
      {{"/a"}, {"/b"}, false},     {{"/a/*"}, {"/a/b"}, true},
      {{"/a/*"}, {"/a"}, false},   {{"/a/*"}, {"/a/b/*"}, true},
      {{"/a/*"}, {"/b/*"}, false}, {{"/a/*"}, {"/ab/*"}, false},
      {{"/*"}, {"/x"}, true},      {{"/x", "/a"}, {"/b", "/a"}, true},
  };
  for (const auto& row : rows) {
    auto one = instant();
    auto other = instant();
    one.pages = row.one;
    other.pages = row.other;
    EXPECT_EQ(overlap(one, other), row.share);
    EXPECT_EQ(overlap(other, one), row.share);
    other.host = "example.org";
    EXPECT_FALSE(overlap(one, other));
  }
}

TEST(Promotion, HasNoEntryThatCouldNotWin) {
  EXPECT_EQ(entries_max(instant()), 100'000);
  EXPECT_EQ(entries_max(every()), 100'000);
  EXPECT_EQ(entries_max(exact()), 10'000);
  EXPECT_EQ(entries_max(by_day()), kEntriesMax);
  EXPECT_EQ(entries_max(sealed()), kEntriesMax);
}

TEST(PromotionTable, FindsWhatCoversAPageByItsPath) {
  auto launch = instant();
  launch.pages = {"/launch", "/b/*"};
  PromotionTable table;
  table.running = {{{1}, {7}, std::make_shared<const Promotion>(launch)},
                   {{2}, {8}, std::make_shared<const Promotion>(instant())}};
  const auto found = [&](std::uint32_t site, std::string_view page) -> std::uint32_t {
    const auto* const covering = table.covering({site}, page);
    return covering == nullptr ? 0 : covering->id.value;
  };
  EXPECT_EQ(found(7, "example.com/launch"), 1);
  EXPECT_EQ(found(7, "example.com/launch?a=/b/c"), 1);
  EXPECT_EQ(found(7, "[::1]/b/c?x"), 1);
  EXPECT_EQ(found(7, "example.com/"), 0);
  EXPECT_EQ(found(7, "example.com/?/launch"), 0);
  EXPECT_EQ(found(7, "example.com"), 0);
  EXPECT_EQ(found(8, "example.com/launch"), 2);
  EXPECT_EQ(found(9, "example.com/launch"), 0);
}

}  // namespace
}  // namespace nando
