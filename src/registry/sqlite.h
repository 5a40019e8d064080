// The little of SQLite that the registry needs, with its errors as ours. For this layer only.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace nando {

// One prepared statement; every one begins with a comment that names it. Parameters are bound from
// 1, columns read from 0. A misuse is a bug; a fault comes out of step().
class Statement {
 public:
  Statement(sqlite3* database, const std::string& path, const char* sql);

  Statement& bind(Bytes bytes);
  Statement& bind(std::uint64_t number);

  // True while there is a row. After false or an error the statement is done.
  Result<bool> step();
  // For a statement without rows.
  Result<> run();

  // Valid until the next step(). Nothing, if the column holds another type.
  std::optional<Bytes> bytes(int column) const;
  std::optional<std::uint64_t> number(int column) const;
  // The column as text, whatever it holds; for messages.
  std::string text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* database_;
  const std::string& path_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int prepared_;
  int bound_ = 0;
};

// One connection with a rollback journal, and a durable commit (synchronous = EXTRA). SQLite 3.40
// can corrupt a file in WAL mode with two connections (fixed in 3.51.3), so neither is used.
class Database {
 public:
  // The file must be there.
  static Result<std::unique_ptr<Database>> open(const std::string& path);

  Statement prepare(const char* sql) { return {database_.get(), path_, sql}; }
  Result<> run(const char* sql) { return prepare(sql).run(); }
  // Rows that the last statement changed.
  int changes() const { return sqlite3_changes(database_.get()); }
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  Database(std::string path, sqlite3* database) : path_(std::move(path)), database_(database) {}
  Result<> configure();

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace nando
