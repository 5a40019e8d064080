// File and Directory: the seam to the disk. Everything that must survive a crash goes through here,
// so a test can stand a simulated or a failing disk in its place (disk/simulated_disk.h) and crash
// at every call.
//
// Durability, as POSIX gives it
//   - Written bytes survive a power cut only after sync() of that file.
//   - A file's name (create, rename, remove) survives only after sync() of its directory.
//   - A rename is atomic: after a crash the name points to the old file or to the new one.
// Failure
//   Code::io, or Code::full when space ran out. After a failed write_at() or sync() the bytes
//   concerned may be there, or not, or in part; a later sync() that succeeds proves nothing about
//   them.
// Threads: one at a time for a File, except that read_at() may run beside anything.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace nando {

class File {
 public:
  virtual ~File() = default;

  // Writes all of `parts`, end to end, at `offset`. A write that comes back short is a failure like
  // any other.
  [[nodiscard]] virtual Result<> write_at(std::uint64_t offset, std::span<const Bytes> parts) = 0;
  [[nodiscard]] Result<> write_at(std::uint64_t offset, Bytes bytes) {
    return write_at(offset, std::span(&bytes, 1));
  }

  // Makes everything written so far durable (fdatasync).
  [[nodiscard]] virtual Result<> sync() = 0;

  // Reads up to into.size() bytes and returns how many; fewer only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    std::span<std::byte> into) const = 0;

  [[nodiscard]] virtual Result<std::uint64_t> size() const = 0;

  // Reserves `bytes` from the start of the file, or fails with Code::full; what is new reads as
  // zeros. To make later writes cheap (no metadata), write zeros over it and sync.
  [[nodiscard]] virtual Result<> allocate(std::uint64_t bytes) = 0;

  [[nodiscard]] virtual Result<> truncate(std::uint64_t bytes) = 0;
};

enum class OpenMode {
  read,        // Must exist.
  write,       // Must exist; read and write.
  create_new,  // Must not exist; read and write, mode 0600.
};

// One directory; names hold no slash.
class Directory {
 public:
  virtual ~Directory() = default;

  // Code::not_found or Code::conflict where `mode` says so.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(std::string_view name,
                                                           OpenMode mode) = 0;
  // Replaces `to` if it is there.
  [[nodiscard]] virtual Result<> rename(std::string_view from, std::string_view to) = 0;
  // Code::not_found if it is not there.
  [[nodiscard]] virtual Result<> remove(std::string_view name) = 0;
  // Makes the names durable.
  [[nodiscard]] virtual Result<> sync() = 0;
  // Names of the files in it, sorted.
  [[nodiscard]] virtual Result<std::vector<std::string>> list() = 0;
  // What an ordinary user may still write.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes() = 0;
  // For messages: "data/journal".
  virtual std::string path() const = 0;
};

// Opens the real directory at `path`; creates it (mode 0700, parents too) if `create` says so.
enum class IfMissing { fail, create };
Result<std::unique_ptr<Directory>> open_directory(const std::string& path, IfMissing if_missing);

// The whole file. Code::invalid if it is longer than `bytes_max`.
Result<Buffer> read_file(Directory& directory, std::string_view name, std::uint64_t bytes_max);

// Replaces `name` with `bytes`, all or nothing, durable when it returns: writes NAME.tmp, syncs it,
// renames it, syncs the directory.
Result<> replace_file(Directory& directory, std::string_view name, Bytes bytes);

}  // namespace nando
