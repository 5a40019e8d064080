#include "warehouse/export_sql.h"

#include <filesystem>

#include "warehouse/schema.h"

namespace nando {

namespace {

bool is_text(const HitColumn& column) {
  return std::holds_alternative<std::string_view HitRow::*>(column.field);
}

// The columns of an export: those of hits, with names where hits has keys.
std::string export_columns(ExportFormat format) {
  const auto plain = [](const std::string& expression, const std::string& name) {
    return expression + " AS " + name;
  };
  // What spreadsheets take for a formula: OWASP, "CSV Injection".
  const auto safe = [&](const std::string& expression, const std::string& name) {
    if (format != ExportFormat::csv) return plain(expression, name);
    return "CASE WHEN regexp_matches(" + expression + ", '^[=+\\-@\\t\\r\\n]') THEN '''' || " +
           expression + " ELSE " + expression + " END AS " + name;
  };
  std::string columns;
  for (const auto& column : kHitColumns) {
    const std::string name(column.name);
    if (!columns.empty()) columns += ", ";
    columns += name == "site"    ? safe("sites.host", "site")
               : name == "page"  ? safe("pages.url", "page")
               : is_text(column) ? safe("hits." + name, name)
                                 : plain("hits." + name, name);
  }
  return columns;
}

// Attached databases are everybody's: each export has a name of its own, that of its file.
std::string copy_name(const std::string& to) {
  return '"' + std::filesystem::path(to).filename().string() + '"';
}

}  // namespace

std::string sql_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::vector<std::string> undo_statements(const std::string& to) {
  return {"ROLLBACK", "DETACH DATABASE IF EXISTS " + copy_name(to)};
}

std::vector<std::string> export_statements(const std::string& to,
                                           const Warehouse::Question& question) {
  const auto joined =
      " FROM hits JOIN sites USING (site) LEFT JOIN pages USING (page) WHERE hits.sequence > " +
      std::to_string(question.after.value) +
      " AND hits.sequence <= " + std::to_string(question.up_to.value) +
      (question.host.empty() ? std::string() : " AND sites.host = " + sql_text(question.host)) +
      " ORDER BY hits.sequence";
  if (question.format != ExportFormat::duckdb) {
    const bool csv = question.format == ExportFormat::csv;
    const bool header = question.header == CsvHeader::written;
    return {"COPY (SELECT " + export_columns(question.format) + joined + ") TO " + sql_text(to) +
                (csv ? " (FORMAT csv, HEADER " + std::string(header ? "true" : "false") + ")"
                     : " (FORMAT parquet, COMPRESSION zstd)"),
            "COMMIT"};
  }
  const auto copy = copy_name(to);
  std::vector<std::string> out{"ATTACH " + sql_text(to) + " AS " + copy,
                               "CREATE TABLE " + copy + ".hits AS SELECT hits.*" + joined};
  const auto whole = [&](std::string_view table) {
    const std::string name(table);
    out.push_back("CREATE TABLE " + copy + "." + name + " AS SELECT * FROM " + name);
  };
  for (const auto& table : noun_tables()) whole(table.name);
  whole("schema_version");
  out.insert(out.end(), {"COMMIT", "CHECKPOINT " + copy, "DETACH " + copy});
  return out;
}

}  // namespace nando
