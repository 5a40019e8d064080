#include "counters/removals.h"

#include <algorithm>

namespace nando {

namespace {

bool in_range(const RemovalRecord& removal, Sequence sequence) {
  return sequence > removal.after && sequence <= removal.up_to;
}

}  // namespace

Result<bool> Removals::covers(const RecordView& record, const RecordContext& context) const {
  const auto any = [&](auto matches) {
    return std::ranges::any_of(records_, [&](const RemovalRecord& removal) {
      return in_range(removal, context.sequence) && matches(removal);
    });
  };
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::page_view:
    case RecordKind::event: {
      const auto hit = decode_hit(record, context);
      if (!hit) return hit.error();
      return any([&](const RemovalRecord& removal) {
        return removal.what == Removal::page ? removal.page == hit->page
                                             : removal.site == hit->site;
      });
    }
    case RecordKind::page: {
      const auto page = decode_page(record);
      if (!page) return page.error();
      return any([&](const RemovalRecord& removal) {
        if (removal.what == Removal::page) return removal.page == page->page;
        return removal.what == Removal::site && removal.site == page->site;
      });
    }
    case RecordKind::site: {
      const auto site = decode_site(record);
      if (!site) return site.error();
      return any([&](const RemovalRecord& removal) {
        return removal.what == Removal::site && removal.site == site->site;
      });
    }
    default:
      return false;
  }
}

bool Removals::touches(Sequence first, Sequence last) const {
  return std::ranges::any_of(records_, [&](const RemovalRecord& removal) {
    return first <= removal.up_to && last > removal.after;
  });
}

}  // namespace nando
