// DataDir: the data directory, held under its lock. One process at a time: a server, or one
// command while no server runs.
//
//   DIR/            0700
//     lock          held while open; says who holds it: "4711 serve"
//     keys          0600; the MAC keys of receipts (docs/formats/keys.md)
//     registry.db   0600
//     control.sock  0600; while a server runs
//     journal/      0700
//
// Threads: one; keys() is immutable.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/entropy.h"
#include "base/result.h"
#include "datadir/keys.h"
#include "disk/file.h"
#include "model/receipt.h"

namespace nando {

enum class LockHolder { serve, command };

// The lock alone. Released when destroyed, and by the kernel when the process dies.
class DirectoryLock {
 public:
  // Code::busy, naming directory and pid, if another holds it.
  static Result<DirectoryLock> take(const std::string& directory, LockHolder as);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

  struct Holder {
    pid_t pid;
    LockHolder as;
  };
  // Who holds the lock of `directory` now, if anybody does.
  static std::optional<Holder> holder(const std::string& directory);

 private:
  DirectoryLock(int locked, int written) : locked_(locked), written_(written) {}
  int locked_;
  int written_;  // Closed after the lock is let go, which is what a DirectoryWatch sees.
};

// The node that writes here, where several share counters.
inline constexpr std::uint32_t kNode = 0;

class DataDir {
 public:
  // Takes the lock; with IfMissing::create makes what is missing. Code::not_found if there is no
  // data directory and none may be made; Code::busy as DirectoryLock::take(); Code::corrupt if the
  // keys are damaged, or gone while there is a journal that was written under them.
  static Result<std::unique_ptr<DataDir>> open(const std::string& path, LockHolder as,
                                               IfMissing if_missing, Entropy& entropy);

  const std::string& path() const { return path_; }
  Directory& root() { return *root_; }
  Directory& journal() { return *journal_; }
  const KeyRing& keys() const { return keys_; }

 private:
  DataDir(std::string path, DirectoryLock lock, std::unique_ptr<Directory> root,
          std::unique_ptr<Directory> journal, KeyRing keys);

  std::string path_;
  DirectoryLock lock_;
  std::unique_ptr<Directory> root_;
  std::unique_ptr<Directory> journal_;
  KeyRing keys_;
};

// Waits for what changes in a directory: a lock let go, a socket made. Made before looking, so that
// nothing that happens after the look is missed. Where the kernel gives no watch, wait() takes a
// tenth of a second.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(const std::string& directory);
  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;
  ~DirectoryWatch();

  // Until something changed, or `patience` is over.
  void wait(std::chrono::milliseconds patience);

 private:
  int fd_;
};

}  // namespace nando
