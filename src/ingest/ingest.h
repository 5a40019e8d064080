// Ingest: a beacon in, a hit or a reason out. The only maker of Hits.
//
// The steps run in the order of kSteps (ingest.cc), cheapest refusal first, and the visitor's
// address is forgotten at the last step that needs it. Each step is a function in its own file,
// tested alone.
//
// Threads: an Ingest belongs to one I/O thread (it keeps memos); RateLimiter and Salts are shared
// and say so themselves.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "model/beacon.h"
#include "model/drop_reason.h"
#include "model/hit.h"
#include "model/hit_arena.h"
#include "model/promotion.h"
#include "model/site.h"

namespace nando {

class RateLimiter;
class Salts;
class UrlMemo;
class EntrantKey;

// Asked when no site has the host, if `--auto-sites` is on: registers it and publishes a new
// SiteTable, or does not.
class SiteMaker {
 public:
  virtual ~SiteMaker() = default;
  virtual SiteMade make_site(std::string_view host) = 0;  // Any thread; yes: the table has it now.
};

struct IngestParts {
  const SiteTables& sites;
  RateLimiter& rate_limiter;
  Salts& salts;
  Key128 hash_key;  // The journal's.
  const Clock& clock;
  SiteMaker* site_maker = nullptr;
  // Both, or neither: then no hit enters a promotion.
  const PromotionTables* promotions = nullptr;
  const EntrantKey* entrant_key = nullptr;
};

class Ingest {
 public:
  explicit Ingest(const IngestParts& parts);
  ~Ingest();

  // The hit's text is kept in `arena`. Nothing of the beacon is needed after this returns.
  std::variant<Hit, DropReason> accept(const Beacon& beacon, HitArena& arena);

  // The page a URL names, for reading its count: the same spelling, and no side effect. DropReason
  // unknown_site, bad_url or url_too_long.
  struct PageName {
    const Site* site;  // Valid until the next call.
    PageKey page;
    std::string_view url;  // As spelled. Valid until the next call.
  };
  std::variant<PageName, DropReason> page_of(std::string_view url);

  // The host that a URL names, in lower case; empty if it is none of the web.
  std::string host_of(std::string_view url);

  // How many beacons each step has refused, in the order of the steps, for /metrics; a row for each
  // reason that a step may have. Any thread.
  struct StepCount {
    std::string_view step;
    DropReason reason;
    std::uint64_t beacons;
  };
  std::vector<StepCount> refusals() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nando
