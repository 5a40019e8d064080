// Eight bytes at a time in one register ("SIMD within a register"), for texts that are looked
// through on the path of a hit. Results have the high bit of each byte that matched; what stands
// above the lowest match may match falsely, so ask whether there is one, or for the first.
//
// Source: Mycroft's test for a zero byte; H. Warren, Hacker's Delight, section 6-1.
#pragma once

#include <cstdint>
#include <cstring>

namespace nando {

inline constexpr std::uint64_t kEachByte = ~std::uint64_t{0} / 255;
inline constexpr std::uint64_t kEachHighBit = kEachByte * 0x80;

// In the order of the text: the first byte is the lowest.
inline std::uint64_t load_eight(const char* text) {
  std::uint64_t word;
  std::memcpy(&word, text, sizeof word);
  return word;
}

constexpr std::uint64_t bytes_below(std::uint64_t word, unsigned char limit) {
  return (word - kEachByte * limit) & ~word & kEachHighBit;  // limit <= 128
}

constexpr std::uint64_t bytes_equal(std::uint64_t word, unsigned char value) {
  return bytes_below(word ^ kEachByte * value, 1);
}

// Of a result that is not 0: where its first match stands, from 0.
constexpr unsigned first_match(std::uint64_t result) {
  return static_cast<unsigned>(__builtin_ctzll(result)) / 8;
}

}  // namespace nando
