#include "prizes/seed_chain.h"

#include "base/assert.h"

namespace nando {

SeedChain::SeedChain(const Key256& master, std::uint32_t windows) : seeds_(windows) {
  ASSERT(windows > 0);
  auto seed = sha256(std::array{as_bytes("nandolytics seed 1\n"), Bytes(master)});
  for (auto at = seeds_.rbegin(); at != seeds_.rend(); ++at) {
    *at = seed;
    seed = sha256(seed);
  }
}

Hash256 SeedChain::commitment() const {
  return sha256(seeds_.front());
}

const Hash256& SeedChain::seed(std::uint32_t window) const {
  ASSERT(window > 0 && window <= seeds_.size());
  return seeds_[window - 1];
}

Hash256 hash_times(Hash256 seed, std::uint32_t times) {
  for (; times > 0; --times) seed = sha256(seed);
  return seed;
}

Hash256 sealed_seed(const Hash256& head, std::string_view outside) {
  return sha256(std::array{as_bytes("nandolytics sealed 1\n"), Bytes(head), as_bytes(outside)});
}

}  // namespace nando
