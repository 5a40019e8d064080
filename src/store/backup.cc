#include "store/backup.h"

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include "base/clock.h"
#include "base/entropy.h"
#include "datadir/keys.h"
#include "journal/format.h"
#include "journal/reader.h"
#include "journal/sealed.h"
#include "ledger/ledger.h"
#include "registry/registry.h"
#include "store/cursor.h"
#include "store/progress.h"
#include "store/removal.h"

namespace nando {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCopyBytes = 256 << 10;
constexpr int kSealLevel = 3;

// Works for a moment, then leaves disk and processor to others for two: a wait of a commit behind
// it is never longer than such a moment. Called at each step.
class Pace {
 public:
  // Where nobody counts there is nobody to leave anything to.
  enum class Beside : std::uint8_t { a_server, nobody };
  explicit Pace(Beside beside) : beside_(beside) {}

  void operator()() {
    const auto worked = clock_.monotonic() - began_;
    if (beside_ == Beside::nobody || worked < kMoment) return;
    std::unique_lock lock(mutex_);
    nobody_.wait_for(lock, 2 * worked);
    began_ = clock_.monotonic();
  }

 private:
  static constexpr std::chrono::microseconds kMoment{500};
  const Beside beside_;
  SystemClock clock_;
  std::chrono::nanoseconds began_ = clock_.monotonic();
  std::mutex mutex_;
  std::condition_variable nobody_;
};

// Small steps, each synced, so that commits find the disk free.
Result<std::uint64_t> copy_file(Directory& from, const std::string& name, Directory& to,
                                Pace& pace) {
  const auto source = from.open(name, OpenMode::read);
  if (!source) return source.error();
  auto target = to.open(name, OpenMode::create_new);
  if (!target) return target.error();
  Buffer buffer(kCopyBytes);
  for (std::uint64_t at = 0;;) {
    const auto got = (*source)->read_at(at, buffer);
    if (!got) return got.error();
    if (auto done = (*target)->write_at(at, Bytes(buffer).first(*got)); !done) return done.error();
    if (auto done = (*target)->sync(); !done) return done.error();
    at += *got;
    if (*got < buffer.size()) return at;
    pace();
  }
}

bool is_not_found(const Error& error) {
  return error.code == Code::not_found;
}

// Segments are sealed while they are copied: then the sealed file is looked for again.
Result<std::uint64_t> copy_segment(Directory& from, std::uint64_t number, const Position& end,
                                   Directory& to, Pace& pace) {
  constexpr int kTries = 3;
  const auto name = segment_name(number, SegmentKind::sealed);
  Result<std::uint64_t> bytes = Error{Code::not_found, name};
  for (int i = 0; i < kTries; ++i) {
    bytes = copy_file(from, name, to, pace);
    if (bytes || !is_not_found(bytes.error())) return bytes;
    const auto copied = seal_copy(from, number, end.sequence, kSealLevel, to);
    const auto gone = from.open(segment_name(number, SegmentKind::live), OpenMode::read);
    if (copied && gone) return std::uint64_t{0};
    // What was read of a file that is gone may be of its next use.
    if (auto done = to.remove(name); !done && !is_not_found(done.error())) return done.error();
    if (gone) return copied.error();
  }
  return bytes;
}

// Every record up to `end`, chain and all. `last_key`: the newest of the MAC keys that were used.
Result<> check_whole(Directory& journal, const Position& end,
                     const std::function<void(Sequence)>& progress,
                     std::uint32_t* last_key = nullptr) {
  Position last;
  const auto scanned = JournalReader(journal).scan(
      Sequence{}, end.sequence, [&](const BatchView& batch) -> Result<> {
        last = {batch.epoch, batch.last(), batch.head};
        if (last_key != nullptr) *last_key = std::max(*last_key, batch.mac_key);
        progress(batch.last());
        return {};
      });
  if (!scanned) return scanned.error();
  if (last == end) return {};
  return Error{Code::corrupt, journal.path() + " does not end where it should"};
}

Result<std::unique_ptr<Directory>> new_directory(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_empty(path, error)) {
    return Error{Code::conflict, path + " is not empty; name a folder that is not there yet"};
  }
  return open_directory(path, IfMissing::create);
}

}  // namespace

