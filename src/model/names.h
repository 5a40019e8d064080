// Enumerators print as themselves: the same word in JSON, metrics, logs and tests.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace nando {

// names[i] belongs to the enumerator of value i.
template <class Enum, std::size_t n>
constexpr std::string_view enum_name(const std::array<std::string_view, n>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

template <class Enum, std::size_t n>
constexpr std::optional<Enum> enum_from(const std::array<std::string_view, n>& names,
                                        std::string_view name) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace nando
