// A live segment on disk: made ready (allocated, filled with zeros, synced, named), and read back
// batch by batch.
//
// Threads: one a LiveFile.
#pragma once

#include <memory>

#include "disk/file.h"
#include "journal/format.h"

namespace nando {

// Makes `name` a file of `bytes` zeros, synced, replacing one that is there; its name is not synced
// yet. On failure there is no such file.
[[nodiscard]] Result<> make_zeros(Directory& directory, const std::string& name,
                                  std::uint64_t bytes);

// Removes `name` if it is there.
[[nodiscard]] Result<> remove_if_there(Directory& directory, const std::string& name);

// Removes the segment `name` and gives its space back step by step: a file system that tells the
// disk of each freed block would keep it from syncing anything else meanwhile. The name goes first:
// whoever has the file open sees it shrink, and that its name is gone.
[[nodiscard]] Result<> remove_in_steps(Directory& directory, const std::string& name);

// The file of a sealed segment, kept and made blank again for a later one: its space is allocated
// and in the page cache, so that costs the disk and the processor a fraction of a new file. Once
// that is done step by step, beside commits; in a hurry, all at once.
//
// Nothing in it is worth anything, and it goes by a temporary name: after a crash it is removed.
class Reserve {
 public:
  // Renames the segment `name`, which is sealed, to `reserve_name`. False if it could not be kept
  // and was removed.
  [[nodiscard]] Result<bool> take(Directory& directory, const std::string& name,
                                  const std::string& reserve_name);
  bool taken() const { return file_ != nullptr; }
  bool blank() const { return zeroed_ == bytes_; }
  std::uint64_t bytes() const { return bytes_; }

  // Fills a step with zeros and syncs it. Requires: taken and not blank. After an error, drop().
  [[nodiscard]] Result<> blank_some();
  void drop() { *this = {}; }

 private:
  std::unique_ptr<File> file_;
  std::uint64_t bytes_ = 0;
  std::uint64_t zeroed_ = 0;
};

// Where a batch must stand in its chain to be the next one.
struct Expected {
  std::uint64_t segment = 0;
  std::uint64_t seed = 0;
  Epoch epoch{};
  Sequence first;
  Head before{};
};

// What stands at a block.
enum class Found {
  batch,  // Valid, and the expected one.
  end,    // No room for a batch: the end of the segment.
  blank,  // A block of zeros.
  bytes,  // Neither: torn, or damaged.
  stray,  // The header of a batch, but not of the expected one. No crash leaves this behind.
};

struct LiveBatch {
  std::uint64_t offset = 0;
  BatchHeader header;
  // Into the file's memory, until the next call.
  BatchView view;
  Bytes count_part;
  Bytes detail_part;
  std::uint64_t end() const { return offset + header.bytes_on_disk(); }
};

class LiveFile {
 public:
  // Reads only. Code::corrupt for a size that no segment has.
  static Result<LiveFile> open(Directory& directory, std::uint64_t number);

  std::uint64_t bytes() const { return bytes_; }
  // "data/journal/000000000003.live at 8192", for messages.
  std::string place(std::uint64_t offset) const;

  // Nothing if the first block is not a header whose checksum holds.
  Result<std::optional<SegmentHeader>> header();

  Result<Found> read(std::uint64_t offset, const Expected& expected, Check check, LiveBatch& into);

  // The end of the last block at or after `offset` that is not all zeros; `offset` if there is
  // none.
  Result<std::uint64_t> end_of_bytes(std::uint64_t offset);

  // Whether any sector at or after `offset` begins with the header of a batch. The parts do not
  // matter: that a batch was begun there proves the ones before it.
  Result<bool> holds_header(std::uint64_t offset, std::uint64_t seed);

  // Up to `bytes` from `offset`, fewer only at the end of the file; until the next call.
  Result<Bytes> peek(std::uint64_t offset, std::uint64_t bytes);

  // Forgets what was read: another thread may have written since.
  void forget() { window_bytes_ = 0; }

 private:
  LiveFile(std::unique_ptr<File> file, std::uint64_t bytes, std::string path)
      : file_(std::move(file)), bytes_(bytes), path_(std::move(path)) {}

  std::unique_ptr<File> file_;
  std::uint64_t bytes_;
  std::string path_;
  Buffer window_;
  std::uint64_t window_at_ = 0;
  std::uint64_t window_bytes_ = 0;
  std::vector<RecordView> records_;
};

// What is to be expected first in a segment, and what after `header`.
Expected expect_first(const SegmentHeader& header);
Expected expect_after(const BatchHeader& header, std::uint64_t seed);

}  // namespace nando
