#include "registry/sqlite.h"

#include <optional>

#include "base/assert.h"

namespace nando {

namespace {

// No value of ours is longer; a damaged length must not make SQLite ask for gigabytes.
constexpr int kValueBytesMax = 1 << 20;

Error sqlite_error(sqlite3* database, const std::string& path, int status) {
  const int primary = status & 0xff;
  const Code code = primary == SQLITE_FULL                                  ? Code::full
                    : primary == SQLITE_BUSY || primary == SQLITE_LOCKED    ? Code::busy
                    : primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN ? Code::io
                    : primary == SQLITE_PERM || primary == SQLITE_READONLY  ? Code::denied
                    : primary == SQLITE_NOMEM                               ? Code::unavailable
                                                                            : Code::corrupt;
  return {code,
          path + ": " + (database != nullptr ? sqlite3_errmsg(database) : "cannot be opened")};
}

}  // namespace

Statement::Statement(sqlite3* database, const std::string& path, const char* sql)
    : database_(database), path_(path) {
  sqlite3_stmt* statement = nullptr;
  prepared_ = sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
  statement_.reset(statement);
}

Statement& Statement::bind(Bytes bytes) {
  ++bound_;
  if (prepared_ != SQLITE_OK) return *this;
  // An empty span has no address, and SQLite would take that for NULL.
  const void* data = bytes.empty() ? "" : static_cast<const void*>(bytes.data());
  const int status = sqlite3_bind_blob(statement_.get(), bound_, data,
                                       static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  ASSERT(status == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(std::uint64_t number) {
  ++bound_;
  if (prepared_ != SQLITE_OK) return *this;
  const int status =
      sqlite3_bind_int64(statement_.get(), bound_, static_cast<sqlite3_int64>(number));
  ASSERT(status == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  // A statement that cannot be prepared over a table we made means that the schema is damaged.
  if (prepared_ != SQLITE_OK) return sqlite_error(database_, path_, prepared_);
  const int status = sqlite3_step(statement_.get());
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  return sqlite_error(database_, path_, status);
}

Result<> Statement::run() {
  auto more = step();
  while (more && *more) more = step();
  if (!more) return more.error();
  return {};
}

std::optional<Bytes> Statement::bytes(int column) const {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_BLOB) return std::nullopt;
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), column));
  return Bytes(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

std::optional<std::uint64_t> Statement::number(int column) const {
  if (sqlite3_column_type(statement_.get(), column) != SQLITE_INTEGER) return std::nullopt;
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.get(), column));
}

std::string Statement::text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Database> database(new Database(path, handle));
  if (status != SQLITE_OK) return sqlite_error(handle, path, status);
  if (auto configured = database->configure(); !configured) return configured.error();
  return database;
}

Result<> Database::configure() {
  sqlite3_limit(database_.get(), SQLITE_LIMIT_LENGTH, kValueBytesMax);
  for (const char* sql : {
           "/* Database.cell_size_check */ PRAGMA cell_size_check = ON",
           "/* Database.trusted_schema */ PRAGMA trusted_schema = OFF",
           "/* Database.cache_size */ PRAGMA cache_size = -2048",
           "/* Database.journal_mode */ PRAGMA journal_mode = DELETE",
           "/* Database.synchronous */ PRAGMA synchronous = EXTRA",
       }) {
    if (auto done = run(sql); !done) return done;
  }
  return {};
}

}  // namespace nando
