// draw(): which of a window's entries win. A pure function of a seed that was not known while they
// could enter, and of how many there are; written down in docs/formats/promotion.md, so that
// anybody can repeat it (tools/check_draw.py does).
//
// Promise: every position is as likely as every other. Words that would make the first ones
// likelier are passed over instead of being taken modulo n.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/hash.h"

namespace nando {

// The position, 1 to n, that a word of chance stands for; nothing for a word of the remainder that
// n does not divide: it is passed over. Requires n > 0.
template <class Word>
constexpr std::optional<Word> position_of(Word word, Word n) {
  const auto whole = static_cast<Word>(0 - n);                  // 2^bits - n
  const auto remainder = static_cast<Word>(whole % n);          // 2^bits mod n
  const auto first_refused = static_cast<Word>(0 - remainder);  // 0: none is.
  if (first_refused != 0 && word >= first_refused) return std::nullopt;
  return static_cast<Word>(1 + word % n);
}

// The positions, 1 to n, of min(k, n) winners, rising.
std::vector<std::uint64_t> draw(const Hash256& seed, std::uint64_t n, std::uint64_t k);

}  // namespace nando
