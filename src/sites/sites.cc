#include "sites/sites.h"

#include <algorithm>

#include "base/assert.h"
#include "registry/fields.h"
#include "sites/host.h"
#include "sites/site_keys.h"

namespace nando {

namespace {

constexpr std::string_view kKind = "site";
constexpr std::string_view kCounterKind = "counter";

Error cannot_read(const Document& document, const std::string& why) {
  return {Code::invalid, "the registry's site " + document.id + " cannot be used: " + why};
}

Result<Site> site_of(const Document& document) {
  Site site;
  const auto id = parse_number<std::uint32_t>(document.id);
  if (!id || *id == 0) return cannot_read(document, "its id is no number");
  site.id = SiteId{*id};
  site.host = field(document.fields, "host");
  if (site.host.empty()) return cannot_read(document, "it has no host");
  for (const auto& key : site_keys()) {
    const auto found = document.fields.find(std::string(key.name));
    if (found == document.fields.end()) continue;
    if (auto set = key.set(site, found->second); !set) {
      return cannot_read(document, set.error().message);
    }
  }
  return site;
}

Fields fields_of(const Site& site) {
  Fields fields{{"host", site.host}};
  for (const auto& key : site_keys()) fields.emplace(key.name, key.get(site));
  return fields;
}

bool has_host(const Site& site, std::string_view host) {
  return site.host == host || std::ranges::count(site.aliases, host) > 0;
}

Error no_site(std::string_view host) {
  return {Code::not_found, "there is no site " + std::string(host) +
                               "; add it with: nandolytics site add " + std::string(host)};
}

}  // namespace

Result<std::unique_ptr<Sites>> Sites::open(Registry& registry, SiteTables& tables, SiteId used) {
  std::unique_ptr<Sites> sites(new Sites(registry, tables));
  if (auto loaded = sites->load(used); !loaded) return loaded.error();
  sites->publish();
  return sites;
}

Result<> Sites::load(SiteId used) {
  last_id_ = used;
  const auto counter = registry_.get(kCounterKind, kKind);
  if (!counter && counter.error().code != Code::not_found) return counter.error();
  if (counter) {
    const auto last = parse_number<std::uint32_t>(field(counter->fields, "last"));
    if (!last) return Error{Code::invalid, "the registry's counter of sites is no number"};
    counter_version_ = counter->version;
    last_id_ = std::max(last_id_, SiteId{*last});
  }
  auto documents = registry_.list(kKind);
  if (!documents) return documents.error();
  for (auto& document : *documents) {
    auto site = site_of(document);
    if (!site) return site.error();
    last_id_ = std::max(last_id_, site->id);
    if (field(document.fields, "state") == "removed") {
      removed_hosts_.insert(site->host);
      continue;
    }
    const auto origin =
        field(document.fields, "origin") == "automatic" ? SiteOrigin::automatic : SiteOrigin::hand;
    if (origin == SiteOrigin::automatic) ++automatic_count_;
    entries_.emplace(site->id, Entry{*site, origin, std::move(document)});
  }
  for (const auto& [id, entry] : entries_) removed_hosts_.erase(entry.site.host);
  return {};
}

Result<Sites::Added> Sites::add(const SiteDraft& draft) {
  auto parsed = parse_host(draft.host);
  if (!parsed) return parsed.error();
  Site site;
  site.host = std::move(parsed->host);
  site.counts = draft.counts;
  const auto key = find_site_key("timezone");
  ASSERT(key);
  if (!draft.timezone.empty()) {
    if (auto set = (*key)->set(site, draft.timezone); !set) return set.error();
  }
  const std::lock_guard lock(mutex_);
  if (auto free = check_free(site.host, SiteId{}); !free) return free.error();
  const auto id = take_id();
  if (!id) return id.error();
  site.id = *id;
  Entry entry{site, draft.origin, {std::to_string(id->value), kNoVersion, {}}};
  auto fields = fields_of(site);
  fields["state"] = "live";
  fields["origin"] = draft.origin == SiteOrigin::automatic ? "automatic" : "hand";
  if (auto written = write(entry, std::move(fields)); !written) return written.error();
  entries_.emplace(site.id, std::move(entry));
  removed_hosts_.erase(site.host);
  if (draft.origin == SiteOrigin::automatic) ++automatic_count_;
  publish();
  return Added{std::move(site), std::move(parsed->note)};
}

Result<Site> Sites::set(std::string_view host, std::string_view key_name, std::string_view value) {
  const auto key = find_site_key(key_name);
  if (!key) return key.error();
  const std::lock_guard lock(mutex_);
  auto* entry = entry_of(host);
  if (entry == nullptr) return no_site(host);
  Entry changed = *entry;
  if (auto set = (*key)->set(changed.site, value); !set) return set.error();
  for (const auto& alias : changed.site.aliases) {
    if (auto free = check_free(alias, changed.site.id); !free) return free.error();
  }
  if (auto written = write(changed, fields_of(changed.site)); !written) return written.error();
  *entry = std::move(changed);
  publish();
  return entry->site;
}

Result<> Sites::remove(std::string_view host) {
  const std::lock_guard lock(mutex_);
  auto* entry = entry_of(host);
  if (entry == nullptr) return no_site(host);
  if (auto written = write(*entry, {{"state", "removed"}}); !written) return written;
  if (entry->origin == SiteOrigin::automatic) --automatic_count_;
  removed_hosts_.insert(entry->site.host);
  entries_.erase(entry->site.id);
  publish();
  return {};
}

Result<Site> Sites::find(std::string_view host) const {
  const std::lock_guard lock(mutex_);
  const auto* entry = entry_of(host);
  if (entry == nullptr) return no_site(host);
  return entry->site;
}

Result<Site> Sites::find(SiteId id) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return Error{Code::not_found, "there is no site with id " + std::to_string(id.value)};
  }
  return found->second.site;
}

