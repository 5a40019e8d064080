// BadgeOptions: what a badge's query may ask for.
#pragma once

#include <optional>

#include "embed/badge.h"
#include "embed/count_text.h"

namespace nando {

enum class BadgeOf : std::uint8_t {
  page,
  site,
  prize,  // How far it is to the next entry that wins.
};
inline constexpr std::array<std::string_view, 3> kBadgeOfNames = {"page", "site", "prize"};

struct BadgeOptions {
  std::optional<BadgeText> label;  // None: "hits", or "next prize".
  Color color = kBadgeColor;
  std::optional<Color> label_color;
  BadgeStyle style = BadgeStyle::flat;
  BadgeOf of = BadgeOf::page;
  CountFormat format = CountFormat::full;

  BadgeText label_or_default() const {
    return label ? *label : BadgeText::ours(of == BadgeOf::prize ? "next prize" : "hits");
  }
};

// Sets the option `name`. A name that is none is passed over, as are looks that nobody knows: a
// badge with a typing error in its color is still read. Where the number or the words are at stake
// it is refused, and `options` is as it was.
std::optional<BadgeRefusal> set_option(BadgeOptions& options, std::string_view name,
                                       std::string_view value);

}  // namespace nando
