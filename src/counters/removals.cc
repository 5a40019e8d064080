#include "counters/removals.h"

#include <algorithm>

namespace nando {

void Removals::add(const RemovalRecord& record) {
  const Range range{record.after, record.up_to};
  if (record.what == Removal::page) return add(range, pages_[record.page]);
  add(range, sites_[record.site]);
  if (record.what == Removal::site) add(range, sites_named_[record.site]);
}

// Removals come in the order of `up_to`.
void Removals::add(const Range& range, Ranges& ranges) {
  if (ranges.empty() || range.after > ranges.back().up_to) return ranges.push_back(range);
  auto& last = ranges.back();
  last = {std::min(last.after, range.after), std::max(last.up_to, range.up_to)};
}

template <class Map>
bool Removals::holds(const Map& ranges, typename Map::key_type key, Sequence sequence) {
  const auto found = ranges.find(key);
  return found != ranges.end() && std::ranges::any_of(found->second, [&](const Range& range) {
           return sequence > range.after && sequence <= range.up_to;
         });
}

Result<bool> Removals::covers(const RecordView& record, const RecordContext& context) const {
  const auto at = context.sequence;
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::page_view:
    case RecordKind::event: {
      const auto hit = decode_hit(record, context);
      if (!hit) return hit.error();
      return holds(sites_, hit->site, at) || holds(pages_, hit->page, at);
    }
    case RecordKind::page: {
      const auto page = decode_page(record);
      if (!page) return page.error();
      return holds(sites_named_, page->site, at) || holds(pages_, page->page, at);
    }
    case RecordKind::site: {
      const auto site = decode_site(record);
      if (!site) return site.error();
      return holds(sites_named_, site->site, at);
    }
    default:
      return false;
  }
}

bool Removals::touches(Sequence first, Sequence last) const {
  const auto any = [&](const auto& map) {
    return std::ranges::any_of(map, [&](const auto& entry) {
      return std::ranges::any_of(entry.second, [&](const Range& range) {
        return first <= range.up_to && last > range.after;
      });
    });
  };
  return any(sites_) || any(pages_);
}

}  // namespace nando