namespace {

Result<BackupReport> fill_backup(Live& live, Directory& root, const std::string& to,
                                 WithKeys with_keys, Output& output) {
  if (auto done = finish_removals(live, output); !done) return done.error();
  const auto journal = open_directory(to + "/journal", IfMissing::create);
  if (!journal) return journal.error();
  const auto end = live.end();
  if (!end) return end.error();
  Progress progress(output, "backup", end->sequence);
  Pace pace(Pace::Beside::a_server);
  const auto paced_progress = [&](Sequence at) {
    pace();
    progress(at);
  };
  // Read in full before it is copied, so that damage is named where it is.
  if (auto done = check_whole(live.journal(), *end, paced_progress); !done) return done.error();

  BackupReport report{.at = *end};
  const auto segments = JournalReader(live.journal()).segments();
  if (!segments) return segments.error();
  for (const auto& segment : *segments) {
    if (!segment.first || segment.first > end->sequence) continue;
    const auto bytes = copy_segment(live.journal(), segment.number, *end, **journal, pace);
    if (!bytes) return bytes.error();
    ++report.segments;
    report.bytes += *bytes;
  }
  if (auto done = check_whole(**journal, *end, paced_progress); !done) return done.error();
  if (auto done = live.registry().copy_to(to + "/" + std::string(kRegistryFile)); !done) {
    return done.error();
  }
  if (with_keys == WithKeys::yes) {
    const auto data = open_directory(live.data_path(), IfMissing::fail);
    if (!data) return data.error();
    for (const auto name : {kKeysFile, kSigningFile}) {
      const auto done = copy_file(**data, std::string(name), root, pace);
      if (!done && !(name == kSigningFile && is_not_found(done.error()))) return done.error();
    }
  }
  if (auto done = (*journal)->sync(); !done) return done.error();
  const auto text = position_text(*end);
  if (auto done = replace_file(root, kBackupFile, as_bytes(text)); !done) return done.error();
  return report;
}

struct Source {
  std::unique_ptr<Directory> root;
  std::unique_ptr<Directory> journal;
  Position end;
};

Result<Source> open_backup(const std::string& path) {
  Source source;
  auto root = open_directory(path, IfMissing::fail);
  if (!root) return root.error();
  source.root = std::move(*root);
  const auto text = read_file(*source.root, kBackupFile, 1024);
  const auto end = text ? parse_position(std::string(as_text(*text))) : std::nullopt;
  if (!end) {
    return Error{Code::corrupt, path +
                                    " is no whole backup: its file 'backup', which is written "
                                    "last, is " +
                                    (text ? "damaged" : "not there")};
  }
  source.end = *end;
  auto journal = open_directory(path + "/journal", IfMissing::fail);
  if (!journal) return journal.error();
  source.journal = std::move(*journal);
  return source;
}

// Who was logged in when the backup was made may have been logged out since.
Result<> end_sessions(const std::string& path) {
  const auto registry = open_registry(path);
  if (!registry) return registry.error();
  return forget_sessions(**registry);
}

// Opens the store once, so that its new life begins.
Result<Position> begin_new_life(Directory& root, Directory& journal, std::uint32_t last_key) {
  const SystemClock clock;
  SystemEntropy entropy;
  auto keys = read_keys(root);
  if (!keys && is_not_found(keys.error())) {
    keys = add_key(root, entropy, MacKeyId{last_key + 1});
  }
  if (!keys) return keys.error();
  const auto ledger =
      Ledger::open(root, journal, {.begin_life = true},
                   std::make_shared<const KeyRing>(std::move(*keys)), clock, entropy);
  if (!ledger) return ledger.error();
  return (*ledger)->position();
}

Result<Position> fill(const Source& source, const std::string& path,
                      const std::function<void(Sequence)>& progress) {
  std::uint32_t last_key = 0;
  if (auto done = check_whole(*source.journal, source.end, progress, &last_key); !done) {
    return done.error();
  }
  const auto root = open_directory(path, IfMissing::create);
  if (!root) return root.error();
  const auto journal = open_directory(path + "/journal", IfMissing::create);
  if (!journal) return journal.error();
  Pace pace(Pace::Beside::nobody);
  const auto names = source.journal->list();
  if (!names) return names.error();
  for (const auto& name : *names) {
    if (auto done = copy_file(*source.journal, name, **journal, pace); !done) return done.error();
  }
  for (const auto name : {kRegistryFile, kKeysFile, kSigningFile}) {
    const auto done = copy_file(*source.root, std::string(name), **root, pace);
    if (!done && (name == kRegistryFile || !is_not_found(done.error()))) return done.error();
  }
  if (auto done = end_sessions(path); !done) return done.error();
  return begin_new_life(**root, **journal, last_key);
}

}  // namespace

Result<BackupReport> make_backup(Live& live, const std::string& to, WithKeys with_keys,
                                 Output& output) {
  const auto root = new_directory(to);
  if (!root) return root.error();
  const auto made = fill_backup(live, **root, to, with_keys, output);
  if (!made) {
    std::error_code ignored;
    fs::remove_all(to, ignored);
  }
  return made;
}

Result<Position> restore_backup(const std::string& from, const std::string& data,
                                const std::function<void(Sequence)>& progress) {
  std::error_code error;
  if (fs::exists(data, error) && !fs::is_empty(data, error)) {
    return Error{Code::conflict, data +
                                     " is not empty; restore into a folder that is not there "
                                     "yet, or move this one away first"};
  }
  const auto source = open_backup(from);
  if (!source) return source.error();
  // All or nothing: the store gets its name last.
  const auto made = fs::path(data).lexically_normal().string() + ".restoring";
  fs::remove_all(made, error);
  const auto at = fill(*source, made, progress);
  if (!at) {
    fs::remove_all(made, error);
    return at.error();
  }
  fs::remove(data, error);
  fs::rename(made, data, error);
  if (error) return Error{Code::io, "cannot name " + data + ": " + error.message()};
  const auto parent = fs::absolute(data).parent_path().string();
  const auto above = open_directory(parent, IfMissing::fail);
  if (!above) return above.error();
  if (auto done = (*above)->sync(); !done) return done.error();
  return *at;
}

}  // namespace nando
