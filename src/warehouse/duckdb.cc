#include "warehouse/duckdb.h"

#include <array>
#include <string_view>

namespace nando {

namespace {

bool says(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

Error duck_error(const char* message) {
  const std::string text = message == nullptr ? "it does not say why" : message;
  // It has no codes for these.
  struct Row {
    std::string_view part;
    Code code;
  };
  static constexpr std::array kRows = {
      Row{"No space left", Code::full},
      Row{"Disk quota", Code::full},
      Row{"Out of Memory", Code::unavailable},
      Row{"Cannot allocate memory", Code::unavailable},
      Row{"Too many open files", Code::unavailable},
      Row{"Permission denied", Code::io},
      Row{"Operation not permitted", Code::io},
      Row{"Read-only file system", Code::io},
      Row{"Could not set lock", Code::io},
      Row{"read-only mode", Code::io},
      Row{"Cannot open file", Code::io},
  };
  for (const auto& row : kRows) {
    if (says(text, row.part)) return {row.code, "DuckDB: " + text};
  }
  return {Code::corrupt, "DuckDB: " + text};
}

std::string DuckChunk::text(idx_t index, std::size_t row) const {
  auto* const strings = const_cast<duckdb_string_t*>(column<duckdb_string_t>(index));
  return {duckdb_string_t_data(&strings[row]), duckdb_string_t_length(strings[row])};
}

Result<> DuckConnection::run(const std::string& sql) {
  return ask(sql, [](const DuckChunk&) {});
}

Result<> DuckConnection::ask(const std::string& sql,
                             const std::function<void(const DuckChunk&)>& take) {
  duckdb_result result;
  if (duckdb_query(connection_, sql.c_str(), &result) != DuckDBSuccess) {
    const auto error = duck_error(duckdb_result_error(&result));
    duckdb_destroy_result(&result);
    return error;
  }
  for (auto chunk = duckdb_fetch_chunk(result); chunk != nullptr;
       chunk = duckdb_fetch_chunk(result)) {
    take(DuckChunk(chunk));
    duckdb_destroy_data_chunk(&chunk);
  }
  duckdb_destroy_result(&result);
  return {};
}

Result<DuckDb> DuckDb::open(const std::string& path, const std::vector<Option>& options) {
  duckdb_config config = nullptr;
  duckdb_create_config(&config);
  for (const auto& option : options) {
    duckdb_set_config(config, option.name, option.value.c_str());
  }
  duckdb_database database = nullptr;
  char* why = nullptr;
  const auto opened = duckdb_open_ext(path.c_str(), &database, config, &why);
  duckdb_destroy_config(&config);
  if (opened == DuckDBSuccess) return DuckDb(database);
  const auto error = duck_error(why);
  duckdb_free(why);
  return error;
}

Result<DuckConnection> DuckDb::connect() const {
  duckdb_connection connection = nullptr;
  if (duckdb_connect(database_, &connection) != DuckDBSuccess) {
    return Error{Code::unavailable, "DuckDB gives no connection"};
  }
  return DuckConnection(connection);
}

Result<DuckAppender> DuckAppender::open(const DuckConnection& connection, const char* table,
                                        std::vector<duckdb_logical_type>& types) {
  duckdb_appender appender = nullptr;
  if (duckdb_appender_create(connection.get(), nullptr, table, &appender) != DuckDBSuccess) {
    const auto error = duck_error(duckdb_appender_error(appender));
    duckdb_appender_destroy(&appender);
    return error;
  }
  return DuckAppender(appender, duckdb_create_data_chunk(types.data(), types.size()));
}

DuckAppender::~DuckAppender() {
  if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  if (appender_ != nullptr) duckdb_appender_destroy(&appender_);
}

Error DuckAppender::error() const {
  return duck_error(duckdb_appender_error(appender_));
}

Result<> DuckAppender::append(std::size_t rows) {
  duckdb_data_chunk_set_size(chunk_, rows);
  if (duckdb_append_data_chunk(appender_, chunk_) != DuckDBSuccess) return error();
  duckdb_data_chunk_reset(chunk_);
  return {};
}

Result<> DuckAppender::close() {
  if (duckdb_appender_close(appender_) != DuckDBSuccess) return error();
  return {};
}

}  // namespace nando
