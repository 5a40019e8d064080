// Badges against badge-maker's own, and against what anybody may choose.
#include "embed/badge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "embed/test_xml.h"

namespace nando {
namespace {

// A row of tests/badges/badge_maker.tsv.
struct Drawn {
  Badge badge;
  std::string label;  // As it was sent.
  std::string svg;
};

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> found(1);
  for (const char c : line) {
    if (c == '\t') {
      found.emplace_back();
    } else {
      found.back() += c;
    }
  }
  return found;
}

std::ifstream corpus(std::string_view name) {
  const auto project = std::filesystem::path(__FILE__).parent_path() / "../..";
  return std::ifstream(project / "tests/badges" / name);
}

std::vector<Drawn> rows() {
  auto file = corpus("badge_maker.tsv");
  std::vector<Drawn> all;
  for (std::string line; std::getline(file, line);) {
    const auto cell = cells(line);
    EXPECT_EQ(cell.size(), 6U) << line;
    Drawn drawn{.label = cell.at(1), .svg = cell.at(5)};
    drawn.badge.style = enum_from<BadgeStyle>(kBadgeStyleNames, cell.at(0)).value();
    drawn.badge.label = BadgeText::ours(cell.at(1));
    drawn.badge.color = Color::read(cell.at(2)).value();
    if (cell.at(3) != "-") drawn.badge.label_color = Color::read(cell.at(3)).value();
    drawn.badge.message = BadgeText::ours(cell.at(4));
    all.push_back(std::move(drawn));
  }
  return all;
}

std::string draw(const Badge& badge) {
  std::string svg;
  append_badge(svg, badge);
  return svg;
}

TEST(Badge, IsTheOneThatBadgeMakerDrawsByteForByte) {
  const auto all = rows();
  EXPECT_GE(all.size(), 240U);
  std::map<BadgeStyle, std::size_t> styles;
  for (const auto& row : all) {
    ++styles[row.badge.style];
    EXPECT_EQ(draw(row.badge), row.svg) << "label: " << row.label;
  }
  EXPECT_EQ(styles.size(), kBadgeStyleNames.size());
}

std::string utf8(char32_t c) {
  const auto byte = [&](int shift, unsigned mark) {
    return static_cast<char>(mark | (c >> shift & (mark == 0x80 ? 0x3f : 0xff)));
  };
  if (c < 0x80) return {byte(0, 0)};
  if (c < 0x800) return {byte(6, 0xc0), byte(0, 0x80)};
  if (c < 0x10000) return {byte(12, 0xe0), byte(6, 0x80), byte(0, 0x80)};
  return {byte(18, 0xf0), byte(12, 0x80), byte(6, 0x80), byte(0, 0x80)};
}

// Between two others, so that a space stays.
std::uint64_t hundredths(char32_t c) {
  if (c >= 0xd800 && c < 0xe000) return 0;
  const auto both = BadgeText::ours("mm").width();
  const auto all = BadgeText::ours("m" + utf8(c) + "m").width();
  return static_cast<std::uint64_t>(std::llround(100 * (all - both)));
}

TEST(Badge, EveryCharacterIsAsWideAsAnafanafoSays) {
  constexpr char32_t kRowSize = 4096;
  auto file = corpus("widths.tsv");
  char32_t first = 0;
  for (std::uint64_t row = 0, wanted = 0; file >> row >> wanted; first += kRowSize) {
    ASSERT_EQ(row, first);
    std::uint64_t sum = 0;
    for (char32_t i = 0; i < kRowSize; ++i) sum += (i + 1) * hundredths(first + i);
    EXPECT_EQ(sum, wanted) << "from " << row;
  }
  EXPECT_EQ(first, 0x110000U);
}

TEST(Badge, EveryColorThatIsNamedIsAmongThem) {
  const auto all = rows();
  for (const auto& named : Color::kNames) {
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& row) {
      return row.badge.color.svg() == "#" + std::string(named.hex);
    })) << named.name;
  }
}

TEST(Badge, DarkAndLightTextAreAmongThemOnBothSidesOfTheLimit) {
  EXPECT_FALSE(Color::read("b1b1b1")->is_light());
  EXPECT_TRUE(Color::read("b2b2b2")->is_light());
  std::size_t dark = 0;
  for (const auto& row : rows()) dark += row.svg.find("#333") != std::string::npos;
  EXPECT_GT(dark, 20U);
}

TEST(Badge, IsAppended) {
  std::string text = "before";
  append_badge(text, {.message = BadgeText::ours("1")});
  EXPECT_TRUE(text.starts_with("before<svg "));
}

const std::vector<std::string> kHostile = {
    "</text><script>document.title=1</script>",
    "\" onload=\"alert(1)",
    "' onload='alert(1)",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "]]><script/>",
    "<!--",
    "<?xml-stylesheet href=\"//evil.example\"?>",
    "<!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>&x;",
    "<image href=\"//evil.example/\"/>",
    "<style>@import '//evil.example'</style>",
    "<a href=\"javascript:alert(1)\">",
    "\xe2\x80\xa8<b>",
};

TEST(Badge, NoLabelChangesItsShape) {
  for (std::size_t style = 0; style < kBadgeStyleNames.size(); ++style) {
    Badge badge{.label = BadgeText::ours("hits"),
                .message = BadgeText::ours("1"),
                .style = static_cast<BadgeStyle>(style)};
    const auto plain = BadgeXmlReader(draw(badge)).read();
    ASSERT_TRUE(plain);
    for (const auto& hostile : kHostile) {
      badge.label = BadgeText::ours(hostile);
      const auto read = BadgeXmlReader(draw(badge)).read();
      ASSERT_TRUE(read) << hostile;
      EXPECT_EQ(read->shape, plain->shape) << hostile;
      EXPECT_EQ(read->texts.at(0), badge.label.text() + ": 1");
      EXPECT_EQ(read->texts.at(1), badge.label.text() + ": 1");
      EXPECT_EQ(read->texts.at(2), badge.label.text());
    }
  }
}

TEST(BadgeXml, WhatIsNoBadgeIsSeen) {
  for (const auto* bad : {"",
                          "x",
                          "<svg>",
                          "<svg></g>",
                          "<svg/><svg/>",
                          "<script/>",
                          "<svg onload=\"x\"/>",
                          "<svg width=1/>",
                          "<svg width=\"<\"/>",
                          "<svg>text</svg>",
                          "<text>&x;</text>",
                          "<text>a & b</text>",
                          "<text>></text>",
                          "<text>\"</text>",
                          "<text>'</text>",
                          "<text>\x01</text>",
                          "<text><script/></text>",
                          "<!-- --><svg/>",
                          "<svg width=\"1\" width>",
                          "<svg style=\"x\"/>",
                          "<a href=\"x\"/>"}) {
    EXPECT_FALSE(BadgeXmlReader(bad).read()) << bad;
  }
  EXPECT_TRUE(BadgeXmlReader("<svg width=\"1\"><text>a&amp;b</text></svg>").read());
}

}  // namespace
}  // namespace nando
