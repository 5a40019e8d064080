#include "counters/site_counts.h"

namespace nando {

std::uint64_t SiteCounts::count(SiteId site) const {
  ASSERT(site.value < kSitesMax);
  const auto* entry = published_[site.value].load(std::memory_order_acquire);
  return entry == nullptr ? 0 : entry->count.load(std::memory_order_acquire);
}

std::uint64_t SiteCounts::base(SiteId site) const {
  ASSERT(site.value < kSitesMax);
  const auto* entry = published_[site.value].load(std::memory_order_acquire);
  return entry == nullptr ? 0 : entry->base.load(std::memory_order_acquire);
}

std::uint64_t SiteCounts::page_base(PageId page) const {
  if (!any_page_base_.load(std::memory_order_acquire)) return 0;
  const std::lock_guard lock(page_base_mutex_);
  const auto found = page_bases_.find(page);
  return found == page_bases_.end() ? 0 : found->second;
}

SiteCounts::Entry& SiteCounts::add(SiteId site, std::string_view host) {
  ASSERT(find(site) == nullptr);
  auto& entry = entries_[site.value];
  entry = std::make_unique<Entry>();
  entry->host = host;
  published_[site.value].store(entry.get(), std::memory_order_release);
  return *entry;
}

void SiteCounts::remove(SiteId site) {
  // A reader may still hold the entry, so it is hidden and kept.
  published_[site.value].store(nullptr, std::memory_order_release);
  retired_.push_back(std::move(entries_[site.value]));
}

void SiteCounts::set_page_base(PageId page, std::uint64_t base) {
  const std::lock_guard lock(page_base_mutex_);
  page_bases_[page] = base;
  any_page_base_.store(true, std::memory_order_release);
}

std::map<PageId, std::uint64_t> SiteCounts::page_bases() const {
  const std::lock_guard lock(page_base_mutex_);
  return page_bases_;
}

}  // namespace nando
