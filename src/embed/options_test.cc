// What a badge's query may say: texts, colors, counts, and docs/reference/badge.md's tables.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "embed/badge_options.h"

namespace nando {
namespace {

// The text, or the refusal's word.
std::string read(std::string_view text) {
  const auto read = BadgeText::read(text);
  if (const auto* refusal = std::get_if<BadgeRefusal>(&read)) return std::string(name_of(*refusal));
  return std::get<BadgeText>(read).text();
}

TEST(BadgeText, IsCleanedAndTrimmed) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", ""},
      {"hits", "hits"},
      {"  a  b  ", "a  b"},
      {"\t\r\na\nb\n", "ab"},
      {std::string("a\0b", 3), "ab"},
      {"\x1b[31mred\x7f", "[31mred"},
      {"a\xc2\x85\xc2\x9f"
       "b\xc2\xa0",
       "ab"},
      {"a\xef\xbf\xbe\xef\xbf\xbf"
       "b",
       "ab"},
      {"a\xef\xbf\xbd", "a\xef\xbf\xbd"},
      {"\x01 \x02 a \x03 ", "a"},
      {"\n\n", ""},
      {"\xe3\x80\x80", ""},
  };
  for (const auto& [sent, kept] : rows) EXPECT_EQ(read(sent), kept) << sent;
}

