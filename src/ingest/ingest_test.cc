#include "ingest/ingest.h"

#include <gtest/gtest.h>

#include "base/entropy.h"
#include "ingest/rate_limiter.h"
#include "ingest/salts.h"

namespace nando {
namespace {

Site example_site() {
  Site site;
  site.id = {7};
  site.host = "blog.example.com";
  return site;
}

SiteTable table_of(Site site) {
  std::vector<Site> sites;
  sites.push_back(std::move(site));
  return SiteTable(std::move(sites));
}

struct Door1 {
  SystemEntropy entropy;
  ManualClock clock;
  SiteTables tables{table_of(example_site())};
  RateLimiter limiter{RateLimits{}, entropy};
  Salts salts{nullptr, entropy, clock.now()};
  Ingest ingest{{tables, limiter, salts, Key128{}, clock}};
  HitArena arena;
};

TEST(Ingest, APlainPageViewBecomesAHit) {
  Door1 door;
  Beacon beacon;
  beacon.url = "https://WWW.blog.example.com/a?utm_source=x&b=1#top";
  const auto result = door.ingest.accept(beacon, door.arena);
  const auto* hit = std::get_if<Hit>(&result);
  ASSERT_NE(hit, nullptr);
  EXPECT_EQ(hit->page_url, "blog.example.com/a?b=1");
  EXPECT_EQ(hit->site, SiteId{7});
}

}  // namespace
}  // namespace nando
