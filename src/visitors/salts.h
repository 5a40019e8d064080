// Salts: the secrets that pseudonyms are made with, one for each site and local day, and their end.
//
// Promise
//   - A salt is random, and is gone half an hour after its day, when nothing asks for it any more,
//     or kSaltAgeMax after it was made, whichever is first; at once, if the clock is found more
//     than an hour before its making. Gone means: wiped in memory for all who hold it, and not in
//     the file.
//   - A restart finds the salts of the run directory. Without them visitors get new names, once.
//   - An unwritable directory stops no counting: salts then live in memory and problem() says so.
//
// The run directory is outside the data directory, best on a tmpfs: no backup takes it, and a
// reboot clears it. Bytes: docs/formats/salts.md.
//
// Threads: any. salt_of() and find() take a lock; Salt::read() takes none: keep what they return.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/entropy.h"
#include "base/hash.h"
#include "disk/file.h"
#include "model/day.h"
#include "model/ids.h"

namespace nando {

inline constexpr std::chrono::hours kSaltAgeMax{48};
// How long after midnight yesterday's salt is still tried, so that a visit over midnight is one.
inline constexpr std::chrono::minutes kMidnightGrace{30};
inline constexpr std::string_view kSaltsFile = "salts";

class Salt {
 public:
  explicit Salt(const Key128& key);
  Salt(const Salt&) = delete;
  Salt& operator=(const Salt&) = delete;
  ~Salt() { wipe(); }

  // False once it was wiped; `into` is then of no use. Any thread.
  bool read(Key128& into) const;
  void wipe();

 private:
  std::array<std::atomic<std::uint64_t>, 2> halves_;
  std::atomic<bool> wiped_{false};
};

class Salts {
 public:
  // Reads what an earlier process left in `directory`, as far as it is not too old. `directory` may
  // be null: there is none. `entropy` outlives this.
  Salts(std::unique_ptr<Directory> directory, Entropy& entropy, UnixTime now);
  ~Salts();

  // The salt of that site and day; made, and written, if there is none. `now` is within `day`.
  std::shared_ptr<const Salt> salt_of(SiteId site, const LocalDay& day, UnixTime now);

  // Null if there is none.
  std::shared_ptr<const Salt> find(SiteId site, Day day) const;

  // Wipes what is too old and writes what could not be written; to be called once a minute.
  void tick(UnixTime now);

  // Why salts do not survive a restart; empty if they do.
  std::string problem() const;

 private:
  struct Entry {
    std::shared_ptr<Salt> salt;
    UnixTime made;
    UnixTime dies;
  };
  using Name = std::pair<SiteId, Day>;

  void load(UnixTime now);
  bool purge(UnixTime now);
  void write();
  Buffer encode() const;
  bool decode(Bytes bytes);

  mutable std::mutex mutex_;
  std::unique_ptr<Directory> directory_;
  Entropy& entropy_;
  std::map<Name, Entry> entries_;
  std::string problem_;
};

}  // namespace nando
