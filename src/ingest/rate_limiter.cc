#include "ingest/rate_limiter.h"

#include <algorithm>

#include "base/assert.h"

namespace nando {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

}  // namespace

RateLimiter::RateLimiter(const RateLimits& limits, Entropy& entropy)
    : key_(entropy.take<sizeof(Key128)>()), sets_(std::make_unique<Set[]>(kBuckets / kWays)) {
  set(limits);
}

void RateLimiter::set(const RateLimits& limits) {
  ASSERT(limits.hits_per_second >= 1 && limits.hits_per_second <= kHitsPerSecondMax);
  ASSERT(limits.burst >= 1 && limits.burst <= kBurstMax);
  // Rounded up: never more than was allowed.
  const auto interval = (kSecond + limits.hits_per_second - 1) / limits.hits_per_second;
  interval_ns_.store(interval, std::memory_order_relaxed);
  burst_ns_.store(interval * limits.burst, std::memory_order_relaxed);
}

std::chrono::seconds RateLimiter::retry_after() const {
  return std::chrono::ceil<std::chrono::seconds>(
      std::chrono::nanoseconds(interval_ns_.load(std::memory_order_relaxed)));
}

bool RateLimiter::take(const IpAddress& client, SiteId site, std::chrono::nanoseconds now) {
  const auto prefix = client.client_prefix();
  std::array<std::byte, 1 + sizeof prefix.bytes + sizeof site.value> bytes;
  bytes[0] = static_cast<std::byte>(prefix.family);
  store(&bytes[1], prefix.bytes);
  store(&bytes[1 + sizeof prefix.bytes], site.value);
  const auto hash = siphash128(key_, bytes);

  const auto time = static_cast<std::uint64_t>(now.count());
  auto& set = sets_[load<std::uint64_t>(&hash[8]) % (kBuckets / kWays)];
  auto& bucket = claim(set, std::max<std::uint64_t>(load<std::uint64_t>(hash.data()), 1), time);

  const auto interval = interval_ns_.load(std::memory_order_relaxed);
  const auto burst = burst_ns_.load(std::memory_order_relaxed);
  auto full_at = bucket.full_at.load(std::memory_order_relaxed);
  while (true) {
    const auto next = std::max(full_at, time) + interval;
    if (next - time > burst) return false;
    if (bucket.full_at.compare_exchange_weak(full_at, next, std::memory_order_relaxed)) return true;
  }
}

// The client's own bucket; else one that is full, for forgetting that loses nothing; else, shared,
// the one that will be full first.
RateLimiter::Bucket& RateLimiter::claim(Set& set, std::uint64_t client, std::uint64_t now) {
  for (auto& bucket : set.buckets) {
    if (bucket.client.load(std::memory_order_relaxed) == client) return bucket;
  }
  for (auto& bucket : set.buckets) {
    auto owner = bucket.client.load(std::memory_order_relaxed);
    if (owner == client) return bucket;
    if (bucket.full_at.load(std::memory_order_relaxed) > now) continue;
    if (bucket.client.compare_exchange_strong(owner, client, std::memory_order_relaxed) ||
        owner == client) {
      return bucket;
    }
  }
  return *std::min_element(set.buckets.begin(), set.buckets.end(),
                           [](const Bucket& a, const Bucket& b) {
                             return a.full_at.load(std::memory_order_relaxed) <
                                    b.full_at.load(std::memory_order_relaxed);
                           });
}

}  // namespace nando
