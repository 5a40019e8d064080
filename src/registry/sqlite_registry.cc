
#include <mutex>

#include "base/assert.h"
#include "disk/file.h"
#include "registry/document.h"
#include "registry/registry.h"
#include "registry/sqlite.h"

namespace nando {

namespace {

using Key = std::pair<std::string, std::string>;  // Kind and id.

struct Kept {
  Document document;
  Hash128 digest;
};

// SQLite keeps the bytes; reads are answered from memory, which was checked in full at the start.
// So what is served is what was checked, and rot that comes later is found at the next start.
class SqliteRegistry final : public Registry {
 public:
  SqliteRegistry(std::unique_ptr<Database> database, std::size_t documents_max)
      : database_(std::move(database)), documents_max_(documents_max) {}

  Result<> load();

  Result<Document> get(std::string_view kind, std::string_view id) override {
    const std::lock_guard lock(memory_mutex_);
    const auto found = documents_.find(Key(kind, id));
    if (found == documents_.end()) return none(kind, id);
    return found->second.document;
  }

  Result<std::vector<Document>> list(std::string_view kind) override {
    const std::lock_guard lock(memory_mutex_);
    std::vector<Document> found;
    for (auto at = documents_.lower_bound(Key(kind, "")); at != documents_.end(); ++at) {
      if (at->first.first != kind) break;
      found.push_back(at->second.document);
    }
    return found;
  }

  Result<Version> put(std::string_view kind, std::string_view id, const Fields& fields,
                      Version expected) override;
  Result<> remove(std::string_view kind, std::string_view id, Version expected) override;
  Result<> copy_to(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    return database_->prepare("/* Registry.copy */ VACUUM INTO CAST(?1 AS TEXT)")
        .bind(as_bytes(path))
        .run();
  }

 private:
  static Error none(std::string_view kind, std::string_view id) {
    return {Code::not_found, "there is no " + std::string(kind) + " " + std::string(id)};
  }
  Error damaged(const std::string& what) const {
    return {Code::corrupt,
            database_->path() + " is damaged: " + what + "; restore it from a backup"};
  }
  Result<> check_pages();
  Result<> load_documents();
  Result<> check_roster();
  Result<> check_version(const Key& key, Version expected) const;
  Result<> change(Statement statement, const Roster& roster);
  Result<> write(Statement statement, const Roster& roster);

