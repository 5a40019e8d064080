#include "ledger/commit.h"

#include <algorithm>

#include "base/assert.h"
#include "model/counting.h"
#include "telemetry/log.h"

namespace nando {

namespace {

Counted counted(Door door, AgentClass agent) {
  return counting_rule(door, agent).counted;
}

VisitorId visitor_of(const Hit& hit) {
  return counting_rule(hit.door, hit.agent).visitor == Visitor::yes ? hit.visitor : VisitorId{};
}

}  // namespace

void Commit::begin(UnixTime committed, MacKeyId key) {
  committed_ = committed;
  key_ = key;
  first_ = Sequence{parts_.counters.position().sequence.value + 1};
  batch_.clear();
  batch_.committed = committed;
  batch_.mac_key = key.value;
  kinds_ = {};
  hits_.clear();
  doubles_.clear();
  claims_.clear();
  parts_.counters.entries().begin();
  demands_.clear();
  ids_.clear();
  new_sites_.clear();
  new_pages_.clear();
  named_again_.clear();
  visits_undo_.clear();
  ids_added_ = 0;
  parts_.counters.window().expire(committed);
}

void Commit::plan(std::span<const Hit> hits, std::span<Outcome> outcomes) {
  look_ahead(hits);
  for (std::size_t i = 0; i < hits.size(); ++i) plan(hits[i], digests_[i], outcomes[i]);
}

// The retry window is far larger than any cache. So memory is asked for the places of all ids at
// once, before the first of them is looked up.
void Commit::look_ahead(std::span<const Hit> hits) {
  const auto& window = parts_.counters.window();
  digests_.assign(hits.size(), Hash128{});
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (hits[i].id.empty()) continue;
    digests_[i] = digest_of(parts_.hash_key, hits[i].site, hits[i].id);
    window.prefetch_cell(fingerprint_of(digests_[i]));
  }
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (!hits[i].id.empty()) window.prefetch_id(fingerprint_of(digests_[i]));
  }
}

void Commit::plan(const Hit& hit, const Hash128& digest, Outcome& outcome) {
  if (!hit.id.empty()) {
    if (is_repeat(hit, digest, outcome)) return;
    if (parts_.counters.window().size() + ids_.size() >= parts_.counters.window().ids_max()) {
      outcome.status = Outcome::Status::window_full;
      return;
    }
    ids_.emplace(fingerprint_of(digest), hits_.size());
  }
  auto& site = site_for(hit);
  const auto page = page_for(hit, outcome.on_other_page);
  const std::uint32_t step = is_numbered(hit.kind, hit.door, hit.agent) ? 1 : 0;
  demand_for(site.scratch, hit.site, PageId{}).wanted += step;
  demand_for(parts_.counters.pages().scratch(page), hit.site, page).wanted += step;
  hits_.push_back({&hit, &outcome, page, digest, Sequence{}, {}, 0});
}

bool Commit::is_repeat(const Hit& hit, const Hash128& digest, Outcome& outcome) {
  return repeats_planned(hit, fingerprint_of(digest), outcome) ||
         repeats_stored(hit, digest, outcome);
}

bool Commit::repeats_planned(const Hit& hit, std::uint64_t fingerprint, Outcome& outcome) {
  const auto found = ids_.find(fingerprint);
  if (found == ids_.end()) return false;
  auto index = found->second;
  const auto same_id = [&](const Planned& planned) {
    return planned.hit->site == hit.site && planned.hit->id == hit.id;
  };
  if (!same_id(hits_[index])) {
    // Two ids with one fingerprint in one batch: so rare that looking at all of them costs nothing.
    const auto again = std::find_if(hits_.begin(), hits_.end(), same_id);
    if (again == hits_.end()) return false;
    index = static_cast<std::size_t>(again - hits_.begin());
  }
  if (same_hit(hit, hits_[index].hit->kind, hits_[index].page)) {
    doubles_.push_back({&outcome, index});
  } else {
    outcome.status = Outcome::Status::id_reused;
  }
  return true;
}

