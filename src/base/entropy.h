// Entropy: chance as an argument, so that a test can repeat it.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace nando {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::byte> bytes) = 0;

  template <std::size_t n>
  std::array<std::byte, n> take() {
    std::array<std::byte, n> bytes;
    fill(bytes);
    return bytes;
  }
};

// The kernel's generator, by libsodium. Any thread.
class SystemEntropy final : public Entropy {
 public:
  SystemEntropy();
  void fill(std::span<std::byte> bytes) override;
};

// Repeatable bytes from a seed; for tests only. One thread.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> bytes) override;
  std::uint64_t next();
  // Uniform enough for tests: 0 to bound-1. Requires bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace nando