  std::mutex mutex_;         // Of whoever writes or copies, disk and all.
  std::mutex memory_mutex_;  // Of documents_, for a look or a change: readers wait for no disk.
  std::unique_ptr<Database> database_;
  const std::size_t documents_max_;
  std::map<Key, Kept> documents_;
  Roster roster_;
  std::optional<Error> failed_;  // Why no change is taken any more.
};

Result<> SqliteRegistry::load() {
  if (auto checked = check_pages(); !checked) return checked;
  if (auto loaded = load_documents(); !loaded) return loaded;
  return check_roster();
}

Result<> SqliteRegistry::check_pages() {
  auto check = database_->prepare("/* Registry.check_pages */ PRAGMA integrity_check(1)");
  auto row = check.step();
  if (!row) return row.error();
  if (*row && check.text(0) == "ok") return {};
  return damaged(*row ? check.text(0) : "its check says nothing");
}

Result<> SqliteRegistry::load_documents() {
  auto rows = database_->prepare(
      "/* Registry.load_documents */ SELECT kind, id, version, body, digest FROM documents");
  for (;;) {
    auto row = rows.step();
    if (!row) return row.error();
    if (!*row) return {};
    const auto kind = rows.bytes(0), id = rows.bytes(1), body = rows.bytes(3),
               digest = rows.bytes(4);
    const auto version = rows.number(2);
    if (!kind || !id || !version || !body || !digest) return damaged("a document of another form");
    const auto expected = document_digest(as_text(*kind), as_text(*id), *version, *body);
    const auto name = std::string(as_text(*kind)) + " " + std::string(as_text(*id));
    if (!std::ranges::equal(*digest, expected)) return damaged("the checksum of " + name);
    auto fields = decode_fields(*body);
    if (!fields) return damaged("the fields of " + name);
    Key key(as_text(*kind), as_text(*id));
    Document document{key.second, *version, std::move(*fields)};
    if (!documents_.emplace(std::move(key), Kept{std::move(document), expected}).second) {
      return damaged(name + " is there twice");
    }
    roster_.toggle(expected);
    ++roster_.count;
  }
}

Result<> SqliteRegistry::check_roster() {
  auto rows =
      database_->prepare("/* Registry.check_roster */ SELECT count, fold, digest FROM roster");
  auto row = rows.step();
  if (!row) return row.error();
  if (!*row) return damaged("its roster is gone");
  const auto count = rows.number(0);
  const auto fold = rows.bytes(1), digest = rows.bytes(2);
  const bool agrees = count && fold && digest && *count == roster_.count &&
                      std::ranges::equal(*fold, roster_.fold) &&
                      std::ranges::equal(*digest, roster_digest(roster_));
  if (!agrees) return damaged("documents are missing, or some are there that were removed");
  row = rows.step();
  if (!row) return row.error();
  if (*row) return damaged("it has two rosters");
  return {};
}

Result<> SqliteRegistry::check_version(const Key& key, Version expected) const {
  const auto found = documents_.find(key);
  const auto there = found == documents_.end() ? kNoVersion : found->second.document.version;
  if (there == expected) return {};
  return Error{Code::conflict, key.first + " " + key.second + " has version " +
                                   std::to_string(there) + ", not " + std::to_string(expected) +
                                   "; read it again"};
}

Result<Version> SqliteRegistry::put(std::string_view kind, std::string_view id,
                                    const Fields& fields, Version expected) {
  const auto body = encode_fields(fields);
  if (kind.empty() || id.empty() || kind.size() > kDocumentNameBytesMax ||
      id.size() > kDocumentNameBytesMax || body.size() > kDocumentBytesMax) {
    return Error{Code::invalid, "a document has a name of 1 to 256 bytes and at most 65536 bytes"};
  }
  const std::lock_guard lock(mutex_);
  const Key key(kind, id);
  if (auto checked = check_version(key, expected); !checked) return checked.error();
  auto roster = roster_;
  if (expected == kNoVersion) {
    if (roster_.count == documents_max_) {
      return Error{Code::invalid, database_->path() + " has " + std::to_string(documents_max_) +
                                      " documents; it takes no more"};
    }
    ++roster.count;
  } else {
    roster.toggle(documents_.at(key).digest);
  }
  const auto version = expected + 1;
  const auto digest = document_digest(kind, id, version, body);
  roster.toggle(digest);
  auto statement = database_->prepare(
      "/* Registry.put */ INSERT INTO documents (kind, id, version, body, digest)"
      " VALUES (?, ?, ?, ?, ?)"
      " ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version, body = excluded.body,"
      " digest = excluded.digest");
  statement.bind(as_bytes(kind)).bind(as_bytes(id)).bind(version).bind(body).bind(digest);
  if (auto done = change(std::move(statement), roster); !done) return done.error();
  const std::lock_guard memory(memory_mutex_);
  documents_[key] = Kept{{key.second, version, fields}, digest};
  return version;
}

Result<> SqliteRegistry::remove(std::string_view kind, std::string_view id, Version expected) {
  ASSERT(expected != kNoVersion);
  const std::lock_guard lock(mutex_);
  const Key key(kind, id);
  const auto found = documents_.find(key);
  if (found == documents_.end()) return none(kind, id);
  if (auto checked = check_version(key, expected); !checked) return checked;
  auto roster = roster_;
  --roster.count;
  roster.toggle(found->second.digest);
  auto statement =
      database_->prepare("/* Registry.remove */ DELETE FROM documents WHERE kind = ? AND id = ?");
  statement.bind(as_bytes(kind)).bind(as_bytes(id));
  if (auto done = change(std::move(statement), roster); !done) return done;
  const std::lock_guard memory(memory_mutex_);
  documents_.erase(found);
  return {};
}

// Runs the statement and writes the roster in one transaction; memory follows only after it.
Result<> SqliteRegistry::change(Statement statement, const Roster& roster) {
  if (failed_) return *failed_;
  auto written = write(std::move(statement), roster);
  if (written) {
    roster_ = roster;
    return {};
  }
  // If there is nothing to roll back, SQLite has done so already.
  (void)database_->run("/* Registry.rollback */ ROLLBACK");
  const auto code = written.error().code;
  if (code != Code::full && code != Code::busy) failed_ = written.error();
  return written;
}

Result<> SqliteRegistry::write(Statement statement, const Roster& roster) {
  if (auto begun = database_->run("/* Registry.begin */ BEGIN IMMEDIATE"); !begun) return begun;
  if (auto done = statement.run(); !done) return done;
  if (database_->changes() != 1) return damaged("a document is gone since the start");
  auto update = database_->prepare(
      "/* Registry.put_roster */ UPDATE roster SET count = ?, fold = ?, digest = ?");
  if (auto done = update.bind(roster.count).bind(roster.fold).bind(roster_digest(roster)).run();
      !done) {
    return done;
  }
  if (database_->changes() != 1) return damaged("its roster is gone since the start");
  return database_->run("/* Registry.commit */ COMMIT");
}

// Everything is a BLOB: no text encoding, no collation, no conversion between what is kept and what
// was given.
Result<> make_tables(Database& database) {
  for (const char* sql : {
           "/* Registry.begin */ BEGIN IMMEDIATE",
           "/* Registry.make_documents */ CREATE TABLE documents (kind BLOB, id BLOB,"
           " version INTEGER, body BLOB, digest BLOB, PRIMARY KEY (kind, id)) WITHOUT ROWID",
           "/* Registry.make_roster */ CREATE TABLE roster (count INTEGER, fold BLOB, digest BLOB)",
       }) {
    if (auto done = database.run(sql); !done) return done;
  }
  const Roster empty;
  auto first = database.prepare("/* Registry.first_roster */ INSERT INTO roster VALUES (?, ?, ?)");
  auto done = first.bind(empty.count).bind(empty.fold).bind(roster_digest(empty)).run();
  if (!done) return done;
  return database.run("/* Registry.commit */ COMMIT");
}

// Made beside its place and renamed, so that a registry.db that is empty or has no tables is always
// damage, never a start that was interrupted.
Result<> make_file(Directory& directory) {
  const auto name = std::string(kRegistryFile) + ".new";
  for (const auto& leftover : {name, name + "-journal"}) {
    if (auto gone = directory.remove(leftover); !gone && gone.error().code != Code::not_found) {
      return gone;
    }
  }
  auto file = directory.open(name, OpenMode::create_new);
  if (!file) return file.error();
  {
    auto database = Database::open(directory.path() + "/" + name);
    if (!database) return database.error();
    if (auto made = make_tables(**database); !made) return made;
  }
  if (auto renamed = directory.rename(name, kRegistryFile); !renamed) return renamed;
  return directory.sync();
}

}  // namespace

Result<std::unique_ptr<Registry>> open_registry(const std::string& directory,
                                                std::size_t documents_max) {
  auto folder = open_directory(directory, IfMissing::fail);
  if (!folder) return folder.error();
  auto file = (*folder)->open(kRegistryFile, OpenMode::read);
  if (!file) {
    if (file.error().code != Code::not_found) return file.error();
    if (auto made = make_file(**folder); !made) return made.error();
  } else {
    const auto size = (*file)->size();
    if (!size) return size.error();
    if (*size == 0) {
      return Error{Code::corrupt, directory + "/registry.db is empty; restore it from a backup"};
    }
  }
  auto database = Database::open(directory + "/" + std::string(kRegistryFile));
  if (!database) return database.error();
  auto registry = std::make_unique<SqliteRegistry>(std::move(*database), documents_max);
  if (auto loaded = registry->load(); !loaded) return loaded.error();
  return std::unique_ptr<Registry>(std::move(registry));
}

}  // namespace nando
