// SnapshotWriter and SnapshotReader: the bytes of a snapshot (docs/formats/snapshot.md), a field at
// a time through a buffer, with one checksum over everything at the end.
//
// Failure: a reader latches the first error; what it returns after that is zero, and ok() says so.
// Threads: one.
#pragma once

#include "base/hash.h"
#include "disk/file.h"

namespace nando {

class SnapshotWriter {
 public:
  explicit SnapshotWriter(File& file);

  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (used_ + sizeof value > buffer_.size()) flush();
    store(buffer_.data() + used_, value);
    used_ += sizeof value;
  }
  void put_text(std::string_view text);

  // Writes the checksum and syncs the file.
  Result<> finish();

 private:
  void flush();

  File& file_;
  Buffer buffer_;
  std::size_t used_ = 0;
  std::uint64_t offset_ = 0;
  Checksum checksum_;
  Result<> status_;
};

class SnapshotReader {
 public:
  explicit SnapshotReader(const File& file);

  template <class T>
  T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    if (end_ - used_ < sizeof(T) && !fill(sizeof(T))) return T{};
    const T value = load<T>(buffer_.data() + used_);
    used_ += sizeof(T);
    return value;
  }
  std::string get_text(std::size_t bytes_max);

  bool ok() const { return ok_; }
  // Everything was read and the checksum holds.
  bool finish();

 private:
  void drop_used();
  bool fill(std::size_t at_least);

  const File& file_;
  Buffer buffer_;
  std::size_t used_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  Checksum checksum_;
  bool ok_ = true;
};

}  // namespace nando
