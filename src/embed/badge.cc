#include "embed/badge.h"

#include <fmt/format.h>

#include <iterator>

namespace nando {

namespace {

constexpr std::uint64_t kPadding = 5;  // Beside a text, on each side.
constexpr std::size_t kSvgBytes = 1536;

// Soft: texts have a blurred shadow a pixel below, and the ground is lighter above.
enum class Shade : std::uint8_t { none, soft };

struct Look {
  std::uint64_t height;
  std::uint64_t text_y;  // In tenths of a pixel, as all of a text: fonts round less when large.
  Shade shade;
  unsigned corner;         // Its radius.
  std::string_view stops;  // Of the gradient.
};
constexpr std::array<Look, 3> kLooks = {{
    {20, 140, Shade::soft, 3,
     R"(<stop offset="0" stop-color="#bbb" stop-opacity=".1"/>)"
     R"(<stop offset="1" stop-opacity=".1"/>)"},
    {20, 140, Shade::none, 0, ""},
    {18, 130, Shade::soft, 4,
     R"(<stop offset="0" stop-color="#fff" stop-opacity=".7"/>)"
     R"(<stop offset=".1" stop-color="#aaa" stop-opacity=".1"/>)"
     R"(<stop offset=".9" stop-color="#000" stop-opacity=".3"/>)"
     R"(<stop offset="1" stop-color="#000" stop-opacity=".5"/>)"},
}};
static_assert(kLooks.size() == kBadgeStyleNames.size());

// `markup` has no text of anybody's in it but what was escaped.
template <class... Values>
void put(std::string& to, fmt::format_string<const Values&...> markup, const Values&... values) {
  fmt::format_to(std::back_inserter(to), markup, values...);
}

struct Ground {
  std::uint64_t width;
  Color color;
};

void put_grounds(std::string& to, const Look& look, const Ground& left, const Ground& right) {
  const auto width = left.width + right.width;
  if (look.shade == Shade::soft) {
    put(to,
        R"x(<filter id="blur"><feGaussianBlur stdDeviation="16"/></filter>)x"
        R"x(<linearGradient id="s" x2="0" y2="100%">{}</linearGradient>)x"
        R"x(<clipPath id="r"><rect width="{}" height="{}" rx="{}"/></clipPath>)x"
        R"x(<g clip-path="url(#r)">)x",
        look.stops, width, look.height, look.corner);
  } else {
    to += R"x(<g shape-rendering="crispEdges">)x";
  }
  put(to,
      R"x(<rect width="{}" height="{}" fill="{}"/>)x"
      R"x(<rect x="{}" width="{}" height="{}" fill="{}"/>)x",
      left.width, look.height, left.color.svg(), left.width, right.width, look.height,
      right.color.svg());
  if (look.shade == Shade::soft) {
    put(to, R"x(<rect width="{}" height="{}" fill="url(#s)"/>)x", width, look.height);
  }
  to += "</g>";
}

// Where one text stands, in tenths of a pixel.
struct Place {
  std::uint64_t middle;
  std::uint64_t width;
};

void put_text(std::string& to, const Look& look, std::string_view escaped, const Place& place,
              const Color& ground) {
  if (escaped.empty()) return;
  const auto [x, width] = place;
  const std::string_view fill = ground.is_light() ? R"x( fill="#333")x" : "";
  if (look.shade == Shade::none) {
    return put(to, R"x(<text x="{}" y="{}" textLength="{}" transform="scale(.1)"{}>{}</text>)x", x,
               look.text_y, width, fill, escaped);
  }
  const auto below = look.text_y + 10;
  put(to,
      R"x(<g transform="scale(.1)"><g aria-hidden="true" fill="{}">)x"
      R"x(<text x="{}" y="{}" fill-opacity=".8" filter="url(#blur)" textLength="{}">{}</text>)x"
      R"x(<text x="{}" y="{}" fill-opacity=".3" textLength="{}">{}</text></g>)x"
      R"x(<text x="{}" y="{}" textLength="{}"{}>{}</text></g>)x",
      ground.is_light() ? "#ccc" : "#010101", x, below, width, escaped, x, below, width, escaped, x,
      look.text_y, width, fill, escaped);
}

// Odd, so that the middle of a text is more often the middle of a pixel.
std::uint64_t text_width(const BadgeText& text) {
  return static_cast<std::uint64_t>(text.width()) | 1;
}

}  // namespace

void append_badge(std::string& to, const Badge& badge) {
  to.reserve(to.size() + kSvgBytes);
  const auto& look = kLooks.at(static_cast<std::size_t>(badge.style));
  const bool has_left = !badge.label.empty() || badge.label_color;
  const auto label_width = badge.label.empty() ? 0 : text_width(badge.label);
  const auto message_width = text_width(badge.message);
  const auto plain_left = badge.label_color.value_or(kBadgeLabelColor);
  const Ground left{has_left ? label_width + 2 * kPadding : 0, has_left ? plain_left : badge.color};
  const Ground right{message_width + 2 * kPadding, badge.color};
  const auto label = badge.label.escaped();
  const auto message = badge.message.escaped();
  const std::string_view colon = label.empty() ? "" : ": ";

  put(to,
      R"x(<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" role="img")x"
      R"x( aria-label="{}{}{}"><title>{}{}{}</title>)x",
      left.width + right.width, look.height, label, colon, message, label, colon, message);
  put_grounds(to, look, left, right);
  to += R"x(<g fill="#fff" text-anchor="middle")x"
        R"x( font-family="Verdana,Geneva,DejaVu Sans,sans-serif")x"
        R"x( text-rendering="geometricPrecision" font-size="110">)x";
  // Both texts stand a pixel nearer to the seam than the middles of their grounds.
  const auto nearer = has_left ? 10 : 0;
  put_text(to, look, label, {10 * kPadding + 5 * label_width + 10, 10 * label_width}, left.color);
  put_text(to, look, message,
           {10 * (left.width + kPadding) + 5 * message_width - nearer, 10 * message_width},
           right.color);
  to += "</g></svg>";
}

}  // namespace nando