bool Commit::repeats_stored(const Hit& hit, const Hash128& digest, Outcome& outcome) {
  const auto durable = parts_.counters.position().sequence;
  const auto found = parts_.counters.window().find(fingerprint_of(digest), [&](Sequence sequence) {
    const auto stored = parts_.reader.find(sequence, durable);
    if (!stored) {
      log_error("cannot read back record {}: {}", sequence.value, stored.error().message);
      outcome.status = Outcome::Status::failed;
      return true;
    }
    const RecordView view{stored->kind, stored->version, stored->count, stored->detail};
    const auto record = decode_hit(view, {sequence, stored->committed});
    if (!record) {
      log_error("cannot read back record {}: {}", sequence.value, record.error().message);
      outcome.status = Outcome::Status::failed;
      return true;
    }
    // Where the id was removed with the details, the fingerprint is all there is to go by.
    if (record->site != hit.site || (!record->id.empty() && record->id != hit.id)) return false;
    if (same_hit(hit, record->kind, record->page)) {
      fill_from(*record, *stored, hit, digest, outcome);
    } else {
      outcome.status = Outcome::Status::id_reused;
    }
    return true;
  });
  return found.has_value();
}

bool Commit::same_hit(const Hit& hit, HitKind kind, PageId page) const {
  if (hit.kind != kind) return false;
  const auto& pages = parts_.counters.pages();
  const auto known = pages.find_unlocked(hit.page);
  if (known) return *known == page;
  const auto* site = parts_.counters.sites().find(hit.site);
  return site != nullptr && site->other == page;
}

void Commit::fill_from(const HitRecord& record, const StoredRecord& stored, const Hit& repeat,
                       const Hash128& digest, Outcome& outcome) {
  const auto& sites = parts_.counters.sites();
  const auto* site = sites.find(record.site);
  if (counted(record.door, record.agent) == Counted::no) {
    outcome.status = Outcome::Status::bot;
    return;
  }
  outcome.status = Outcome::Status::duplicate;
  outcome.on_other_page = site != nullptr && site->other == record.page;
  outcome.page_ordinal = record.page_ordinal;
  outcome.site_ordinal = record.site_ordinal;
  outcome.page_shown = record.page_ordinal + sites.page_base(record.page);
  outcome.site_shown = record.site_ordinal + sites.base(record.site);
  auto& receipt = outcome.receipt;
  receipt.key = MacKeyId{stored.mac_key};
  receipt.epoch = stored.epoch;
  receipt.sequence = stored.sequence;
  receipt.site = record.site;
  receipt.page = record.page;
  receipt.page_ordinal = record.page_ordinal;
  receipt.committed = stored.committed;
  receipt.id_digest = digest;
  // Where the details were removed, whoever asks again says it again; but not who may claim.
  const auto& secret_hash = record.id.empty() ? repeat.secret_hash : record.secret_hash;
  receipt.secret_hash = secret_hash.value_or(SecretHash{});
  std::copy_n(stored.head.begin(), receipt.head.size(), receipt.head.begin());
  if (record.has_draw_entry) fill_entry(stored, outcome);
}

// The entry's record follows the hit's.
void Commit::fill_entry(const StoredRecord& hit, Outcome& outcome) {
  const auto durable = parts_.counters.position().sequence;
  const Sequence next{hit.sequence.value + 1};
  const auto stored = parts_.reader.find(next, durable);
  const auto entry = stored ? decode_entry({stored->kind, stored->version, stored->count, {}})
                            : Result<EntryRecord>(stored.error());
  if (!entry) {
    log_error("cannot read back record {}: {}", next.value, entry.error().message);
    outcome.status = Outcome::Status::failed;
    return;
  }
  outcome.receipt.promotion = entry->promotion.value;
  outcome.receipt.entry_ordinal = entry->ordinal;
  outcome.receipt.secret_hash = entry->secret_hash;
}

SiteCounts::Entry& Commit::site_for(const Hit& hit) {
  auto& sites = parts_.counters.sites();
  if (auto* known = sites.find(hit.site)) return *known;
  add_record(batch_, SiteRecord{hit.site, hit.site_host});
  ++kinds_[static_cast<std::size_t>(RecordKind::site)];
  new_sites_.push_back(hit.site);
  return sites.add(hit.site, hit.site_host);
}

PageId Commit::page_for(const Hit& hit, bool& on_other) {
  auto& pages = parts_.counters.pages();
  if (const auto known = pages.find_unlocked(hit.page)) {
    const bool tells = !parts_.counters.sites().find(hit.site)->removed;
    if (pages.is_nameless(*known) && tells) name_again(hit, *known);
    return *known;
  }
  auto& site = *parts_.counters.sites().find(hit.site);
  if (site.pages < hit.site_pages_max &&
      pages.size() < PageTable::kPagesMax - SiteCounts::kSitesMax) {
    ++site.pages;
    new_pages_.push_back({hit.site, false});
    return introduce_page(hit, hit.page, site.removed ? std::string_view() : hit.page_url);
  }
  on_other = true;
  if (!site.other) {
    new_pages_.push_back({hit.site, true});
    site.other = introduce_page(hit, other_page_key(parts_.hash_key, hit.site), kOtherPageUrl);
  }
  return site.other;
}

