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

SiteTables::SiteTables(SiteTable first)
    : current_(std::make_shared<const SiteTable>(std::move(first))) {}

void SiteTables::publish(SiteTable table) {
  auto next = std::make_shared<const SiteTable>(std::move(table));
  const std::lock_guard lock(mutex_);
  current_ = std::move(next);
  version_.fetch_add(1, std::memory_order_release);
}

const SiteTable& SiteTables::Reader::get() {
  if (tables_->version_.load(std::memory_order_acquire) != version_) {
    const std::lock_guard lock(tables_->mutex_);
    held_ = tables_->current_;
    version_ = tables_->version_.load(std::memory_order_relaxed);
  }
  return *held_;
}

}  // namespace nando
