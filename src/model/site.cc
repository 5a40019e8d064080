#include "model/site.h"

#include <algorithm>

namespace nando {

SiteTable::SiteTable(std::vector<Site> sites) : sites_(std::move(sites)) {
  for (const auto& site : sites_) {
    by_host_.emplace(site.host, &site);
    for (const auto& alias : site.aliases) by_host_.emplace(alias, &site);
  }
}

const Site* SiteTable::find(std::string_view host) const {
  if (const auto found = by_host_.find(host); found != by_host_.end()) return found->second;
  if (!host.starts_with("www.")) return nullptr;
  const auto found = by_host_.find(host.substr(4));
  return found == by_host_.end() ? nullptr : found->second;
}

const Site* SiteTable::find(SiteId id) const {
  const auto found =
      std::find_if(sites_.begin(), sites_.end(), [&](const Site& site) { return site.id == id; });
  return found == sites_.end() ? nullptr : &*found;
}

}  // namespace nando
