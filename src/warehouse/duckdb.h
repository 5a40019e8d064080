// DuckDB's C API with owners and errors. Nothing outside this folder sees it.
//
// Threads: a DuckDb from any; a DuckConnection from one at a time.
#pragma once

#include <duckdb.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace nando {

// One chunk of an answer: columns of plain values, side by side.
class DuckChunk {
 public:
  explicit DuckChunk(duckdb_data_chunk chunk) : chunk_(chunk) {}
  std::size_t rows() const { return duckdb_data_chunk_get_size(chunk_); }
  // Requires: the column's SQL type is T's; cast in the query.
  template <class T>
  const T* column(idx_t index) const {
    return static_cast<const T*>(
        duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk_, index)));
  }
  std::string text(idx_t index, std::size_t row) const;

 private:
  duckdb_data_chunk chunk_;
};

class DuckConnection {
 public:
  DuckConnection(DuckConnection&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  DuckConnection& operator=(DuckConnection&&) = delete;
  ~DuckConnection() { duckdb_disconnect(&connection_); }

  Result<> run(const std::string& sql);
  Result<> ask(const std::string& sql, const std::function<void(const DuckChunk&)>& take);

  duckdb_connection get() const { return connection_; }

 private:
  friend class DuckDb;
  explicit DuckConnection(duckdb_connection connection) : connection_(connection) {}
  duckdb_connection connection_;
};

class DuckDb {
 public:
  struct Option {
    const char* name;
    std::string value;
  };
  static Result<DuckDb> open(const std::string& path, const std::vector<Option>& options);
  DuckDb(DuckDb&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  DuckDb& operator=(DuckDb&&) = delete;
  ~DuckDb() { duckdb_close(&database_); }

  Result<DuckConnection> connect() const;

 private:
  explicit DuckDb(duckdb_database database) : database_(database) {}
  duckdb_database database_;
};

// Adds rows to a table, chunk by chunk, inside the connection's transaction.
class DuckAppender {
 public:
  // `types` are the table's, in order, and outlive the appender.
  static Result<DuckAppender> open(const DuckConnection& connection, const char* table,
                                   std::vector<duckdb_logical_type>& types);
  DuckAppender(DuckAppender&& other) noexcept
      : appender_(std::exchange(other.appender_, nullptr)),
        chunk_(std::exchange(other.chunk_, nullptr)) {}
  DuckAppender& operator=(DuckAppender&&) = delete;
  ~DuckAppender();

  static std::size_t rows_max() { return duckdb_vector_size(); }
  // To be filled; empty after each append().
  duckdb_vector column(idx_t index) { return duckdb_data_chunk_get_vector(chunk_, index); }
  Result<> append(std::size_t rows);
  Result<> close();

 private:
  DuckAppender(duckdb_appender appender, duckdb_data_chunk chunk)
      : appender_(appender), chunk_(chunk) {}
  Error error() const;
  duckdb_appender appender_;
  duckdb_data_chunk chunk_;
};

// What to do about an error of DuckDB's, by what it says.
Error duck_error(const char* message);

}  // namespace nando
