// Site: one website that is counted here, with the settings that decide which page a URL is and who
// may read. SiteTable: all of them, as ingest reads them on every hit.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/day.h"
#include "model/ids.h"
#include "model/names.h"
#include "model/published.h"

namespace nando {

// What a page URL's query contributes to which page it is.
enum class QueryRule : std::uint8_t {
  keep,  // Every parameter but tracking and secret ones (ingest/page_url.h). The default.
  drop,  // None.
  only,  // Those in Site::query_keep.
};
inline constexpr std::array<std::string_view, 3> kQueryRuleNames = {"keep", "drop", "only"};
constexpr std::string_view name_of(QueryRule rule) {
  return enum_name(kQueryRuleNames, rule);
}

enum class SlashRule : std::uint8_t {
  keep,   // /a and /a/ are two pages. The default.
  strip,  // /a/ is /a.
};
inline constexpr std::array<std::string_view, 2> kSlashRuleNames = {"keep", "strip"};
constexpr std::string_view name_of(SlashRule rule) {
  return enum_name(kSlashRuleNames, rule);
}

enum class Visibility : std::uint8_t { closed, open };

// What became of the wish to make a site at its first hit.
enum class SiteMade : std::uint8_t {
  yes,     // It is a site now.
  no,      // It may not be one.
  failed,  // It could not be written down; asking again later may help.
};

inline constexpr std::uint32_t kPagesMaxDefault = 1'000'000;
inline constexpr std::uint32_t kRetainedForEver = 0;
inline constexpr std::size_t kHostBytesMax = 253;

struct Site {
  SiteId id;
  std::string host;                  // Lower case; no port, no "www.".
  std::vector<std::string> aliases;  // Further hosts of the same site, lower case.
  Zone zone = Zone::utc();
  Visibility counts = Visibility::closed;
  QueryRule query = QueryRule::keep;
  std::vector<std::string> query_keep;
  SlashRule trailing_slash = SlashRule::keep;
  std::uint32_t pages_max = kPagesMaxDefault;
  std::uint32_t retention_days = kRetainedForEver;  // Of the details of hits.
};

// An immutable snapshot. Finds a site by host, by alias, and by either with "www." in front.
class SiteTable {
 public:
  explicit SiteTable(std::vector<Site> sites);
  SiteTable(SiteTable&&) = default;
  SiteTable(const SiteTable&) = delete;  // The index points into its own sites.

  // `host` in lower case. Nothing if no site has it.
  const Site* find(std::string_view host) const;
  const Site* find(SiteId id) const;
  const std::vector<Site>& all() const { return sites_; }

 private:
  std::vector<Site> sites_;
  std::unordered_map<std::string_view, const Site*> by_host_;
};

inline SiteTable::SiteTable(std::vector<Site> sites) : sites_(std::move(sites)) {
  for (const auto& site : sites_) {
    by_host_.emplace(site.host, &site);
    for (const auto& alias : site.aliases) by_host_.emplace(alias, &site);
  }
}

inline const Site* SiteTable::find(std::string_view host) const {
  if (const auto found = by_host_.find(host); found != by_host_.end()) return found->second;
  if (!host.starts_with("www.")) return nullptr;
  const auto found = by_host_.find(host.substr(4));
  return found == by_host_.end() ? nullptr : found->second;
}

inline const Site* SiteTable::find(SiteId id) const {
  const auto found =
      std::find_if(sites_.begin(), sites_.end(), [&](const Site& site) { return site.id == id; });
  return found == sites_.end() ? nullptr : &*found;
}

using SiteTables = Published<SiteTable>;

}  // namespace nando
