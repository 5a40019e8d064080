#include "feed/row_maker.h"

#include "model/counting.h"
#include "wire/json.h"

namespace nando {

void RowMaker::begin(const std::map<SiteId, std::string>& zones) {
  clocks_.clear();
  for (const auto& [site, name] : zones) {
    clocks_.emplace(site, LocalClock{Zone::find(name).value_or(Zone::utc()), {}});
  }
  sites_version_ = 0;
}

std::optional<SiteId> RowMaker::moved_site() {
  const auto& table = sites_.get();
  if (sites_.version() == sites_version_) return std::nullopt;
  for (const auto& [id, clock] : clocks_) {
    const auto* site = table.find(id);
    if (site != nullptr && site->zone.name() != clock.zone.name()) return id;
  }
  sites_version_ = sites_.version();
  return std::nullopt;
}

Result<> RowMaker::add(const BatchView& batch, Rows& rows) {
  RecordContext context{batch.first, batch.committed};
  for (const auto& record : batch.records) {
    if (auto done = add(record, context, rows); !done) {
      return Error{done.error().code, "record " + std::to_string(context.sequence.value) + ": " +
                                          done.error().message};
    }
    ++context.sequence.value;
  }
  return {};
}

Result<> RowMaker::add(const RecordView& record, const RecordContext& context, Rows& rows) {
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::site: {
      const auto site = decode_site(record);
      if (!site) return site.error();
      const auto zone = zone_of(site->site);
      clocks_.insert_or_assign(site->site, LocalClock{zone, {}});
      rows.sites.push_back({site->site, rows.text.keep(site->host), zone.name()});
      return {};
    }
    case RecordKind::page: {
      const auto page = decode_page(record);
      if (!page) return page.error();
      rows.pages.push_back({page->page, page->site, rows.text.keep(page->url), page->is_again});
      return {};
    }
    case RecordKind::page_view:
    case RecordKind::event: {
      const auto hit = decode_hit(record, context);
      if (!hit) return hit.error();
      add_hit(*hit, context, rows);
      return {};
    }
    case RecordKind::base: {
      const auto base = decode_base(record);
      if (!base) return base.error();
      rows.bases.push_back({context.sequence.value, base->site, base->page, base->base});
      return {};
    }
    case RecordKind::void_span: {
      const auto span = decode_void(record);
      if (!span) return span.error();
      rows.voids.push_back(
          {span->up_to.value, span->site, span->page, span->from, span->to, !span->is_undone});
      return {};
    }
    default:
      return {};
  }
}

Result<std::vector<RemovalRow>> RowMaker::removals_in(const BatchView& batch) {
  std::vector<RemovalRow> rows;
  for (const auto& record : batch.records) {
    const auto removal = decode_removal(record);
    if (!removal) return removal.error();
    rows.push_back({removal->site, removal->page, removal->after.value, removal->up_to.value,
                    removal->what != Removal::expired});
  }
  return rows;
}

void RowMaker::add_hit(const HitRecord& hit, const RecordContext& context, Rows& rows) {
  const auto at = hit.at.value_or(context.committed);
  const auto local = local_time(hit.site, at);
  auto& text = rows.text;
  rows.hits.push_back({.sequence = context.sequence.value,
                       .kind = hit.kind,
                       .site = hit.site.value,
                       .page = hit.page.value,
                       .page_ordinal = hit.page_ordinal,
                       .site_ordinal = hit.site_ordinal,
                       .committed = context.committed,
                       .at = at,
                       .local_day = local.day,
                       .local_minute = local.minute,
                       .door = hit.door,
                       .agent_class = hit.agent,
                       .visitor = hit.visitor.value,
                       .visit = hit.visit.value,
                       .is_entry = hit.is_entry,
                       .referrer = text.keep(hit.referrer),
                       .title = text.keep(hit.title),
                       .name = text.keep(hit.name),
                       .props = keep_props(hit.props, rows),
                       .screen = text.keep(hit.screen),
                       .language = text.keep(hit.language),
                       .is_counted = is_numbered(hit.kind, hit.door, hit.agent)});
}

std::string_view RowMaker::keep_props(std::string_view encoded, Rows& rows) {
  if (encoded.empty()) return {};
  json_.clear();
  append_json_props(json_, encoded);
  return rows.text.keep(json_);
}

Zone RowMaker::zone_of(SiteId site) {
  const auto* known = sites_.get().find(site);
  return known == nullptr ? Zone::utc() : known->zone;
}

LocalMinute RowMaker::local_time(SiteId site, UnixTime at) {
  const auto [found, is_new] = clocks_.try_emplace(site, LocalClock{Zone::utc(), {}});
  auto& clock = found->second;
  if (is_new) clock.zone = zone_of(site);
  if (at < clock.offset.begins || at >= clock.offset.ends) clock.offset = clock.zone.offset_at(at);
  return local_minute(at, clock.offset.ahead);
}

}  // namespace nando
