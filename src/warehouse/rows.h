// Rows: what the warehouse is told, a row a hit and a row a noun. Made from journal records by
// `feed`; the columns of hits are declared in schema.h.
#pragma once

#include <string_view>
#include <vector>

#include "base/position.h"
#include "model/hit.h"
#include "model/hit_arena.h"

namespace nando {

// How far a sink has come: it holds every record of this node's journal up to `position`.
struct Mark {
  std::uint32_t node = 0;
  Position position;

  bool operator==(const Mark&) const = default;
};

struct HitRow {
  std::uint64_t sequence = 0;
  HitKind kind = HitKind::page_view;
  std::uint32_t site = 0;
  std::uint32_t page = 0;
  std::uint64_t page_ordinal = 0;
  std::uint64_t site_ordinal = 0;
  UnixTime committed;
  UnixTime at;  // What the sender claimed, else `committed`.
  Day local_day;
  std::uint16_t local_minute = 0;
  Door door = Door::script;
  AgentClass agent_class = AgentClass::person;
  std::uint64_t visitor = 0;
  std::uint64_t visit = 0;
  bool is_entry = false;
  // Empty: not told.
  std::string_view referrer;
  std::string_view title;
  std::string_view name;
  std::string_view props;  // A JSON object.
  std::string_view screen;
  std::string_view language;
  bool is_void = false;
  bool is_counted = true;
};

struct SiteRow {
  SiteId site;
  std::string_view host;
  std::string_view zone;
};

struct PageRow {
  PageId page;
  SiteId site;
  std::string_view url;   // Empty: it was removed.
  bool is_again = false;  // Replaces the row of a removed one.
};

struct BaseRow {
  std::uint64_t sequence = 0;
  SiteId site;
  PageId page;  // 0: of the site.
  std::uint64_t base = 0;
};

// Hits up to a record that are left out of charts, or shown again: those of a site, or of one of
// its pages, that happened in [from, to).
struct VoidRow {
  std::uint64_t up_to = 0;
  SiteId site;
  PageId page;  // 0: every page.
  UnixTime from;
  UnixTime to;
  bool is_void = true;
};

// Details that go: of the hits of a site or page after `after`, up to and with `up_to`.
struct RemovalRow {
  SiteId site;
  PageId page;  // 0: every page of the site.
  std::uint64_t after = 0;
  std::uint64_t up_to = 0;
  bool names_too = false;  // The host and the URLs as well.
};

// What one transaction loads. Text lives in `text` or longer.
struct Rows {
  std::vector<HitRow> hits;
  std::vector<SiteRow> sites;
  std::vector<PageRow> pages;
  std::vector<BaseRow> bases;
  std::vector<VoidRow> voids;  // After the hits.
  HitArena text;

  bool empty() const {
    return hits.empty() && sites.empty() && pages.empty() && bases.empty() && voids.empty();
  }
  void clear() {
    hits.clear();
    sites.clear();
    pages.clear();
    bases.clear();
    voids.clear();
    text.clear();
  }
};

}  // namespace nando
