// Badge: a label and a message side by side, as the badges of READMEs are. Value in, SVG out.
//
// Promise
//   - The SVG is that of badge-maker 6.0.0 for the same values, byte for byte: the same widths, so
//     that ours stand in one row with others. What differs is decided before: texts are cleaned
//     (badge_text.h), and of colors only names and hex are known (color.h).
//   - It is well-formed XML, refers to nothing outside, and has no script, style or link in it.
//   - Who cannot see it is told: role="img", <title> and aria-label say "label: message".
#pragma once

#include <array>
#include <optional>
#include <string>

#include "embed/badge_text.h"
#include "embed/color.h"
#include "model/names.h"

namespace nando {

enum class BadgeStyle : std::uint8_t { flat, flat_square, plastic };
inline constexpr std::array<std::string_view, 3> kBadgeStyleNames = {"flat", "flat-square",
                                                                     "plastic"};

// White is read better on it than on badge-maker's own default, a bright green.
inline constexpr Color kBadgeColor = *Color::read("blue");
inline constexpr Color kBadgeLabelColor = *Color::read("grey");
inline constexpr Color kBadgeRefusedColor = *Color::read("lightgrey");

struct Badge {
  BadgeText label;  // Empty: no left part, unless it has a color.
  BadgeText message;
  Color color = kBadgeColor;
  std::optional<Color> label_color;  // Nothing: kBadgeLabelColor.
  BadgeStyle style = BadgeStyle::flat;
};

void append_badge(std::string& to, const Badge& badge);

}  // namespace nando
