#include "ingest/rate_limiter.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/clock.h"

namespace nando {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr SiteId kSite{1};
constexpr nanoseconds kNow = seconds{1000};

IpAddress client(std::uint32_t number) {
  IpAddress address;
  address.family = IpAddress::Family::v4;
  for (int i = 0; i < 4; ++i) {
    address.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return address;
}

IpAddress address(std::string_view text) {
  return *IpAddress::parse(text);
}

std::uint64_t admitted(RateLimiter& limiter, const IpAddress& who, std::uint64_t tries,
                       nanoseconds now, SiteId site = kSite) {
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < tries; ++i) count += limiter.take(who, site, now) ? 1 : 0;
  return count;
}

TEST(RateLimiter, AdmitsTheBurstAndRefusesOneMore) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 100, .burst = 1000}, entropy);
  EXPECT_EQ(admitted(limiter, client(1), 1000, kNow), 1000);
  EXPECT_FALSE(limiter.take(client(1), kSite, kNow));
}

TEST(RateLimiter, ATokenComesBackAtItsTimeAndNotAMillisecondBefore) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 100, .burst = 5}, entropy);
  EXPECT_EQ(admitted(limiter, client(1), 9, kNow), 5);
  EXPECT_FALSE(limiter.take(client(1), kSite, kNow + milliseconds{9}));
  EXPECT_TRUE(limiter.take(client(1), kSite, kNow + milliseconds{10}));
  EXPECT_FALSE(limiter.take(client(1), kSite, kNow + milliseconds{10}));
}

TEST(RateLimiter, ABucketFillsUpToTheBurstAndNotBeyond) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 100, .burst = 1000}, entropy);
  EXPECT_EQ(admitted(limiter, client(1), 2000, kNow), 1000);
  EXPECT_EQ(admitted(limiter, client(1), 2000, kNow + seconds{3}), 300);
  EXPECT_EQ(admitted(limiter, client(1), 2000, kNow + std::chrono::hours{24}), 1000);
}

TEST(RateLimiter, OverASecondTheRateHolds) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 7, .burst = 1}, entropy);
  std::uint64_t count = 0;
  for (auto now = kNow; now < kNow + seconds{100}; now += milliseconds{1}) {
    count += admitted(limiter, client(1), 3, now);
  }
  EXPECT_LE(count, 700);
  EXPECT_GE(count, 690);  // Asked once a millisecond, a token waits up to one.
}

TEST(RateLimiter, PrefixesAndSitesHaveBucketsOfTheirOwn) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 1, .burst = 10}, entropy);
  EXPECT_EQ(admitted(limiter, address("192.0.2.1"), 99, kNow), 10);
  EXPECT_EQ(admitted(limiter, address("192.0.2.2"), 99, kNow), 10);
  EXPECT_EQ(admitted(limiter, address("192.0.2.1"), 99, kNow, SiteId{2}), 10);
  EXPECT_EQ(admitted(limiter, IpAddress{}, 99, kNow), 10);  // A unix socket.
}

TEST(RateLimiter, AnIpv6ClientIsItsFirst64Bits) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 1, .burst = 10}, entropy);
  EXPECT_EQ(admitted(limiter, address("2001:db8:0:1::1"), 99, kNow), 10);
  EXPECT_EQ(admitted(limiter, address("2001:db8:0:1:ffff::9"), 99, kNow), 0);
  EXPECT_EQ(admitted(limiter, address("2001:db8:0:2::1"), 99, kNow), 10);
  EXPECT_EQ(admitted(limiter, address("32.1.13.184"), 99, kNow), 10);  // The same bytes as v4.
}

TEST(RateLimiter, ABillionASecondLimitsNobody) {
  SystemEntropy entropy;
  SystemClock clock;
  RateLimiter limiter({.hits_per_second = kHitsPerSecondMax}, entropy);
  for (int i = 0; i < 200'000; ++i) {
    ASSERT_TRUE(limiter.take(client(1), kSite, clock.monotonic())) << i;
  }
}

TEST(RateLimiter, RetryAfterIsEnoughForAToken) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 1, .burst = 1}, entropy);
  EXPECT_EQ(limiter.retry_after(), seconds{1});
  EXPECT_TRUE(limiter.take(client(1), kSite, kNow));
  EXPECT_FALSE(limiter.take(client(1), kSite, kNow));
  EXPECT_TRUE(limiter.take(client(1), kSite, kNow + limiter.retry_after()));
  limiter.set({.hits_per_second = kHitsPerSecondMax, .burst = kBurstMax});
  EXPECT_EQ(limiter.retry_after(), seconds{1});
}

