// BadgeText: text that may stand on a badge. Anybody chooses a label, by the query; what has this
// type was checked.
//
// Promise
//   - It is UTF-8 of at most kBadgeTextBytesMax bytes, without what XML 1.0 may not hold and
//   without
//     control characters, which are removed; and without white space at its ends.
//   - Escaped, it is text or an attribute's value in XML, and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "model/names.h"

namespace nando {

inline constexpr std::size_t kBadgeTextBytesMax = 256;

enum class BadgeRefusal : std::uint8_t {
  not_utf8,
  text_too_long,
  bad_option,  // Another choice would show another number, so it is not guessed.
};
inline constexpr std::array<std::string_view, 3> kBadgeRefusalNames = {"not_utf8", "text_too_long",
                                                                       "bad_option"};
constexpr std::string_view name_of(BadgeRefusal refusal) {
  return enum_name(kBadgeRefusalNames, refusal);
}

class BadgeText {
 public:
  BadgeText() = default;

  // What anybody sent.
  static std::variant<BadgeText, BadgeRefusal> read(std::string_view text);
  // What we say ourselves. Requires: read() takes it.
  static BadgeText ours(std::string_view text);

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

  // With the five characters escaped that mean something in XML.
  std::string escaped() const;

  // In pixels, as Verdana sets it at 11 px, by the tables and the sums of anafanafo; down to the
  // last bit, because badges are as wide as the floor of it.
  double width() const;

 private:
  std::string text_;
};

}  // namespace nando
