// RateLimiter: a token bucket for each address prefix (address.h, client_prefix()) and site. In
// memory only, of fixed size, and it holds a keyed hash in place of the address.
//
// Promise
//   - A client that was idle may send `burst` hits at once, and `hits_per_second` from then on; one
//     more is refused. Which other clients there are does not matter, except:
//   - When more than kBuckets clients have spent tokens that have not come back yet, a new client
//     shares the fullest bucket of the kWays it may have. So memory stays fixed and nobody escapes
//     the limit; somebody may be refused for what another sent.
//   - The key is random, so nobody can choose addresses that share buckets.
//
// Threads: any, without locks. When two clients claim one idle bucket in the same instant, one hit
// may be charged to the other.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <memory>

#include "base/address.h"
#include "base/entropy.h"
#include "base/hash.h"
#include "model/ids.h"

namespace nando {

inline constexpr std::uint64_t kHitsPerSecondMax = 1'000'000'000;
inline constexpr std::uint64_t kBurstMax = 1'000'000'000;

// Requires: 1 to the maxima above.
struct RateLimits {
  std::uint64_t hits_per_second = 100;
  std::uint64_t burst = 1000;
};

class RateLimiter {
 public:
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kBuckets = 65'536;

  RateLimiter(const RateLimits& limits, Entropy& entropy);

  // Takes a token; false if there is none. `now` is Clock::monotonic().
  bool take(const IpAddress& client, SiteId site, std::chrono::nanoseconds now);

  // When a token is there again at the latest, in whole seconds: for Retry-After.
  std::chrono::seconds retry_after() const;

  // From the next hit on.
  void set(const RateLimits& limits);

 private:
  // A bucket is the time at which it will be full again (the "theoretical arrival time" of GCRA,
  // ITU-T I.371), so a token costs one addition and nothing needs refilling.
  struct Bucket {
    std::atomic<std::uint64_t> client{0};   // Hash of prefix and site; 0: never used.
    std::atomic<std::uint64_t> full_at{0};  // Nanoseconds of the monotonic clock.
  };
  struct alignas(64) Set {
    std::array<Bucket, kWays> buckets;
  };
  static_assert(sizeof(Set) == 64, "one cache line");

  static Bucket& claim(Set& set, std::uint64_t client, std::uint64_t now);

  Key128 key_;
  std::unique_ptr<Set[]> sets_;
  std::atomic<std::uint64_t> interval_ns_{0};  // What a token takes to come back.
  std::atomic<std::uint64_t> burst_ns_{0};     // What `burst` tokens take.
};

}  // namespace nando
