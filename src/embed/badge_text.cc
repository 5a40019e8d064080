#include "embed/badge_text.h"

#include <algorithm>
#include <optional>

#include "base/assert.h"
#include "base/bytes.h"
#include "embed/tables/verdana.h"

namespace nando {

namespace {

// Takes the first character off `text`, which is not empty; nothing if it begins with none.
std::optional<char32_t> take(std::string_view& text) {
  const auto size = utf8_size(text);
  if (size == 0) return std::nullopt;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  char32_t value = size == 1 ? byte(0) : byte(0) & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) value = value << 6 | (byte(i) & 0x3f);
  text.remove_prefix(size);
  return value;
}

bool is_kept_out(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0xfffe || c == 0xffff;
}

// What String.prototype.trim() takes off in JavaScript, and so does badge-maker; control characters
// are gone before.
bool is_space(char32_t c) {
  return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
}

std::uint16_t hundredths(char32_t c) {
  const auto next = std::upper_bound(
      kVerdanaRuns.begin(), kVerdanaRuns.end(), c,
      [](char32_t value, std::uint32_t run) { return value < run >> kVerdanaIndexBits; });
  return kVerdanaWidths[*(next - 1) &
                        ((1U << kVerdanaIndexBits) - 1)];  // The first run begins at 0.
}

std::string_view escape_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    default:
      return {};
  }
}

}  // namespace

std::variant<BadgeText, BadgeRefusal> BadgeText::read(std::string_view text) {
  if (text.size() > kBadgeTextBytesMax) return BadgeRefusal::text_too_long;
  BadgeText read;
  std::size_t end = 0;  // Of the last character that is no space.
  while (!text.empty()) {
    const auto before = text;
    const auto c = take(text);
    if (!c) return BadgeRefusal::not_utf8;
    if (is_kept_out(*c) || (read.empty() && is_space(*c))) continue;
    read.text_ += before.substr(0, before.size() - text.size());
    if (!is_space(*c)) end = read.text_.size();
  }
  read.text_.resize(end);
  return read;
}

BadgeText BadgeText::ours(std::string_view text) {
  auto read = BadgeText::read(text);
  ASSERT(std::holds_alternative<BadgeText>(read));
  return std::get<BadgeText>(std::move(read));
}

std::string BadgeText::escaped() const {
  std::string out;
  out.reserve(text_.size());
  for (const char c : text_) {
    const auto escape = escape_of(c);
    if (escape.empty()) {
      out += c;
    } else {
      out += escape;
    }
  }
  return out;
}

double BadgeText::width() const {
  double pixels = 0;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const auto c = take(rest);
    ASSERT(c);
    pixels += hundredths(*c) / 100.0;
  }
  return pixels;
}

}  // namespace nando
