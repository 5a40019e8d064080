// What the tests of ingest stand on: a door with sites, a clock and chance of their own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "ingest/ingest.h"
#include "ingest/rate_limiter.h"
#include "visitors/entrants.h"
#include "visitors/salts.h"

namespace nando {

inline constexpr Key128 kTestHashKey = {std::byte{1}, std::byte{2}, std::byte{3}};

inline Site make_site(std::uint32_t id, std::string host, std::vector<std::string> aliases = {}) {
  Site site;
  site.id = {id};
  site.host = std::move(host);
  site.aliases = std::move(aliases);
  site.counts = Visibility::open;
  return site;
}

inline std::vector<Site> example_sites() {
  return {make_site(1, "example.com", {"shop.example.net"}),
          make_site(2, "other.example"),
          make_site(3, "localhost"),
          make_site(4, "[::1]"),
          make_site(5, "127.0.0.1"),
          make_site(6, "xn--bcher-kva.example"),
          make_site(7, "a_b.example")};
}

struct TestDoor {
  explicit TestDoor(std::vector<Site> sites = example_sites(), SiteMaker* maker = nullptr,
                    std::unique_ptr<Directory> run_directory = nullptr)
      : tables(SiteTable(std::move(sites))),
        salts(std::move(run_directory), entropy, clock.now()),
        ingest({tables, limiter, salts, kTestHashKey, clock, maker, &promotions, &entrant_key}) {}

  std::variant<Hit, DropReason> accept(const Beacon& beacon) {
    return ingest.accept(beacon, arena);
  }
  // "accepted", or the reason.
  std::string_view verdict(const Beacon& beacon) {
    const auto result = accept(beacon);
    const auto* reason = std::get_if<DropReason>(&result);
    return reason == nullptr ? "accepted" : name_of(*reason);
  }
  // As spelled, or the reason.
  std::string page(std::string_view url) {
    const auto result = ingest.page_of(url);
    const auto* reason = std::get_if<DropReason>(&result);
    return std::string(reason ? name_of(*reason) : std::get<Ingest::PageName>(result).url);
  }

  SystemEntropy entropy;
  ManualClock clock;
  SiteTables tables;
  RateLimiter limiter{RateLimits{}, entropy};
  Salts salts;
  PromotionTables promotions{PromotionTable{}};
  EntrantKey entrant_key{nullptr, entropy, clock};
  Ingest ingest;
  HitArena arena;
};

inline Beacon beacon_of(std::string_view url) {
  Beacon beacon;
  beacon.url = url;
  beacon.address = *IpAddress::parse("192.0.2.77");
  beacon.user_agent = "Mozilla/5.0 (X11; Linux x86_64) Marked/1.0";
  return beacon;
}

}  // namespace nando
