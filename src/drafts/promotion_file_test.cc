#include "drafts/promotion_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "drafts/codes.h"

namespace nando {
namespace {

constexpr std::string_view kFile = R"(name = "launch"
site = "www.example.com"
pages = ["/launch", "/blog/*"]
opens = 2026-12-01T09:00:00
closes = 2026-12-24T18:00:00
claim_within = "2 days"
[win]
rule = "instant"
entries = 1000
windows = 100
winners = 2
[who]
visitor = 0
ipv6_48 = 31
[prize]
kind = "text"
says = "A mug, and our thanks"
stock = 3
)";

Result<Site> find_site(std::string_view host) {
  if (host != "www.example.com") {
    return Error{Code::not_found, "there is no site '" + std::string(host) + "'"};
  }
  Site site;
  site.id = {7};
  site.host = "example.com";
  site.zone = *Zone::find("Europe/Berlin");
  return site;
}

Result<PromotionDraft> parse(std::string text, std::string codes = "A\nB\nC\n") {
  return parse_promotion({"here/p.toml", std::move(text), *parse_time("2026-11-01T00:00:00Z"),
                          find_site, [codes](const std::string& path) -> Result<std::string> {
                            EXPECT_EQ(path, "here/codes.txt");
                            return codes;
                          }});
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string changed(text);
  const auto at = changed.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return changed.replace(at, from.size(), to);
}

Promotion rules_of(const std::string& text) {
  const auto draft = parse(text);
  EXPECT_TRUE(draft) << draft.error().message;
  return draft ? draft->rules : Promotion{};
}

UnixTime at(std::string_view text) {
  return *parse_time(text);
}

TEST(PromotionFile, SaysEverythingThatRulesHold) {
  const auto draft = parse(std::string(kFile));
  ASSERT_TRUE(draft) << draft.error().message;
  EXPECT_EQ(draft->site, SiteId{7});
  Promotion expected;
  expected.name = "launch";
  expected.host = "example.com";
  expected.pages = {"/launch", "/blog/*"};
  expected.opens = at("2026-12-01T08:00:00Z");
  expected.closes = at("2026-12-24T17:00:00Z");
  expected.claim_within = std::chrono::hours{48};
  expected.window_entries = 1'000;
  expected.window_count = 100;
  expected.winners = 2;
  expected.limits = {0, 10, 3, 10, 31};
  expected.says = "A mug, and our thanks";
  expected.stock = 3;
  EXPECT_EQ(draft->rules, expected);
}

TEST(PromotionFile, WhatItNeedNotSayHasADefault) {
  const auto rules = rules_of(
      "name = 'a'\nsite = 'www.example.com'\ncloses = 2026-12-24T18:00:00.5+00:00\n"
      "[win]\nrule = 'instant'\nentries = 20000\n[prize]\nsays = 'b'\n");
  EXPECT_EQ(rules.opens, at("2026-11-01T00:00:00Z"));
  EXPECT_EQ(rules.closes, at("2026-12-24T18:00:00.500Z"));
  EXPECT_EQ(rules.claim_within, std::chrono::hours{24 * 7});
  EXPECT_EQ(rules.window_count, 500) << "as many as a promotion can have entries for";
  EXPECT_EQ(rules.winners, 1);
  EXPECT_EQ(rules.stock, 500);
  EXPECT_EQ(rules.limits, EntryLimits{});
  EXPECT_TRUE(rules.pages.empty());
}

std::string with_win(std::string_view win) {
  return replaced(
      replaced(kFile, "rule = \"instant\"\nentries = 1000\nwindows = 100\nwinners = 2\n", win),
      "stock = 3\n", "");
}

TEST(PromotionFile, EveryRuleHasItsKeys) {
  auto rules = rules_of(with_win("rule = 'exact'\nordinals = [1, 10000]\n"));
  EXPECT_EQ(rules.ordinals, (std::vector<std::uint64_t>{1, 10'000}));
  EXPECT_EQ(rules.windows, WindowKind::whole);
  EXPECT_EQ(rules.stock, 2);

  rules = rules_of(with_win("rule = 'every'\nevery = 100\n"));
  EXPECT_EQ(rules.windows, WindowKind::entries);
  EXPECT_EQ(rules.window_entries, 100);
  EXPECT_EQ(rules.window_count, 1'000);
  EXPECT_EQ(rules.stock, 1'000);

  rules = rules_of(with_win(
      "rule = 'sealed'\nwinners = 5\noutside = 'Six numbers'\noutside_at = 2026-12-24T21:00:00\n"));
  EXPECT_EQ(rules.windows, WindowKind::whole);
  EXPECT_EQ(rules.winners, 5);
  EXPECT_EQ(rules.outside_at, at("2026-12-24T20:00:00Z"));
  EXPECT_EQ(rules.outside, "Six numbers");
  EXPECT_EQ(rules.stock, 5);

  rules = rules_of(with_win("rule = 'instant'\neach = 'week'\n"));
  EXPECT_EQ(rules.windows, WindowKind::times);
  EXPECT_EQ(rules.window_ends, (std::vector{at("2026-12-06T23:00:00Z"), at("2026-12-13T23:00:00Z"),
                                            at("2026-12-20T23:00:00Z"), rules.closes}));
  EXPECT_EQ(rules.window_count, 4);
  EXPECT_EQ(rules.stock, 4);
}

TEST(PromotionFile, CodesComeFromAFileBesideIt) {
  const auto file =
      replaced(replaced(kFile, "\"text\"", "\"code\"\ncodes = \"codes.txt\""), "stock = 3\n", "");
  const auto draft = parse(file);
  ASSERT_TRUE(draft) << draft.error().message;
  EXPECT_EQ(draft->codes, (std::vector<std::string>{"A", "B", "C"}));
  EXPECT_EQ(draft->rules.codes_hash, hash_codes(draft->codes));
  EXPECT_EQ(draft->rules.stock, 3);
  EXPECT_TRUE(parse(file + "stock = 3\n"));
  EXPECT_EQ(parse(file + "stock = 4\n").error().message,
            "here/p.toml:19:9: there are fewer codes than that, 3");
  EXPECT_EQ(parse(file, "A\nB\nA\n").error().message,
            "here/p.toml:17:9: here/codes.txt:3: this code is on line 1 already");
}

struct Row {
  std::string_view from, to, says;
};

void check_problems(std::string_view file, const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    const auto draft = parse(replaced(file, row.from, row.to));
    ASSERT_FALSE(draft) << row.to;
    EXPECT_EQ(draft.error().code, Code::invalid);
    EXPECT_NE(draft.error().message.find(row.says), std::string::npos)
        << draft.error().message << ", not " << row.says;
  }
}

TEST(PromotionFile, WhatIsWrongIsToldWithItsPlace) {
  check_problems(
      kFile,
      {
          {"name = \"launch\"\n", "", "here/p.toml: name is missing"},
          {"name = \"launch\"", "name = launch", "here/p.toml:1:8: "},
          {"name = \"launch\"", "name = 7", "here/p.toml:1:8: name is a text in quotes"},
          {"\"launch\"", "\"Launch\"", "here/p.toml:1:8: the name must be"},
          {"www.example.com", "example.org", "here/p.toml:2:8: there is no site 'example.org'"},
          {"[\"/launch\"", "[7", "here/p.toml:3:9: pages is a list of texts"},
          {"\"/launch\"", "\"launch\"", "here/p.toml:3:9: 'launch' is no page"},
          {"2026-12-01T09:00:00", "2026-12-01", "here/p.toml:4:9: opens is a date and time"},
          {"2026-12-01T09:00:00", "\"2026-12-01T09:00:00\"", "here/p.toml:4:9: opens is a date"},
          {"2026-12-24T18:00:00", "2026-12-01T09:00:00", "here/p.toml:5:10: it closes at"},
          {"closes = 2026-12-24T18:00:00\n", "", "here/p.toml: closes is missing"},
          {"2026-12-24T18:00:00", "2026-13-24T18:00:00", "here/p.toml:5:"},
          {"2 days", "2 weeks", "here/p.toml:6:16: claim_within is so many"},
          {"2 days", "days", "here/p.toml:6:16: claim_within is so many"},
          {"2 days", "0 days", "here/p.toml:6:16: claim_within must be 1 minute to"},
          {"rule = \"instant\"\n", "", "here/p.toml: win.rule is missing"},
          {"instant", "raffle",
           "here/p.toml:8:8: win.rule is one of exact, every, instant, sealed"},
          {"entries = 1000\n", "", "here/p.toml: the rule instant needs one of win.entries"},
          {"entries = 1000", "entries = 0", "here/p.toml:9:11: the entries of a window must be 1"},
          {"entries = 1000", "entries = 1", "here/p.toml:11:11: a window of 1 entries cannot have"},
          {"entries = 1000", "entries = -1", "here/p.toml:9:11: win.entries is a number from 0 to"},
          {"entries = 1000", "entries = 4294967296", "here/p.toml:9:11: win.entries is a number"},
          {"entries = 1000", "entries = 100001", "here/p.toml:10:11: windows times entries"},
          {"windows = 100", "windows = 0", "here/p.toml:10:11: the windows must be 1 to 100000"},
          {"windows = 100", "each = \"day\"", "needs one of win.entries"},
          {"entries = 1000", "each = \"day\"", "here/p.toml:10:11: win.windows does not belong"},
          {"entries = 1000\nwindows = 100", "each = \"month\"",
           "here/p.toml:9:8: win.each is one of hour, day, week"},
          {"winners = 2", "winner = 2",
           "here/p.toml:11:1: there is no key 'win.winner'; did you mean win.winners?"},
          {"winners = 2", "stock = 2",
           "here/p.toml:11:1: there is no key 'win.stock'; did you mean prize.stock?"},
          {"winners = 2", "zzz = 2", "see docs/reference/promotion_file.md"},
          {"winners = 2", "winners = 2.0", "here/p.toml:11:11: win.winners is a whole number"},
          {"winners = 2", "ordinals = [1]",
           "here/p.toml:11:12: win.ordinals does not belong to the rule instant"},
          {"winners = 2", "winners = 1001", "here/p.toml:11:11: winners must be 1 to 1000"},
          {"visitor = 0", "visitor = 4294967296", "here/p.toml:13:11: who.visitor is a number"},
          {"visitor = 0", "visitor = true", "here/p.toml:13:11: who.visitor is a whole number"},
      });
}

TEST(PromotionFile, WhatIsWrongWithAPrizeIsToldWithItsPlace) {
  check_problems(
      kFile,
      {
          {"\"text\"", "\"mug\"", "here/p.toml:16:8: prize.kind is one of text, link, code"},
          {"\"text\"", "\"link\"", "here/p.toml:17:8: a prize that is a link must say"},
          {"\"text\"", "\"code\"", "here/p.toml: prize.codes names a file"},
          {"\"text\"", "\"text\"\ncodes = \"codes.txt\"", "here/p.toml:17:9: prize.codes"},
          {"thanks", "thanks\\nand more", "here/p.toml:17:8: what the prize says has a line"},
          {"says = \"A mug, and our thanks\"\n", "", "here/p.toml: prize.says is missing"},
          {"stock = 3", "stock = 0", "here/p.toml:18:9: stock must be 1 to 100000"},
          {"stock = 3", "stock = 100001", "here/p.toml:18:9: stock must be 1 to 100000"},
          {"[prize]", "[prizes]", "here/p.toml:15:2: there is no key 'prizes'"},
          {"[prize]", "prize = 3\n[who.x]", "here/p.toml:"},
      });
}

TEST(PromotionFile, WhatIsWrongWithOrdinalsAndOutsideValuesIsToldToo) {
  check_problems(with_win("rule = 'exact'\nordinals = [5, 10]\n"),
                 {
                     {"[5, 10]", "[10, 5]", "here/p.toml:9:12: ordinals must rise"},
                     {"[5, 10]", "[0]", "here/p.toml:9:12: an ordinal must be 1 to"},
                     {"[5, 10]", "[-5]", "here/p.toml:9:12: an ordinal must be 1 to"},
                     {"[5, 10]", "[]", "here/p.toml:9:12: the rule exact needs 1 to"},
                     {"[5, 10]", "[5.0]", "here/p.toml:9:12: win.ordinals is a list of whole"},
                     {"ordinals = [5, 10]\n", "", "here/p.toml: the rule exact needs 1 to"},
                     {"ordinals = [5, 10]", "winners = 1", "does not belong to the rule exact"},
                 });
  check_problems(with_win("rule = 'every'\nevery = 100\nwindows = 5\n"),
                 {
                     {"every = 100", "every = 0", "here/p.toml:9:9: the entries of a window must"},
                     {"every = 100\n", "", "here/p.toml: win.every is missing"},
                     {"windows = 5", "windows = 100001", "here/p.toml:10:11: the windows must be"},
                 });
  check_problems(
      with_win("rule = 'sealed'\noutside = 'Six numbers'\noutside_at = 2026-12-24T21:00:00\n"),
      {
          {"2026-12-24T21", "2026-12-24T18", "here/p.toml:10:14: outside_at must be after"},
          {"outside_at = 2026-12-24T21:00:00\n", "", "here/p.toml: win.outside_at is missing"},
          {"outside = 'Six numbers'\n", "", "here/p.toml: the outside value is missing"},
      });
}

TEST(PromotionFile, EveryProblemIsToldAtOnce) {
  const auto draft = parse(replaced(replaced(kFile, "name", "nome"), "closes", "close"));
  ASSERT_FALSE(draft);
  EXPECT_EQ(draft.error().message,
            "here/p.toml:5:1: there is no key 'close'; did you mean closes?\n"
            "here/p.toml:1:1: there is no key 'nome'; did you mean name?");
}

// An hour that clocks do not show, and one that they show twice.
TEST(PromotionFile, LocalTimesAreThoseOfTheSite) {
  auto rules = rules_of(replaced(kFile, "2026-12-24T18:00:00", "2027-03-28T02:30:00"));
  EXPECT_EQ(rules.closes, at("2027-03-28T01:00:00Z"));
  rules = rules_of(replaced(kFile, "2026-12-24T18:00:00", "2027-10-31T02:30:00"));
  EXPECT_EQ(rules.closes, at("2027-10-31T00:30:00Z"));
  rules = rules_of(replaced(kFile, "2026-12-24T18:00:00", "2027-10-31T02:30:00+01:00"));
  EXPECT_EQ(rules.closes, at("2027-10-31T01:30:00Z"));
}

class PromotionFiles : public testing::Test {
 protected:
  PromotionFiles() : folder_(testing::TempDir() + "promotion_files") {
    std::filesystem::create_directories(folder_);
  }
  ~PromotionFiles() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }
  Result<PromotionDraft> load() { return load_promotion(folder_ + "/p.toml", {}, find_site); }

  std::string folder_;
};

TEST_F(PromotionFiles, AreReadWithTheCodesBesideThem) {
  EXPECT_EQ(load().error().code, Code::not_found);
  write("p.toml", replaced(kFile, "\"text\"", "\"code\"\ncodes = \"codes.txt\""));
  EXPECT_NE(load().error().message.find("codes.txt: cannot be read"), std::string::npos);
  write("codes.txt", "A\nB\nC");
  const auto draft = load();
  ASSERT_TRUE(draft) << draft.error().message;
  EXPECT_EQ(draft->codes.size(), 3);
  write("p.toml", std::string(kFile) + std::string(kPromotionFileBytesMax - kFile.size(), '\n'));
  EXPECT_TRUE(load());
  write("p.toml",
        std::string(kFile) + std::string(kPromotionFileBytesMax - kFile.size() + 1, '\n'));
  EXPECT_NE(load().error().message.find("is over 1048576 bytes"), std::string::npos);
}

}  // namespace
}  // namespace nando
