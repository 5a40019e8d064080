#include "ingest/ingest.h"

#include <array>
#include <atomic>
#include <span>
#include <string>

#include "agents/agent_memo.h"
#include "base/assert.h"
#include "ingest/exclusions.h"
#include "ingest/origin.h"
#include "ingest/page_url.h"
#include "ingest/rate_limiter.h"
#include "ingest/url.h"
#include "ingest/url_memo.h"
#include "visitors/entrants.h"
#include "visitors/pseudonym.h"

namespace nando {

namespace {

using Refusal = std::optional<DropReason>;

// What the steps of one thread work with.
struct Bench {
  explicit Bench(const IngestParts& given)
      : parts(given),
        sites(given.sites),
        memo(given.hash_key),
        agents(given.hash_key),
        pseudonyms(given.salts) {
    if (given.promotions == nullptr) return;
    promotions.emplace(*given.promotions);
    entrants.emplace(*given.entrant_key);
  }

  IngestParts parts;
  SiteTables::Reader sites;
  std::uint64_t sites_version = 0;
  const SiteTable* table = nullptr;  // Of that version; stays valid while one beacon is worked on.
  UrlMemo memo;
  AgentMemo agents;
  Pseudonyms pseudonyms;
  std::optional<PromotionTables::Reader> promotions;
  std::optional<Entrants> entrants;
  UrlReader url;           // Of the page.
  UrlReader other_url;     // Of headers and of the referrer.
  std::string page_url;    // As spelled.
  std::string other_text;  // Of what other_url read, as spelled.
};

// A beacon on its way to being a hit.
struct Draft {
  const Beacon& beacon;
  const Site* site = nullptr;
  const UrlParts* url = nullptr;  // Null: the memo knew the page, and it is spelled already.
  PageKey page{};
  AgentClass agent = AgentClass::person;
  Pseudonyms::Names visitor{};
  PromotionId promotion;
  Entrant entrant;
};

void update_sites(Bench& bench) {
  bench.table = &bench.sites.get();
  if (bench.sites.version() == bench.sites_version) return;
  bench.sites_version = bench.sites.version();
  bench.memo.clear();
  bench.pseudonyms.forget();
}

Refusal find_registered(Bench& bench, Draft& draft) {
  const auto raw = draft.beacon.url;
  if (raw.size() > kUrlBytesMax) return DropReason::url_too_long;
  update_sites(bench);
  if (const auto known = bench.memo.find(raw)) {
    draft.site = known->site;
    draft.page = known->page;
    bench.page_url = known->url;
    return std::nullopt;
  }
  draft.url = bench.url.read(raw);
  if (draft.url == nullptr || !is_web(*draft.url)) return DropReason::bad_url;
  draft.site = bench.table->find(draft.url->host);
  if (draft.site == nullptr) return DropReason::unknown_site;
  return std::nullopt;
}

Refusal find_site(Bench& bench, Draft& draft) {
  const auto refusal = find_registered(bench, draft);
  auto* const maker = bench.parts.site_maker;
  if (refusal != DropReason::unknown_site || maker == nullptr) return refusal;
  if (draft.beacon.is_of_known_site) return refusal;
  switch (maker->make_site(draft.url->host)) {
    case SiteMade::yes:
      return find_registered(bench, draft);
    case SiteMade::no:
      return refusal;
    case SiteMade::failed:
      break;
  }
  return DropReason::site_not_saved;
}

Refusal check_rate(Bench& bench, Draft& draft) {
  const auto& beacon = draft.beacon;
  if (beacon.door == Door::api_token) return std::nullopt;
  const auto now = bench.parts.clock.monotonic();
  if (bench.parts.rate_limiter.take(beacon.address, draft.site->id, now)) return std::nullopt;
  return DropReason::rate_limited;
}

// Spells a URL of `site` into `text` and remembers it as the page of `raw`. Nothing if it got too
// long.
std::optional<PageKey> spell(Bench& bench, std::string_view raw, const UrlParts& url,
                             const Site& site, std::string& text) {
  spell_page(url, page_host(*bench.table, site, url.host), site, text);
  if (text.size() > kUrlBytesMax) return std::nullopt;
  const auto page = page_key(bench.parts.hash_key, site.id, text);
  bench.memo.put(raw, {&site, page, text});
  return page;
}

bool belongs(Bench& bench, const Site& site, std::string_view text) {
  if (const auto known = bench.memo.find(text)) return known->site == &site;
  const auto* url = bench.other_url.read(text);
  if (url == nullptr || !is_web(*url) || bench.table->find(url->host) != &site) return false;
  spell(bench, text, *url, site, bench.other_text);  // An origin is seen again with every hit.
  return true;
}

Refusal check_origin(Bench& bench, Draft& draft) {
  const auto& beacon = draft.beacon;
  if (beacon.door == Door::api_token) return std::nullopt;
  const auto is_own = [&](std::string_view text) { return belongs(bench, *draft.site, text); };
  if (origin_allows(beacon.origin, beacon.referer, is_own)) return std::nullopt;
  return DropReason::foreign_host;
}

Refusal check_exclusions(Bench&, Draft& draft) {
  if (is_unseen(draft.beacon.sec_purpose)) return DropReason::excluded;
  return std::nullopt;
}

Refusal normalise_page(Bench& bench, Draft& draft) {
  if (draft.url == nullptr) return std::nullopt;
  const auto page = spell(bench, draft.beacon.url, *draft.url, *draft.site, bench.page_url);
  if (!page) return DropReason::url_too_long;
  draft.page = *page;
  return std::nullopt;
}

// Refuses nobody: what a class is good for depends on the door (model/counting.h).
Refusal classify(Bench& bench, Draft& draft) {
  draft.agent = bench.agents.class_of(draft.beacon.user_agent);
  return std::nullopt;
}

Refusal make_pseudonym(Bench& bench, Draft& draft) {
  const auto& beacon = draft.beacon;
  draft.visitor = bench.pseudonyms.names_of(*draft.site, beacon.address, beacon.user_agent,
                                            bench.parts.clock.now());
  return std::nullopt;
}

// Of a page that a promotion covers, with a secret to claim by, on a site that gives out receipts:
// who would enter. Whether they may is for the commit to say, which alone knows who has.
Refusal find_promotion(Bench& bench, Draft& draft) {
  if (!bench.promotions || !draft.beacon.secret_hash) return std::nullopt;
  if (draft.site->counts == Visibility::closed) return std::nullopt;
  const auto& table = bench.promotions->get();
  if (table.running.empty()) return std::nullopt;
  const auto* found = table.covering(draft.site->id, bench.page_url);
  if (found == nullptr) return std::nullopt;
  draft.promotion = found->id;
  draft.entrant = bench.entrants->of(found->id, draft.beacon.address, draft.beacon.user_agent);
  return std::nullopt;
}

struct Step {
  std::string_view name;
  Refusal (*run)(Bench&, Draft&);
  std::array<std::optional<DropReason>, 4> reasons;  // For which it refuses.
};

// The steps, in the order they run: cheapest refusal first.
constexpr std::array kSteps = {
    Step{"site",
         find_site,
         {DropReason::unknown_site, DropReason::bad_url, DropReason::url_too_long,
          DropReason::site_not_saved}},
    Step{"rate", check_rate, {DropReason::rate_limited}},
    Step{"origin", check_origin, {DropReason::foreign_host}},
    Step{"exclusion", check_exclusions, {DropReason::excluded}},
    Step{"page", normalise_page, {DropReason::url_too_long}},
    Step{"agent", classify, {}},
    Step{"visitor", make_pseudonym, {}},
    Step{"promotion", find_promotion, {}},  // The address ends here.
};

// The text of a hit, moved to where it lives until the commit. Of the address and the agent nothing
// is left but the pseudonym.
Hit finish(Bench& bench, const Draft& draft, HitArena& arena) {
  const auto& beacon = draft.beacon;
  Hit hit;
  hit.kind = beacon.name.empty() ? HitKind::page_view : HitKind::event;
  hit.door = beacon.door;
  hit.agent = draft.agent;
  hit.site = draft.site->id;
  hit.site_pages_max = draft.site->pages_max;
  hit.site_host = arena.keep(draft.site->host);
  hit.page = draft.page;
  hit.page_url = arena.keep(bench.page_url);
  hit.day = draft.visitor.day;
  hit.visitor = draft.visitor.visitor;
  hit.visitor_yesterday = draft.visitor.yesterday;
  hit.promotion = draft.promotion;
  hit.entrant = draft.entrant;
  hit.id = arena.keep(beacon.id);
  hit.secret_hash = beacon.secret_hash;
  hit.at = beacon.time;
  if (!beacon.referrer.empty()) {
    spell_referrer(bench.other_url, beacon.referrer, bench.other_text);
    hit.referrer = arena.keep(bench.other_text);
  }
  hit.title = arena.keep(beacon.title);
  hit.name = arena.keep(beacon.name);
  hit.props = arena.keep(beacon.props);
  hit.screen = arena.keep(beacon.screen);
  hit.language = arena.keep(beacon.language);
  return hit;
}

}  // namespace

struct Ingest::State {
  using Row = std::array<std::atomic<std::uint64_t>, kDropReasonNames.size()>;