// The page was removed and is visited again: its count goes on, and its URL is known from here on.
void Commit::name_again(const Hit& hit, PageId page) {
  add_record(
      batch_,
      PageRecord{
          .page = page, .site = hit.site, .key = hit.page, .url = hit.page_url, .is_again = true});
  ++kinds_[static_cast<std::size_t>(RecordKind::page)];
  parts_.counters.pages().give_name(page);
  named_again_.push_back(page);
}

PageId Commit::introduce_page(const Hit& hit, const PageKey& key, std::string_view url) {
  const auto page = parts_.counters.pages().add(key, hit.site);
  add_record(batch_, PageRecord{.page = page,
                                .site = hit.site,
                                .key = key,
                                .is_other = new_pages_.back().is_other,
                                .url = url});
  ++kinds_[static_cast<std::size_t>(RecordKind::page)];
  return page;
}

OrdinalDemand& Commit::demand_for(std::uint32_t& scratch, SiteId site, PageId page) {
  if (scratch == 0) {
    const auto key = page ? parts_.counters.pages().key(page) : PageKey{};
    demands_.push_back({site, page, key, 0, 0});
    scratch = static_cast<std::uint32_t>(demands_.size());
  }
  return demands_[scratch - 1];
}

Result<> Commit::number() {
  auto numbered = parts_.numbering.reserve(BatchNumber{first_.value}, demands_);
  if (!numbered) return numbered;
  // From here on `last` is the last one given; each page view takes the next.
  ordinals_left_ = 0;
  for (auto& demand : demands_) {
    demand.last -= demand.wanted;
    ordinals_left_ += demand.wanted;
  }
  return {};
}

// The entry that a planned hit earns, as far as it is eligible by what it is.
std::optional<EntryRecord> Commit::entry_for(const Planned& planned) {
  const auto& hit = *planned.hit;
  const bool may = hit.promotion && hit.kind == HitKind::page_view &&
                   counting_rule(hit.door, hit.agent).eligible == Eligible::yes;
  if (!may) return std::nullopt;
  auto entry = parts_.counters.entries().earned(hit.promotion, hit.site, hit.entrant, committed_);
  if (!entry) return std::nullopt;
  entry->id_digest = planned.digest;
  entry->secret_hash = hit.secret_hash.value_or(SecretHash{});
  return entry;
}

VisitId Commit::visit_for(const Hit& hit, Sequence sequence) {
  auto& visits = parts_.counters.visits();
  auto visit = visits.open(hit.visitor, committed_);
  if (!visit && hit.visitor_yesterday) visit = visits.open(hit.visitor_yesterday, committed_);
  const auto chosen = visit.value_or(VisitId{sequence.value});
  visits_undo_.push_back(visits.touch(hit.visitor, chosen, committed_));
  return chosen;
}

void Commit::write() {
  Sequence sequence{first_.value + batch_.records()};
  auto& entries = parts_.counters.entries();
  for (auto& planned : hits_) {
    const auto& hit = *planned.hit;
    planned.sequence = sequence;
    auto& page = demands_[parts_.counters.pages().scratch(planned.page) - 1];
    const auto& entry = *parts_.counters.sites().find(hit.site);
    auto& site = demands_[entry.scratch - 1];
    if (is_numbered(hit.kind, hit.door, hit.agent)) {
      ++page.last;
      ++site.last;
      ordinals_left_ -= 2;
    }
    show(page, site, *planned.outcome);

    HitRecord record{.kind = hit.kind,
                     .door = hit.door,
                     .agent = hit.agent,
                     .site = hit.site,
                     .page = planned.page,
                     .page_ordinal = page.last,
                     .site_ordinal = site.last,
                     .fingerprint = {},
                     .day = hit.day,
                     .at = hit.at,
                     .visitor = visitor_of(hit),
                     .id = hit.id,
                     .secret_hash = hit.secret_hash,
                     .referrer = hit.referrer,
                     .title = hit.title,
                     .name = hit.name,
                     .props = hit.props,
                     .screen = hit.screen,
                     .language = hit.language};
    if (record.visitor) {
      record.visit = visit_for(hit, sequence);
      record.is_entry = record.visit.value == sequence.value;
    }
    if (!hit.id.empty()) {
      record.fingerprint = fingerprint_of(planned.digest);
      parts_.counters.window().add(*record.fingerprint, sequence, committed_);
      ++ids_added_;
    }
    // A hit that was under way while its site was removed.
    if (entry.removed) record = without_details(record);
    const auto draw_entry = entry_for(planned);
    record.has_draw_entry = draw_entry.has_value();
    add_record(batch_, record, {sequence, committed_});
    ++kinds_[static_cast<std::size_t>(hit.kind == HitKind::page_view ? RecordKind::page_view
                                                                     : RecordKind::event)];
    ++sequence.value;
    if (!draw_entry) continue;
    add_record(batch_, *draw_entry);
    ++kinds_[static_cast<std::size_t>(RecordKind::entry)];
    const bool follows = entries.add(*draw_entry, committed_);
    ASSERT(follows);
    planned.promotion = draw_entry->promotion;
    planned.entry = draw_entry->ordinal;
    ++sequence.value;
  }
  write_claims();
  // What was reserved is given: a counter that nodes share would have a hole.
  ASSERT(ordinals_left_ == 0);
}

