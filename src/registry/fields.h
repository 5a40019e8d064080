// Fields as who reads them wants them.
#pragma once

#include <charconv>
#include <optional>

#include "registry/registry.h"

namespace nando {

// Empty if there is none of that name.
inline std::string field(const Fields& fields, std::string_view name) {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

// Nothing unless the whole text is a number of that type.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last) return std::nullopt;
  return number;
}

}  // namespace nando
