// The warehouse's schema, once: from this table come the tables of a new file, the migrations of an
// old one, the rows that are loaded, and docs/reference/warehouse.md.
//
// To add a column: a member of HitRow, and a row at the end of kHitColumns with the next version.
#pragma once

#include <array>
#include <span>
#include <variant>

#include "warehouse/rows.h"

namespace nando {

// Of what this program writes. A file of a newer version is left alone.
inline constexpr std::uint32_t kSchemaVersion = 3;

using HitField =
    std::variant<std::uint64_t HitRow::*, std::uint32_t HitRow::*, std::uint16_t HitRow::*,
                 bool HitRow::*, UnixTime HitRow::*, Day HitRow::*, HitKind HitRow::*,
                 Door HitRow::*, AgentClass HitRow::*, std::string_view HitRow::*>;

// What stands for a member that was not told.
enum class Absent : std::uint8_t {
  none,     // It is always told.
  is_null,  // 0 or empty is NULL.
};

// How long a column's values stay.
enum class Kept : std::uint8_t {
  always,
  with_details,  // Until the details of the hit are removed.
};

struct HitColumn {
  std::string_view name;
  HitField field;
  Absent absent;
  Kept kept;
  std::uint32_t since;  // The version of the schema that brought it.
  std::string_view about;
  std::string_view before =
      {};  // In SQL: what it is in rows of older files; empty: as a new row's.
};

inline constexpr std::array kHitColumns = {
    HitColumn{"sequence", &HitRow::sequence, Absent::none, Kept::always, 1,
              "number of the record in the journal"},
    HitColumn{"kind", &HitRow::kind, Absent::none, Kept::always, 1, "what it is"},
    HitColumn{"site", &HitRow::site, Absent::none, Kept::always, 1, "key of sites"},
    HitColumn{"page", &HitRow::page, Absent::none, Kept::always, 1, "key of pages"},
    HitColumn{"page_ordinal", &HitRow::page_ordinal, Absent::none, Kept::always, 1,
              "its number on its page; where it has none, the number of page views so far"},
    HitColumn{"site_ordinal", &HitRow::site_ordinal, Absent::none, Kept::always, 1,
              "the same on its site"},
    HitColumn{"committed_at", &HitRow::committed, Absent::none, Kept::always, 1,
              "when it was counted, UTC"},
    HitColumn{"happened_at", &HitRow::at, Absent::none, Kept::always, 1,
              "when it happened, UTC: as the sender says, with a token or from an import, else "
              "committed_at; charts go by this"},
    HitColumn{"local_day", &HitRow::local_day, Absent::none, Kept::always, 1,
              "the date of happened_at, in the site's zone"},
    HitColumn{"local_minute", &HitRow::local_minute, Absent::none, Kept::always, 1,
              "the minute of that day, 0 to 1439, in the site's zone"},
    HitColumn{"door", &HitRow::door, Absent::none, Kept::always, 1, "by which address it came"},
    HitColumn{"agent_class", &HitRow::agent_class, Absent::none, Kept::always, 1, "who sent it"},
    HitColumn{"visitor", &HitRow::visitor, Absent::is_null, Kept::with_details, 1,
              "a pseudonym that lives for one day of one site"},
    HitColumn{"visit", &HitRow::visit, Absent::is_null, Kept::always, 1,
              "sequence of the visit's first hit"},
    HitColumn{"is_entry", &HitRow::is_entry, Absent::none, Kept::always, 1,
              "whether it is that first hit"},
    HitColumn{"referrer", &HitRow::referrer, Absent::is_null, Kept::with_details, 1,
              "without query and fragment"},
    HitColumn{"title", &HitRow::title, Absent::is_null, Kept::with_details, 1,
              "of the page, as sent"},
    HitColumn{"name", &HitRow::name, Absent::is_null, Kept::with_details, 1, "of an event"},
    HitColumn{"props", &HitRow::props, Absent::is_null, Kept::with_details, 1,
              "of an event: a JSON object of texts"},
    HitColumn{"screen", &HitRow::screen, Absent::is_null, Kept::with_details, 1,
              "as sent, like 1920x1080"},
    HitColumn{"language", &HitRow::language, Absent::is_null, Kept::with_details, 1,
              "as sent, like en-GB"},
    HitColumn{"is_void", &HitRow::is_void, Absent::none, Kept::always, 2,
              "taken out of charts by `nandolytics void`; it has its numbers all the same"},
    HitColumn{
        "is_counted", &HitRow::is_counted, Absent::none, Kept::always, 3,
        "whether it has numbers of its own: page views do, but for a bot's that came by script "
        "or pixel",
        "kind = 'page_view'"},
};

// The small tables, in the words of SQL that all engines share.
struct NounColumn {
  std::string_view name, type, about;
};
struct NounTable {
  std::string_view name, about;
  std::span<const NounColumn> columns;
};
std::span<const NounTable> noun_tables();

}  // namespace nando