TEST(BadgeText, WhatIsNoUtf8IsRefused) {
  for (const auto* text : {"\x80", "a\xff", "\xc0\x80", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf",
                           "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80",
                           "\xe2\x82", "\xe2\x82z", "\xf0\x9f\x94", "\xc3"}) {
    EXPECT_EQ(read(text), "not_utf8") << text;
  }
  for (const auto* text : {"\xc2\xa1", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbd"}) {
    EXPECT_EQ(read(text), text);
  }
}

TEST(BadgeText, AtTheLimitItStandsAndOneByteMoreIsRefused) {
  const std::string full(kBadgeTextBytesMax, 'x');
  EXPECT_EQ(read(full), full);
  EXPECT_EQ(read(full + "x"), "text_too_long");
  EXPECT_EQ(read(std::string(kBadgeTextBytesMax + 1, ' ')), "text_too_long");
}

TEST(BadgeText, IsAsWideAsItsCharacters) {
  EXPECT_EQ(BadgeText::ours("m").width(), 10.7);
  EXPECT_EQ(BadgeText::ours("\xf4\x8f\xbf\xbd").width(), 10.7)
      << "an unknown one is as wide as an m";
  EXPECT_EQ(BadgeText::ours("\xe2\x81\xa0").width(), 0) << "a word joiner has no width";
  EXPECT_EQ(BadgeText::ours("i7").width(), BadgeText::ours("i").width() + 6.99);
}

TEST(Color, IsANameOrHex) {
  const std::vector<std::pair<std::string_view, std::string_view>> rows = {
      {"blue", "#007ec6"}, {"inactive", "#939393"},
      {"4b0", "#4b0"},     {"#4b0", "#4b0"},
      {"ABC", "#abc"},     {"#007EC6", "#007ec6"},
      {"aF09", ""},        {"", ""},
      {"#", ""},           {"12", ""},
      {"12345", ""},       {"1234567", ""},
      {"Blue", ""},        {"blu", ""},
      {"rgb(1,2,3)", ""},  {"##abc", ""},
      {"ggg", ""},         {" abc", ""},
      {"\"/><", ""},       {"url(#s)", ""},
  };
  for (const auto& [text, svg] : rows) {
    const auto color = Color::read(text);
    EXPECT_EQ(color ? color->svg() : "", svg) << text;
  }
}

TEST(CountText, SaysEveryDigitOrThree) {
  struct Row {
    std::uint64_t count;
    std::string_view full;
    std::string_view compact;
  };
  const std::vector<Row> rows = {
      {0, "0", "0"},
      {7, "7", "7"},
      {999, "999", "999"},
      {1'000, "1,000", "1k"},
      {1'049, "1,049", "1k"},
      {1'099, "1,099", "1k"},
      {1'100, "1,100", "1.1k"},
      {9'999, "9,999", "9.9k"},
      {10'000, "10,000", "10k"},
      {12'345, "12,345", "12.3k"},
      {99'999, "99,999", "99.9k"},
      {100'900, "100,900", "100k"},
      {999'999, "999,999", "999k"},
      {1'000'000, "1,000,000", "1M"},
      {1'250'000'000, "1,250,000,000", "1.2G"},
      {5'000'000'000'000, "5,000,000,000,000", "5T"},
      {1'000'000'000'000'000, "1,000,000,000,000,000", "1P"},
      {std::numeric_limits<std::uint64_t>::max(), "18,446,744,073,709,551,615", "18.4E"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(count_text(row.count, CountFormat::full), row.full);
    EXPECT_EQ(count_text(row.count, CountFormat::compact), row.compact);
  }
}

struct OptionRow {
  std::string_view name;
  std::string value;
  std::string_view refusal;
  bool (*holds)(const BadgeOptions& options);
};
const OptionRow kOptionRows[] = {
    {"label", "visits", "", [](const auto& o) { return o.label_or_default().text() == "visits"; }},
    {"label", "", "", [](const auto& o) { return o.label_or_default().empty(); }},
    {"label", "\xff", "not_utf8",
     [](const auto& o) { return o.label_or_default().text() == "hits"; }},
    {"label", std::string(kBadgeTextBytesMax + 1, 'x'), "text_too_long",
     [](const auto& o) { return o.label_or_default().text() == "hits"; }},
    {"color", "red", "", [](const auto& o) { return o.color.svg() == "#dd4343"; }},
    {"color", "reddish", "", [](const auto& o) { return o.color.svg() == kBadgeColor.svg(); }},
    {"label_color", "fff", "", [](const auto& o) { return o.label_color->svg() == "#fff"; }},
    {"labelColor", "#FFF", "", [](const auto& o) { return o.label_color->svg() == "#fff"; }},
    {"label_color", "no", "", [](const auto& o) { return !o.label_color; }},
    {"style", "plastic", "", [](const auto& o) { return o.style == BadgeStyle::plastic; }},
    {"style", "social", "", [](const auto& o) { return o.style == BadgeStyle::flat; }},
    {"of", "site", "", [](const auto& o) { return o.of == BadgeOf::site; }},
    {"of", "prize", "", [](const auto& o) { return o.label_or_default().text() == "next prize"; }},
    {"of", "Site", "bad_option", [](const auto& o) { return o.of == BadgeOf::page; }},
    {"of", "", "bad_option", [](const auto& o) { return o.of == BadgeOf::page; }},
    {"format", "short", "", [](const auto& o) { return o.format == CountFormat::compact; }},
    {"format", "long", "", [](const auto& o) { return o.format == CountFormat::full; }},
    {"logo", "github", "", [](const auto& o) { return o.label_or_default().text() == "hits"; }},
};

TEST(BadgeOptions, TakeWhatTheyKnowAndRefuseWhatWouldShowSomethingElse) {
  for (const auto& row : kOptionRows) {
    BadgeOptions options;
    const auto refusal = set_option(options, row.name, row.value);
    EXPECT_EQ(refusal ? name_of(*refusal) : "", row.refusal) << row.name << "=" << row.value;
    EXPECT_TRUE(row.holds(options)) << row.name << "=" << row.value;
  }
}

TEST(BadgeReference, NamesEveryOptionStyleAndColor) {
  std::ostringstream text;
  text << std::ifstream(std::filesystem::path(__FILE__).parent_path() /
                        "../../docs/reference/badge.md")
              .rdbuf();
  const auto names = [&](std::string_view word) {
    return text.str().find("`" + std::string(word) + "`") != std::string::npos;
  };
  for (const auto& row : kOptionRows)
    EXPECT_TRUE(row.name == "logo" || names(row.name)) << row.name;
  for (const auto& color : Color::kNames) EXPECT_TRUE(names(color.name)) << color.name;
  for (const auto style : kBadgeStyleNames) EXPECT_TRUE(names(style)) << style;
  for (const auto of : kBadgeOfNames) EXPECT_TRUE(names(of)) << of;
  for (const auto format : kCountFormatNames) EXPECT_TRUE(names(format)) << format;
}

}  // namespace
}  // namespace nando
