#include "warehouse/migration_sql.h"

#include "warehouse/duckdb_types.h"
#include "warehouse/schema.h"

namespace nando {

std::vector<std::string> migration(std::uint32_t from) {
  std::vector<std::string> out;
  if (from == 0) {
    for (const auto& table : noun_tables()) {
      std::string sql = "CREATE TABLE " + std::string(table.name) + " (";
      for (const auto& column : table.columns) {
        sql += std::string(column.name) + " " + std::string(column.type) + ",";
      }
      sql.back() = ')';
      out.push_back(sql);
    }
    out.emplace_back("CREATE TABLE hits (sequence UBIGINT NOT NULL)");
    out.emplace_back("CREATE TABLE schema_version (version UINTEGER)");
    out.emplace_back("INSERT INTO schema_version VALUES (" + std::to_string(kSchemaVersion) + ")");
  }
  for (const auto& column : kHitColumns) {
    if (column.since <= from || column.name == "sequence") continue;
    const auto type = std::visit([]<class T>(T HitRow::*) { return sql_type<T>(); }, column.field);
    out.push_back("ALTER TABLE hits ADD COLUMN IF NOT EXISTS " + std::string(column.name) + " " +
                  type);
  }
  return out;
}

std::vector<std::string> row_migration(std::uint32_t from) {
  std::vector<std::string> out;
  for (const auto& column : kHitColumns) {
    if (column.since <= from || column.before.empty()) continue;
    out.push_back("UPDATE hits SET " + std::string(column.name) + " = (" +
                  std::string(column.before) + ")");
  }
  out.push_back("UPDATE schema_version SET version = " + std::to_string(kSchemaVersion));
  return out;
}

}  // namespace nando
