// BadgeOptions: what a badge's query may ask for.
#pragma once

#include <optional>

#include "embed/badge.h"
#include "embed/count_text.h"

namespace nando {

enum class CountOf : std::uint8_t { page, site };
inline constexpr std::array<std::string_view, 2> kCountOfNames = {"page", "site"};

struct BadgeOptions {
  BadgeText label = BadgeText::ours("hits");
  Color color = kBadgeColor;
  std::optional<Color> label_color;
  BadgeStyle style = BadgeStyle::flat;
  CountOf of = CountOf::page;
  CountFormat format = CountFormat::full;
};

// Sets the option `name`. A name that is none is passed over, as are looks that nobody knows: a
// badge with a typing error in its color is still read. Where the number or the words are at stake
// it is refused, and `options` is as it was.
std::optional<BadgeRefusal> set_option(BadgeOptions& options, std::string_view name,
                                       std::string_view value);

}  // namespace nando
