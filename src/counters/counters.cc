#include "counters/counters.h"

#include "model/counting.h"

namespace nando {

Result<> Counters::fold(const BatchView& batch) {
  return nando::fold(batch, *this);
}

bool Counters::add_site(const SiteRecord& record) {
  if (record.site.value == 0 || record.site.value >= SiteCounts::kSitesMax ||
      sites_.find(record.site))
    return false;
  sites_.add(record.site, record.host);
  return true;
}

bool Counters::add_page(const PageRecord& record) {
  auto* site = sites_.find(record.site);
  if (site == nullptr) return false;
  if (record.is_again) {
    if (pages_.find_unlocked(record.key) != record.page) return false;
    pages_.give_name(record.page);
    return true;
  }
  if (record.page.value != pages_.size() + 1) return false;
  if (pages_.find_unlocked(record.key)) return false;
  const auto page = pages_.add(record.key, record.site);
  if (record.is_other) {
    site->other = page;
  } else {
    ++site->pages;
  }
  return true;
}

bool Counters::add_hit(const HitRecord& record, const RecordContext& context) {
  auto* site = sites_.find(record.site);
  if (site == nullptr || !pages_.contains(record.page)) return false;
  const std::uint64_t step = is_numbered(record.kind, record.door, record.agent) ? 1 : 0;
  if (record.page_ordinal != pages_.count(record.page) + step) return false;
  if (record.site_ordinal != site->count.load(std::memory_order_relaxed) + step) return false;
  pages_.set_count(record.page, record.page_ordinal);
  site->count.store(record.site_ordinal, std::memory_order_release);
  if (record.fingerprint) {
    window_.expire(context.committed);
    if (window_.full()) return false;
    window_.add(*record.fingerprint, context.sequence, context.committed);
  }
  if (record.visitor) visits_.touch(record.visitor, record.visit, context.committed);
  return true;
}

bool Counters::set_base(const BaseRecord& record) {
  auto* site = sites_.find(record.site);
  if (site == nullptr) return false;
  if (record.page.value == 0) {
    site->base.store(record.base, std::memory_order_release);
    return true;
  }
  if (!pages_.contains(record.page)) return false;
  sites_.set_page_base(record.page, record.base);
  return true;
}

bool Counters::remove(const RemovalRecord& record) {
  auto* site = sites_.find(record.site);
  if (site == nullptr || record.after > record.up_to) return false;
  if (record.what == Removal::page) {
    if (!pages_.contains(record.page) || pages_.site(record.page) != record.site) return false;
    pages_.drop_name(record.page);
    return true;
  }
  site->expired_to = std::max(site->expired_to, record.up_to);
  if (record.what == Removal::site) {
    site->host.clear();
    site->removed = true;
  }
  return true;
}

void Counters::finish(const Position& position, UnixTime committed, const KindCounts& kinds) {
  for (std::size_t i = 0; i < kinds.size(); ++i) kinds_[i] += kinds[i];
  visits_.advance(committed);
  entries_.publish();
  window_.expire(committed);
  set_position(position, committed);
}

}  // namespace nando
