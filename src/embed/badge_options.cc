#include "embed/badge_options.h"

namespace nando {

namespace {

using Refused = std::optional<BadgeRefusal>;

Refused set_label(BadgeOptions& options, std::string_view value) {
  auto read = BadgeText::read(value);
  if (const auto* refusal = std::get_if<BadgeRefusal>(&read)) return *refusal;
  options.label = std::get<BadgeText>(std::move(read));
  return std::nullopt;
}

Refused set_color(BadgeOptions& options, std::string_view value) {
  options.color = Color::read(value).value_or(options.color);
  return std::nullopt;
}

Refused set_label_color(BadgeOptions& options, std::string_view value) {
  if (const auto color = Color::read(value)) options.label_color = color;
  return std::nullopt;
}

Refused set_style(BadgeOptions& options, std::string_view value) {
  options.style = enum_from<BadgeStyle>(kBadgeStyleNames, value).value_or(options.style);
  return std::nullopt;
}

Refused set_of(BadgeOptions& options, std::string_view value) {
  const auto of = enum_from<BadgeOf>(kBadgeOfNames, value);
  if (!of) return BadgeRefusal::bad_option;
  options.of = *of;
  return std::nullopt;
}

Refused set_format(BadgeOptions& options, std::string_view value) {
  options.format = enum_from<CountFormat>(kCountFormatNames, value).value_or(options.format);
  return std::nullopt;
}

struct Option {
  std::string_view name;
  Refused (*set)(BadgeOptions& options, std::string_view value);
};
constexpr std::array<Option, 7> kOptions = {{
    {"label", set_label},
    {"color", set_color},
    {"label_color", set_label_color},
    {"labelColor", set_label_color},  // As shields and hits.sh spell it.
    {"style", set_style},
    {"of", set_of},
    {"format", set_format},
}};

}  // namespace

std::optional<BadgeRefusal> set_option(BadgeOptions& options, std::string_view name,
                                       std::string_view value) {
  for (const auto& option : kOptions) {
    if (option.name == name) return option.set(options, value);
  }
  return std::nullopt;
}

}  // namespace nando
