#include "warehouse/removal_sql.h"

#include "warehouse/schema.h"

namespace nando {

namespace {

std::string key_of(const RemovalRow& removal) {
  return removal.page ? "page = " + std::to_string(removal.page.value)
                      : "site = " + std::to_string(removal.site.value);
}

// Of each removal that `wanted` takes, joined; "false" if there is none.
template <class Wanted, class Condition>
std::string any_of(std::span<const RemovalRow> removals, Wanted wanted, Condition condition) {
  std::string sql = "(false";
  for (const auto& removal : removals) {
    if (wanted(removal)) sql += " OR (" + condition(removal) + ")";
  }
  return sql + ")";
}

std::string hits_of(std::span<const RemovalRow> removals) {
  return any_of(
      removals, [](const RemovalRow&) { return true; },
      [](const RemovalRow& removal) {
        return key_of(removal) + " AND sequence > " + std::to_string(removal.after) +
               " AND sequence <= " + std::to_string(removal.up_to);
      });
}
std::string pages_of(std::span<const RemovalRow> removals) {
  return any_of(
      removals, [](const RemovalRow& removal) { return removal.names_too; }, key_of);
}
std::string sites_of(std::span<const RemovalRow> removals) {
  return any_of(
      removals, [](const RemovalRow& removal) { return removal.names_too && !removal.page; },
      key_of);
}

// The column, or NULL where `gone` holds.
std::string unless(const std::string& gone, std::string_view column) {
  return "CASE WHEN " + gone + " THEN NULL ELSE " + std::string(column) + " END";
}

// `fields` of a table, of which those that `goes` takes are NULL where `gone` holds.
template <class Columns, class Goes>
std::string selected(const Columns& columns, const std::string& gone, Goes goes) {
  std::string sql;
  for (const auto& column : columns) {
    if (!sql.empty()) sql += ", ";
    sql += goes(column) ? unless(gone, column.name) : std::string(column.name);
  }
  return sql;
}

std::string milliseconds(UnixTime at) {
  return "epoch_ms(" + std::to_string(at.time_since_epoch().count()) + ")";
}

std::string hits_in(const VoidRow& span) {
  return "site = " + std::to_string(span.site.value) +
         (span.page ? " AND page = " + std::to_string(span.page.value) : std::string()) +
         " AND sequence <= " + std::to_string(span.up_to) +
         " AND happened_at >= " + milliseconds(span.from) + " AND happened_at < " +
         milliseconds(span.to);
}

}  // namespace

std::string count_affected(std::span<const RemovalRow> removals) {
  std::string told = "(false";
  for (const auto& column : kHitColumns) {
    if (column.kept == Kept::with_details)
      told += " OR " + std::string(column.name) + " IS NOT NULL";
  }
  const auto rows = [](const std::string& table, const std::string& where) {
    return "(SELECT count(*) FROM " + table + " WHERE " + where + ")";
  };
  return "SELECT (" + rows("hits", hits_of(removals) + " AND " + told + ")") + " + " +
         rows("pages", pages_of(removals) + " AND url IS NOT NULL") + " + " +
         rows("sites", sites_of(removals) + " AND host IS NOT NULL") + ")::UBIGINT";
}

std::vector<std::string> copy_without(const std::string& from,
                                      std::span<const RemovalRow> removals) {
  std::vector<std::string> out;
  const auto copy = [&](std::string_view table, const std::string& columns) {
    const std::string name(table);
    out.push_back("INSERT INTO " + name + " SELECT " + columns + " FROM " + from + "." + name);
  };
  copy("hits", selected(kHitColumns, hits_of(removals),
                        [](const HitColumn& column) { return column.kept == Kept::with_details; }));
  for (const auto& table : noun_tables()) {
    if (table.name == "mark") continue;
    const auto gone = table.name == "sites" ? sites_of(removals) : pages_of(removals);
    copy(table.name, selected(table.columns, gone, [](const NounColumn& column) {
           return column.name == "url" || column.name == "host";
         }));
  }
  return out;
}

std::string count_in(const VoidRow& span) {
  return "SELECT count(*)::UBIGINT FROM hits WHERE " + hits_in(span);
}

std::string set_void(const VoidRow& span) {
  return "UPDATE hits SET is_void = " + std::string(span.is_void ? "true" : "false") + " WHERE " +
         hits_in(span);
}

}  // namespace nando