void Commit::show(const OrdinalDemand& page, const OrdinalDemand& site, Outcome& outcome) const {
  const auto& sites = parts_.counters.sites();
  outcome.page_ordinal = page.last;
  outcome.site_ordinal = site.last;
  outcome.page_shown = page.last + sites.page_base(page.page);
  outcome.site_shown = site.last + sites.base(site.site);
}

void Commit::apply(const Position& position) {
  auto& counters = parts_.counters;
  for (const auto& planned : hits_) {
    auto& outcome = *planned.outcome;
    counters.pages().set_count(planned.page, outcome.page_ordinal);
    counters.sites()
        .find(planned.hit->site)
        ->count.store(outcome.site_ordinal, std::memory_order_release);
    if (counted(planned.hit->door, planned.hit->agent) == Counted::no) {
      outcome.status = Outcome::Status::bot;
      continue;
    }
    outcome.status = Outcome::Status::counted;
    auto& receipt = outcome.receipt;
    receipt.key = key_;
    receipt.epoch = position.epoch;
    receipt.sequence = planned.sequence;
    receipt.site = planned.hit->site;
    receipt.page = planned.page;
    receipt.page_ordinal = outcome.page_ordinal;
    receipt.committed = committed_;
    receipt.id_digest = planned.digest;
    receipt.secret_hash = planned.hit->secret_hash.value_or(SecretHash{});
    receipt.promotion = planned.promotion.value;
    receipt.entry_ordinal = planned.entry;
    std::copy_n(position.head.begin(), receipt.head.size(), receipt.head.begin());
  }
  for (const auto& repeat : doubles_) {
    *repeat.outcome = *hits_[repeat.first].outcome;
    if (was_counted(*repeat.outcome)) repeat.outcome->status = Outcome::Status::duplicate;
  }
  counters.finish(position, committed_, kinds_);
  clear_scratch();
}

void Commit::clear_scratch() {
  for (const auto& demand : demands_) {
    if (demand.page) {
      parts_.counters.pages().scratch(demand.page) = 0;
    } else {
      parts_.counters.sites().find(demand.site)->scratch = 0;
    }
  }
}

void Commit::abandon(Outcome::Status status) {
  parts_.counters.entries().take_back();
  for (const auto& planned : hits_) planned.outcome->status = status;
  for (const auto& repeat : doubles_) repeat.outcome->status = status;
  for (const auto& claim : claims_) claim.outcome->status = claim_status_of(status);
}

void Commit::undo(Outcome::Status status) {
  abandon(status);
  clear_scratch();
  auto& counters = parts_.counters;
  for (; ids_added_ > 0; --ids_added_) counters.window().remove_last();
  for (auto undo = visits_undo_.rbegin(); undo != visits_undo_.rend(); ++undo)
    counters.visits().restore(*undo);
  for (auto page = new_pages_.rbegin(); page != new_pages_.rend(); ++page) {
    auto& site = *counters.sites().find(page->site);
    if (page->is_other) {
      site.other = PageId{};
    } else {
      --site.pages;
    }
    counters.pages().remove_last();
  }
  for (const auto page : named_again_) counters.pages().drop_name(page);
  for (const auto site : new_sites_) counters.sites().remove(site);
}

}  // namespace nando
