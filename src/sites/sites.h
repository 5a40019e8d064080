// Sites: the websites counted here and their settings, kept in the registry. Publishes the
// SiteTable that ingest reads.
//
// Invariants
//   - A site id is never given twice, not even after the site was removed.
//   - No host belongs to two sites, as host or as alias.
//   - What is published is what is in the registry.
//
// Failure: as the registry's. What was refused changed nothing, but may have cost an id.
// Threads: any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/site.h"
#include "registry/registry.h"

namespace nando {

enum class SiteOrigin : std::uint8_t { hand, automatic };  // `site add`, or `--auto-sites`.

struct SiteDraft {
  std::string host;      // As typed.
  std::string timezone;  // Empty: UTC.
  Visibility counts = Visibility::closed;
  SiteOrigin origin = SiteOrigin::hand;
};

class Sites {
 public:
  // Reads the registry and publishes. Both outlive this. New ids are greater than `used`, the last
  // one the journal knows.
  static Result<std::unique_ptr<Sites>> open(Registry& registry, SiteTables& tables,
                                             SiteId used = SiteId{});

  struct Added {
    Site site;
    std::string note;  // parse_host()'s.
  };
  // Code::invalid names what would be right; Code::conflict names the site that has the host.
  Result<Added> add(const SiteDraft& draft);

  // Sets one of site_keys() to `value`, given as text. Code::not_found if there is no such site.
  Result<Site> set(std::string_view host, std::string_view key, std::string_view value);

  // Its hits stay in the journal; its id is not used again.
  Result<> remove(std::string_view host);

  // By host or alias. Code::not_found says what to do.
  Result<Site> find(std::string_view host) const;
  Result<Site> find(SiteId id) const;

  // By host, in byte order.
  std::vector<Site> list() const;

  std::size_t automatic_count() const { return automatic_count_.load(std::memory_order_relaxed); }
  // A site of this host was removed and none was made since.
  bool was_removed(std::string_view host) const;

 private:
  struct Entry {
    Site site;
    SiteOrigin origin = SiteOrigin::hand;
    Document document;  // As it stands in the registry.
  };

  Sites(Registry& registry, SiteTables& tables) : registry_(registry), tables_(tables) {}
  Result<> load(SiteId used);
  Result<> write(Entry& entry, Fields changed);
  Result<SiteId> take_id();
  Entry* entry_of(std::string_view host);
  const Entry* entry_of(std::string_view host) const;
  Result<> check_free(std::string_view host, SiteId but) const;
  void publish();

  Registry& registry_;
  SiteTables& tables_;
  mutable std::mutex mutex_;
  std::map<SiteId, Entry> entries_;  // Live sites only.
  std::set<std::string, std::less<>> removed_hosts_;
  SiteId last_id_;
  Version counter_version_ = kNoVersion;
  std::atomic<std::size_t> automatic_count_{0};
};

}  // namespace nando