  explicit State(const IngestParts& parts) : bench(parts) {
    bench.agents.class_of("Mozilla/5.0");  // So that no hit waits until patterns are compiled.
  }

  Bench bench;
  std::array<Row, kSteps.size()> refused{};
};

Ingest::Ingest(const IngestParts& parts) : state_(std::make_unique<State>(parts)) {}
Ingest::~Ingest() = default;

std::variant<Hit, DropReason> Ingest::accept(const Beacon& beacon, HitArena& arena) {
  Draft draft{.beacon = beacon};
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    const auto refusal = kSteps[i].run(state_->bench, draft);
    if (!refusal) continue;
    state_->refused[i]
        .at(static_cast<std::size_t>(*refusal))
        .fetch_add(1, std::memory_order_relaxed);
    return *refusal;
  }
  return finish(state_->bench, draft, arena);
}

std::variant<Ingest::PageName, DropReason> Ingest::page_of(std::string_view url) {
  auto& bench = state_->bench;
  Beacon beacon;
  beacon.url = url;
  Draft draft{.beacon = beacon};
  if (const auto refusal = find_registered(bench, draft)) return *refusal;
  if (const auto refusal = normalise_page(bench, draft)) return *refusal;
  return PageName{draft.site, draft.page, bench.page_url};
}

std::string Ingest::host_of(std::string_view url) {
  if (url.size() > kUrlBytesMax) return {};
  const auto* parts = state_->bench.other_url.read(url);
  return parts != nullptr && is_web(*parts) ? std::string(parts->host) : std::string();
}

std::vector<Ingest::StepCount> Ingest::refusals() const {
  std::vector<StepCount> counts;
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    for (const auto& reason : kSteps[i].reasons) {
      if (!reason) continue;
      const auto& count = state_->refused[i].at(static_cast<std::size_t>(*reason));
      counts.push_back({kSteps[i].name, *reason, count.load(std::memory_order_relaxed)});
    }
  }
  return counts;
}

}  // namespace nando
