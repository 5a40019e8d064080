#include <sys/stat.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>

#include "base/bytes.h"
#include "warehouse/duckdb.h"
#include "warehouse/duckdb_types.h"
#include "warehouse/export_sql.h"
#include "warehouse/migration_sql.h"
#include "warehouse/removal_sql.h"
#include "warehouse/schema.h"
#include "warehouse/warehouse.h"

namespace nando {

namespace {

// A transaction of as many rows makes a row group that the engine leaves as it is: four that are
// smaller fit into three, and are merged.
constexpr std::size_t kRowsWithoutLog = kRowGroup / 4 * 3 + 1;

// The bytes of the engine's log at which it moves what is in there to the tables. The row group
// that is not full then is written again the next time: the longer the log, the smaller its share.
constexpr std::uint64_t kLogBytes = 32 << 20;

// What the engine may keep of what it wrote, and how much it lets go of when that is more. Left
// alone it keeps as much as its limit allows, and who only fills it needs none of it. It also gives
// all free memory back then, of which the next load needs some again: not to be done too often.
constexpr std::uint64_t kKeptBytesMax = 32 << 20;
constexpr std::uint64_t kKeptBytesMin = 8 << 20;

std::string mark_statement(const Mark& mark) {
  return "INSERT INTO mark VALUES (" + std::to_string(mark.node) + ",'" +
         to_hex(mark.position.epoch) + "'," + std::to_string(mark.position.sequence.value) + ",'" +
         to_hex(mark.position.head) + "')";
}

Result<> set_mark(DuckConnection& connection, const Mark& mark) {
  if (auto done = connection.run("DELETE FROM mark"); !done) return done;
  return connection.run(mark_statement(mark));
}

Result<std::uint64_t> ask_number(DuckConnection& connection, const std::string& query) {
  std::uint64_t number = 0;
  const auto asked = connection.ask(
      query, [&](const DuckChunk& chunk) { number = chunk.column<std::uint64_t>(0)[0]; });
  if (!asked) return asked.error();
  return number;
}

std::string text_or_null(std::string_view text) {
  return text.empty() ? "NULL" : sql_text(text);
}

struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
};

std::optional<FileId> file_id(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

class DuckWarehouse final : public Warehouse {
 public:
  DuckWarehouse(std::string path, std::uint64_t memory_bytes, DuckDb database,
                DuckConnection loader)
      : path_(std::move(path)),
        memory_bytes_(memory_bytes),
        database_(std::move(database)),
        loader_(std::move(loader)) {
    for (const auto& column : kHitColumns) {
      hit_types_.push_back(
          std::visit([]<class T>(T HitRow::*) { return logical_type<T>(); }, column.field));
    }
    page_types_ = {logical_type<PageId>(), logical_type<SiteId>(),
                   logical_type<std::string_view>()};
  }
  ~DuckWarehouse() override {
    for (auto& type : hit_types_) duckdb_destroy_logical_type(&type);
    for (auto& type : page_types_) duckdb_destroy_logical_type(&type);
  }

  Result<> prepare();
  Result<> load(const Rows& rows, const Mark& mark) override;
  Result<bool> holds_details(std::span<const RemovalRow> removals) override;
  Result<> write_without(const std::string& to, std::span<const RemovalRow> removals,
                         const Mark& mark) override;
  Result<std::uint64_t> hits_in(const VoidRow& span) override;
  Result<std::optional<Mark>> loaded() override;
  Result<std::map<SiteId, std::string>> zones() override;
  Result<WarehouseTotals> totals(Sequence up_to) override;
  Result<std::optional<Mark>> write_to(const std::string& to, const Question& question) override;
  bool is_in_place() const override { return file_id(path_) == file_; }
  std::uint64_t held_bytes() const override { return held_bytes_; }

 private:
  // A question's own connection. While there is one, the engine has all of its memory.
  struct Asking {
    std::shared_lock<std::shared_mutex> memory;
    DuckConnection connection;
  };

  Result<std::uint32_t> version();
  Result<> in_transaction(const std::function<Result<>()>& change);
  Result<> limit_log(std::uint64_t bytes);
  Result<> limit_memory(std::uint64_t bytes);
  Result<> let_go();
  Result<Asking> asking();
  template <class Row, class Put>
  Result<> append(const char* table, std::vector<duckdb_logical_type>& types,
                  std::span<const Row> rows, Put put_columns);
  Result<> add_hits(std::span<const HitRow> rows);
  Result<> add_pages(std::span<const PageRow> rows);
  Result<> add_nouns(const Rows& rows);
  Result<> set_voids(std::span<const VoidRow> rows);
  Result<std::optional<Mark>> mark_seen_by(DuckConnection& connection);

  std::string path_;
  std::uint64_t memory_bytes_;
  DuckDb database_;
  DuckConnection loader_;
  std::shared_mutex asking_;
  std::atomic<std::uint64_t> held_bytes_ = 0;
  std::vector<duckdb_logical_type> hit_types_, page_types_;
  std::optional<FileId> file_;
  std::optional<std::uint64_t> log_limit_;
};

Result<> DuckWarehouse::prepare() {
  file_ = file_id(path_);
  // It is a copy: a stop that must be quick leaves the log for the next start.
  if (auto done = loader_.run("PRAGMA disable_checkpoint_on_shutdown"); !done) return done;
  const auto found = version();
  if (!found) return found.error();
  if (*found > kSchemaVersion) {
    return Error{Code::invalid, path_ + " was written by a newer version of this program (schema " +
                                    std::to_string(*found) + ", this one writes " +
                                    std::to_string(kSchemaVersion) + ")"};
  }
  if (*found == kSchemaVersion) return {};
  const auto run_all = [&](const std::vector<std::string>& all) {
    return in_transaction([&]() -> Result<> {
      for (const auto& sql : all) {
        if (auto done = loader_.run(sql); !done) return done;
      }
      return {};
    });
  };
  if (auto done = run_all(migration(*found)); !done || *found == 0) return done;
  return run_all(row_migration(*found));
}

Result<std::uint32_t> DuckWarehouse::version() {
  std::uint64_t tables = 0;
  bool has_version = false;
  auto asked = loader_.ask(
      "SELECT count(*)::UBIGINT, coalesce(bool_or(table_name = 'schema_version'), false) "
      "FROM information_schema.tables",
      [&](const DuckChunk& chunk) {
        tables = chunk.column<std::uint64_t>(0)[0];
        has_version = chunk.column<bool>(1)[0];
      });
  if (!asked) return asked.error();
  if (tables == 0) return 0U;
  if (!has_version) return Error{Code::corrupt, path_ + " is a DuckDB file, but no warehouse"};
  std::uint32_t version = 0;
  asked = loader_.ask("SELECT max(version)::UINTEGER FROM schema_version",
                      [&](const DuckChunk& chunk) { version = chunk.column<std::uint32_t>(0)[0]; });
  if (!asked) return asked.error();
  return version;
}

Result<> DuckWarehouse::in_transaction(const std::function<Result<>()>& change) {
  if (auto begun = loader_.run("BEGIN TRANSACTION"); !begun) return begun;
  auto done = change();
  if (done) done = loader_.run("COMMIT");
  if (!done) static_cast<void>(loader_.run("ROLLBACK"));
  return done;
}

// A commit that would bring the log there does without it and writes the tables at once.
Result<> DuckWarehouse::limit_log(std::uint64_t bytes) {
  if (log_limit_ == bytes) return {};
  auto done = loader_.run("SET checkpoint_threshold = '" + std::to_string(bytes) + "B'");
  if (done) log_limit_ = bytes;
  return done;
}

Result<> DuckWarehouse::load(const Rows& rows, const Mark& mark) {
  const bool is_large = rows.hits.size() >= kRowsWithoutLog;
  if (auto done = limit_log(is_large ? 0 : kLogBytes); !done) return done;
  auto loaded = in_transaction([&]() -> Result<> {
    if (auto done = add_hits(rows.hits); !done) return done;
    if (auto done = add_nouns(rows); !done) return done;
    if (auto done = set_voids(rows.voids); !done) return done;
    return set_mark(loader_, mark);
  });
  if (!loaded) return loaded;
  return let_go();
}

Result<> DuckWarehouse::limit_memory(std::uint64_t bytes) {
  return loader_.run("SET memory_limit = '" + std::to_string(bytes) + "B'");
}

// The engine lets go of what it keeps when its limit is lowered; where it cannot go as far, it
// says so and has let go of what it could.
Result<> DuckWarehouse::let_go() {
  const auto held =
      ask_number(loader_, "SELECT sum(memory_usage_bytes)::UBIGINT FROM duckdb_memory()");
  if (!held) return held.error();
  held_bytes_ = *held;
  if (*held <= kKeptBytesMax) return {};
  const std::unique_lock alone(asking_, std::try_to_lock);
  if (!alone) return {};
  static_cast<void>(limit_memory(std::min(kKeptBytesMin, memory_bytes_)));
  return limit_memory(memory_bytes_);
}

Result<DuckWarehouse::Asking> DuckWarehouse::asking() {
  std::shared_lock memory(asking_);
  auto connection = database_.connect();
  if (!connection) return connection.error();
  return Asking{std::move(memory), std::move(*connection)};
}

// `put_columns(appender, rows)` fills a chunk.
template <class Row, class Put>
Result<> DuckWarehouse::append(const char* table, std::vector<duckdb_logical_type>& types,
                               std::span<const Row> rows, Put put_columns) {
  if (rows.empty()) return {};
  auto appender = DuckAppender::open(loader_, table, types);
  if (!appender) return appender.error();
  while (!rows.empty()) {
    const auto some = rows.first(std::min(rows.size(), DuckAppender::rows_max()));
    put_columns(*appender, some);
    if (auto done = appender->append(some.size()); !done) return done;
    rows = rows.subspan(some.size());
  }
  return appender->close();
}

Result<> DuckWarehouse::add_hits(std::span<const HitRow> rows) {
  return append("hits", hit_types_, rows, [](DuckAppender& to, std::span<const HitRow> some) {
    for (std::size_t i = 0; i < kHitColumns.size(); ++i) {
      const auto vector = to.column(i);
      std::visit([&](auto field) { put(vector, some, field, kHitColumns[i].absent); },
                 kHitColumns[i].field);
    }
  });
}

// As many as hits, where each hit is on a page of its own.
Result<> DuckWarehouse::add_pages(std::span<const PageRow> rows) {
  for (const auto& page : rows) {
    if (!is_utf8(page.url)) {  // The appender does not look.
      return Error{Code::corrupt, "page " + std::to_string(page.page.value) + ": no UTF-8"};
    }
    if (!page.is_again) continue;
    auto done = loader_.run("DELETE FROM pages WHERE page = " + std::to_string(page.page.value));
    if (!done) return done;
  }
  return append("pages", page_types_, rows, [](DuckAppender& to, std::span<const PageRow> some) {
    put(to.column(0), some, &PageRow::page, Absent::none);
    put(to.column(1), some, &PageRow::site, Absent::none);
    put(to.column(2), some, &PageRow::url, Absent::is_null);
  });
}

// The small tables, a few rows a transaction.
Result<> DuckWarehouse::add_nouns(const Rows& rows) {
  const auto insert = [&](const char* table, const auto& all, auto write) -> Result<> {
    constexpr std::size_t kRowsAtOnce = 1000;
    for (std::size_t at = 0; at < all.size(); at += kRowsAtOnce) {
      std::string sql = std::string("INSERT INTO ") + table + " VALUES ";
      for (std::size_t i = at; i < std::min(all.size(), at + kRowsAtOnce); ++i) {
        sql += '(';
        write(sql, all[i]);
        sql += "),";
      }
      sql.pop_back();
      if (auto done = loader_.run(sql); !done) return done;
    }
    return {};
  };
  auto done = insert("sites", rows.sites, [](std::string& sql, const SiteRow& row) {
    sql += std::to_string(row.site.value) + "," + text_or_null(row.host) + "," + sql_text(row.zone);
  });
  if (!done) return done;
  if (done = add_pages(rows.pages); !done) return done;
  return insert("bases", rows.bases, [](std::string& sql, const BaseRow& row) {
    sql += std::to_string(row.sequence) + "," + std::to_string(row.site.value) + "," +
           std::to_string(row.page.value) + "," + std::to_string(row.base);
  });
}

Result<> DuckWarehouse::set_voids(std::span<const VoidRow> rows) {
  for (const auto& row : rows) {
    if (auto done = loader_.run(set_void(row)); !done) return done;
  }
  return {};
}

Result<bool> DuckWarehouse::holds_details(std::span<const RemovalRow> removals) {
  const auto rows = ask_number(loader_, count_affected(removals));
  if (!rows) return rows.error();
  return *rows > 0;
}

Result<> DuckWarehouse::write_without(const std::string& to, std::span<const RemovalRow> removals,
                                      const Mark& mark) {
  // Its own connection: what failed is undone with it.
  auto asking = this->asking();
  if (!asking) return asking.error();
  auto& connection = asking->connection;
  std::string here;
  auto done = connection.ask("SELECT current_database()",
                             [&](const DuckChunk& chunk) { here = '"' + chunk.text(0, 0) + '"'; });
  if (!done) return done;
  std::vector<std::string> all{"ATTACH " + sql_text(to) + " AS pruned", "USE pruned",
                               "BEGIN TRANSACTION"};
  for (auto& sql : migration(0)) all.push_back(std::move(sql));
  for (auto& sql : copy_without(here + ".main", removals)) all.push_back(std::move(sql));
  all.emplace_back(mark_statement(mark));
  all.insert(all.end(), {"COMMIT", "CHECKPOINT pruned", "USE " + here, "DETACH pruned"});
  for (const auto& sql : all) {
    if (done = connection.run(sql); done) continue;
    for (const auto& undo : {std::string("ROLLBACK"), "USE " + here,
                             std::string("DETACH DATABASE IF EXISTS pruned")}) {
      static_cast<void>(connection.run(undo));
    }
    return done;
  }
  return {};
}

Result<std::uint64_t> DuckWarehouse::hits_in(const VoidRow& span) {
  auto asking = this->asking();
  if (!asking) return asking.error();
  auto& connection = asking->connection;
  return ask_number(connection, count_in(span));
}

Result<std::optional<Mark>> DuckWarehouse::loaded() {
  auto asking = this->asking();
  if (!asking) return asking.error();
  auto& connection = asking->connection;
  return mark_seen_by(connection);
}

Result<std::optional<Mark>> DuckWarehouse::mark_seen_by(DuckConnection& connection) {
  std::optional<Mark> mark;
  bool whole = true;
  const auto asked =
      connection.ask("SELECT node, sequence, epoch, head FROM mark", [&](const DuckChunk& chunk) {
        for (std::size_t i = 0; i < chunk.rows(); ++i) {
          whole = whole && !mark;
          mark.emplace();
          mark->node = chunk.column<std::uint32_t>(0)[i];
          mark->position.sequence.value = chunk.column<std::uint64_t>(1)[i];
          const auto epoch = from_hex(chunk.text(2, i));
          const auto head = from_hex(chunk.text(3, i));
          whole = whole && epoch && epoch->size() == sizeof(Epoch) && head &&
                  head->size() == sizeof(Head);
          if (!whole) continue;
          mark->position.epoch = nando::load<Epoch>(epoch->data());
          mark->position.head = nando::load<Head>(head->data());
        }
      });
  if (!asked) return asked.error();
  if (!whole) return Error{Code::corrupt, path_ + ": its mark is damaged"};
  return mark;
}

Result<std::map<SiteId, std::string>> DuckWarehouse::zones() {
  auto asking = this->asking();
  if (!asking) return asking.error();
  auto& connection = asking->connection;
  std::map<SiteId, std::string> zones;
  const auto asked = connection.ask("SELECT site, zone FROM sites", [&](const DuckChunk& chunk) {
    for (std::size_t i = 0; i < chunk.rows(); ++i) {
      zones[SiteId{chunk.column<std::uint32_t>(0)[i]}] = chunk.text(1, i);
    }
  });
  if (!asked) return asked.error();
  return zones;
}

Result<WarehouseTotals> DuckWarehouse::totals(Sequence up_to) {
  auto asking = this->asking();
  if (!asking) return asking.error();
  auto& connection = asking->connection;
  WarehouseTotals totals;
  const auto until = " WHERE sequence <= " + std::to_string(up_to.value);
  auto asked = connection.ask(
      "SELECT enum_code(kind)::UBIGINT, count(*)::UBIGINT FROM hits" + until + " GROUP BY kind",
      [&](const DuckChunk& chunk) {
        for (std::size_t i = 0; i < chunk.rows(); ++i) {
          totals.kinds.at(chunk.column<std::uint64_t>(0)[i]) = chunk.column<std::uint64_t>(1)[i];
        }
      });
  if (!asked) return asked.error();
  const auto sums = [&](const char* of, const auto& take) {
    return connection.ask(
        std::string("SELECT ") + of + ", count(*)::UBIGINT, (sum(" + of +
            "_ordinal) & 18446744073709551615)::UBIGINT FROM hits" + until +
            " AND is_counted GROUP BY " + of,
        [&](const DuckChunk& chunk) {
          for (std::size_t i = 0; i < chunk.rows(); ++i) {
            take(chunk.column<std::uint32_t>(0)[i],
                 OrdinalSum{chunk.column<std::uint64_t>(1)[i], chunk.column<std::uint64_t>(2)[i]});
          }
        });
  };
  asked = sums("site",
               [&](std::uint32_t id, const OrdinalSum& sum) { totals.sites[SiteId{id}] = sum; });
  if (!asked) return asked.error();
  asked = sums("page", [&](std::uint32_t id, const OrdinalSum& sum) {
    if (totals.pages.size() < id) totals.pages.resize(id);
    totals.pages[id - 1] = sum;
  });
  if (!asked) return asked.error();
  return totals;
}

Result<std::optional<Mark>> DuckWarehouse::write_to(const std::string& to,
                                                    const Question& question) {
  auto asking = this->asking();
  if (!asking) return asking.error();
  auto& connection = asking->connection;
  // The rows and the mark of one moment.
  if (auto begun = connection.run("BEGIN TRANSACTION"); !begun) return begun.error();
  const auto mark = mark_seen_by(connection);
  if (!mark) return mark.error();
  for (const auto& sql : export_statements(to, question)) {
    const auto done = connection.run(sql);
    if (done) continue;
    // A copy that stays attached keeps its file, which nobody sees any more, on a disk that is
    // full.
    for (const auto& undo : undo_statements(to)) static_cast<void>(connection.run(undo));
    return done.error();
  }
  return *mark;
}

}  // namespace

Result<std::unique_ptr<Warehouse>> Warehouse::open(const std::string& path,
                                                   const WarehouseOptions& options) {
  const auto memory_bytes = options.memory_bytes / 4 * 3;
  auto database =
      DuckDb::open(path, {{"memory_limit", std::to_string(memory_bytes) + "B"},
                          {"threads", std::to_string(options.threads)},
                          // It opens no connection and loads no code that was not linked in.
                          {"autoinstall_known_extensions", "false"},
                          {"autoload_known_extensions", "false"},
                          {"allow_community_extensions", "false"}});
  if (!database) return database.error();
  auto loader = database->connect();
  if (!loader) return loader.error();
  auto warehouse =
      std::make_unique<DuckWarehouse>(path, memory_bytes, std::move(*database), std::move(*loader));
  if (auto done = warehouse->prepare(); !done) return done.error();
  return std::unique_ptr<Warehouse>(std::move(warehouse));
}

}  // namespace nando
