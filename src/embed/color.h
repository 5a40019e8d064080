// Color: one of those that badges have, by name or in hex; nothing else comes into an SVG.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nando {

class Color {
 public:
  // A name of kNames; or 3 or 6 hex digits in any case, with a '#' in front or without.
  static constexpr std::optional<Color> read(std::string_view text) {
    for (const auto& [name, hex] : kNames) {
      if (name == text) return from_hex(hex);
    }
    if (text.starts_with('#')) text.remove_prefix(1);
    return from_hex(text);
  }

  // "#4b0" or "#007ec6".
  constexpr std::string_view svg() const { return {svg_.data(), size_}; }

  // Whether dark text is read better on it. badge-maker rounds the brightness to two places and
  // compares it with 0.69; in whole numbers that is this.
  constexpr bool is_light() const {
    return channel(0) * 299 + channel(1) * 587 + channel(2) * 114 > 177'225;
  }

  struct Named {
    std::string_view name;
    std::string_view hex;
  };
  // Those of badge-maker 6: the palette, and what it calls the same.
  static constexpr std::array<Named, 16> kNames = {{
      {"brightgreen", "4b0"},
      {"green", "67ac09"},
      {"yellow", "d8b800"},
      {"yellowgreen", "95991a"},
      {"orange", "ea7233"},
      {"red", "dd4343"},
      {"blue", "007ec6"},
      {"grey", "555"},
      {"lightgrey", "939393"},
      {"gray", "555"},
      {"lightgray", "939393"},
      {"critical", "dd4343"},
      {"important", "ea7233"},
      {"success", "4b0"},
      {"informational", "007ec6"},
      {"inactive", "939393"},
  }};

 private:
  static constexpr int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  }

  static constexpr std::optional<Color> from_hex(std::string_view digits) {
    if (digits.size() != 3 && digits.size() != 6) return std::nullopt;
    Color color;
    color.svg_[0] = '#';
    color.size_ = 1;
    for (const char c : digits) {
      const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
      if (digit(lower) < 0) return std::nullopt;
      color.svg_[color.size_++] = lower;
    }
    return color;
  }

  constexpr unsigned channel(std::size_t i) const {
    const auto at = [&](std::size_t j) { return static_cast<unsigned>(digit(svg_[1 + j])); };
    return size_ == 4 ? at(i) * 17 : at(2 * i) * 16 + at(2 * i + 1);
  }

  std::array<char, 7> svg_{};
  std::uint8_t size_ = 0;
};

}  // namespace nando