TEST(RateLimiter, NewLimitsHoldFromTheNextHit) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 1, .burst = 1}, entropy);
  EXPECT_EQ(admitted(limiter, client(1), 99, kNow), 1);
  limiter.set({.hits_per_second = 1000, .burst = 2000});
  EXPECT_EQ(admitted(limiter, client(2), 9999, kNow), 2000);
  limiter.set({.hits_per_second = 1, .burst = 3});
  EXPECT_EQ(admitted(limiter, client(3), 99, kNow), 3);
}

TEST(RateLimiter, MoreClientsThanBucketsShareAndNobodyEscapesTheLimit) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 1, .burst = 1}, entropy);
  constexpr std::uint32_t kClients = 12 * RateLimiter::kBuckets;
  std::uint64_t count = 0;
  for (std::uint32_t i = 0; i < kClients; ++i)
    count += limiter.take(client(i), kSite, kNow) ? 1 : 0;
  EXPECT_EQ(count, RateLimiter::kBuckets);  // Every bucket gave its one token.
  // When the tokens are back, what was shared is forgotten.
  EXPECT_TRUE(limiter.take(client(kClients), kSite, kNow + seconds{1}));
}

// Who shares whose bucket, computed as one who knows the key would: the first clients of one set.
std::vector<IpAddress> clients_of_one_set(const Key128& key, std::size_t wanted) {
  constexpr std::size_t kSets = RateLimiter::kBuckets / RateLimiter::kWays;
  std::vector<IpAddress> found;
  for (std::uint32_t i = 0; found.size() < wanted; ++i) {
    const auto who = client(i);
    std::array<std::byte, 21> bytes{};
    bytes[0] = static_cast<std::byte>(who.family);
    store(&bytes[1], who.bytes);
    store(&bytes[17], kSite.value);
    if (load<std::uint64_t>(&siphash128(key, bytes)[8]) % kSets == 5) found.push_back(who);
  }
  return found;
}

std::size_t admitted_of(const std::vector<IpAddress>& clients, std::uint64_t seed) {
  SeededEntropy entropy(seed);
  RateLimiter limiter({.hits_per_second = 1, .burst = 1}, entropy);
  std::size_t count = 0;
  for (const auto& who : clients) count += admitted(limiter, who, 1, kNow);
  return count;
}

TEST(RateLimiter, OnlyWhoKnowsTheKeyCanChooseWhoSharesABucket) {
  SeededEntropy known(1);
  const auto clients = clients_of_one_set(known.take<16>(), 3 * RateLimiter::kWays);
  EXPECT_EQ(admitted_of(clients, 1), RateLimiter::kWays);  // The control: with that key it works.
  EXPECT_EQ(admitted_of(clients, 2), clients.size());
}

TEST(RateLimiter, ThreadsTogetherTakeTheBurstAndNotOneMore) {
  SystemEntropy entropy;
  constexpr std::uint64_t kBurst = 10'000;
  RateLimiter limiter({.hits_per_second = 1, .burst = kBurst}, entropy);
  std::atomic<std::uint64_t> count{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { count += admitted(limiter, client(1), kBurst, kNow); });
  }
  threads.clear();
  EXPECT_EQ(count, kBurst);
}

TEST(RateLimiter, ThreadsWithManyClientsAndNewLimitsAgree) {
  SystemEntropy entropy;
  RateLimiter limiter({.hits_per_second = 1'000, .burst = 4}, entropy);
  std::atomic<std::uint64_t> count{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < 3; ++i) {
      threads.emplace_back([&limiter, &count, i] {
        for (std::uint32_t n = 0; n < 2'000; ++n) {
          count += limiter.take(client(n * 7 + i), kSite, kNow + nanoseconds{n}) ? 1 : 0;
        }
      });
    }
    for (int i = 0; i < 100; ++i) limiter.set({.hits_per_second = 1'000, .burst = 4});
  }
  EXPECT_EQ(count, 6'000);  // Each client once, so even one that shares has tokens.
}

}  // namespace
}  // namespace nando
