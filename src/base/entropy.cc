#include "base/entropy.h"

#include <sodium.h>

#include "base/assert.h"

namespace nando {

SystemEntropy::SystemEntropy() {
  ASSERT(sodium_init() >= 0);
}

void SystemEntropy::fill(std::span<std::byte> bytes) {
  randombytes_buf(bytes.data(), bytes.size());
}

// SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators").
std::uint64_t SeededEntropy::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

void SeededEntropy::fill(std::span<std::byte> bytes) {
  for (auto& byte : bytes) byte = static_cast<std::byte>(next());
}

}  // namespace nando