std::vector<Site> Sites::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Site> sites;
  for (const auto& [id, entry] : entries_) sites.push_back(entry.site);
  std::ranges::sort(sites, {}, &Site::host);
  return sites;
}

bool Sites::was_removed(std::string_view host) const {
  const std::lock_guard lock(mutex_);
  return removed_hosts_.contains(host);
}

// Writes `changed` over the document's fields; those that this version does not know stay.
Result<> Sites::write(Entry& entry, Fields changed) {
  changed.merge(Fields(entry.document.fields));
  const auto version = registry_.put(kKind, entry.document.id, changed, entry.document.version);
  if (!version) return version.error();
  entry.document.version = *version;
  entry.document.fields = std::move(changed);
  return {};
}

// Written before the id is used, so that a crash in between costs an id and never gives it twice.
Result<SiteId> Sites::take_id() {
  const SiteId id{last_id_.value + 1};
  if (id.value == 0) return Error{Code::invalid, "all site ids are used"};
  const auto version =
      registry_.put(kCounterKind, kKind, {{"last", std::to_string(id.value)}}, counter_version_);
  if (!version) return version.error();
  counter_version_ = *version;
  last_id_ = id;
  return id;
}

const Sites::Entry* Sites::entry_of(std::string_view host) const {
  const auto parsed = parse_host(host);
  if (!parsed) return nullptr;
  for (const auto& [id, entry] : entries_) {
    if (has_host(entry.site, parsed->host)) return &entry;
  }
  return nullptr;
}

Sites::Entry* Sites::entry_of(std::string_view host) {
  return const_cast<Entry*>(std::as_const(*this).entry_of(host));
}

Result<> Sites::check_free(std::string_view host, SiteId but) const {
  for (const auto& [id, entry] : entries_) {
    if (id == but || !has_host(entry.site, host)) continue;
    return Error{Code::conflict,
                 std::string(host) + (entry.site.host == host
                                          ? " is a site already"
                                          : " is an alias of the site " + entry.site.host)};
  }
  return {};
}

void Sites::publish() {
  std::vector<Site> sites;
  for (const auto& [id, entry] : entries_) sites.push_back(entry.site);
  tables_.publish(SiteTable(std::move(sites)));
}

}  // namespace nando
