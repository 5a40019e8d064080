// SeedChain: the seeds of a promotion's windows, made backwards, each the hash of the one after it.
// The commitment, published before the first window opens, is the hash of the first; so a revealed
// seed is checked by hashing, and gives away no seed of a later window.
//
// Threads: immutable; any. 32 bytes a window.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace nando {

class SeedChain {
 public:
  // Whoever has `master` knows every winner. Requires windows > 0.
  SeedChain(const Key256& master, std::uint32_t windows);

  Hash256 commitment() const;
  // Of a window, from 1 on. Publish it when the window is over, not before.
  const Hash256& seed(std::uint32_t window) const;

 private:
  std::vector<Hash256> seeds_;  // Of window 1 first.
};

// `seed` hashed `times` times. Of window w's seed: w times gives the commitment.
Hash256 hash_times(Hash256 seed, std::uint32_t times);

// The seed of a sealed draw: `head` is the link of its last entry, `outside` the value that nobody
// knew while one could enter, as text.
Hash256 sealed_seed(const Hash256& head, std::string_view outside);

}  // namespace nando
