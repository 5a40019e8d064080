// How a count is written on a badge.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace nando {

enum class CountFormat : std::uint8_t {
  full,     // 12,345: every digit, with commas, whatever the reader's language: the picture is one.
  compact,  // 12.3k: three digits at most, rounded down, because a count never says more than there
            // is.
};
inline constexpr std::array<std::string_view, 2> kCountFormatNames = {"full", "short"};

std::string count_text(std::uint64_t count, CountFormat format);

}  // namespace nando
