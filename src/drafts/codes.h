// Code lists: what a promotion of prize `code` gives away, a code a winner.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"

namespace nando {

inline constexpr std::size_t kCodeBytesMax = 100;
inline constexpr std::size_t kCodesMax = 100'000;

// One code a line, in the order in which they will be given away. Code::invalid, naming `path` and
// line, for an empty line, a code that is there twice, one longer than kCodeBytesMax or with
// anything but visible ASCII characters in it, and for none or more than kCodesMax.
Result<std::vector<std::string>> parse_codes(std::string_view text, std::string_view path);

// SHA-256 of all codes, each with a newline after it: Promotion::codes_hash.
Hash256 hash_codes(const std::vector<std::string>& codes);

}  // namespace nando
