// A sealed segment: one that takes no more batches, rewritten without padding and without what can
// be computed again, in compressed frames of whole batches that can be read alone.
//
// Every byte of the file stands under a checksum: the header under its own, each frame under one in
// the index, the index under one in the footer, the footer under its own.
//
// Threads: one a FrameReader; a SealedIndex does not change.
#pragma once

#include <memory>

#include "disk/file.h"
#include "journal/format.h"
#include "journal/journal.h"

struct ZSTD_DCtx_s;

namespace nando {

// Where a frame stands and what it needs to be read alone.
struct FrameEntry {
  Sequence first;
  std::uint64_t offset = 0;
  // As stored and as read, of the count and of the detail stream.
  std::uint32_t count_stored = 0;
  std::uint32_t count_plain = 0;
  std::uint32_t detail_stored = 0;
  std::uint32_t detail_plain = 0;
  std::uint32_t batches = 0;
  std::uint32_t mac_key = 0;  // Of the first batch; the others are written relative to it.
  UnixTime committed;         // The same.
  Head before{};
  std::uint64_t checksum = 0;

  std::uint64_t stored() const { return std::uint64_t{count_stored} + detail_stored; }
};

struct SealedIndex {
  std::string path;  // "data/journal/000000000003.sealed", for messages.
  SegmentHeader header;
  std::vector<FrameEntry> frames;
  std::uint64_t batches = 0;
  std::uint64_t bytes = 0;     // Of the file.
  Position last;               // Of its last batch.
  std::uint64_t checksum = 0;  // Of the entries of the frames.

  // Of the frame that holds `sequence`. Requires: it is in this segment.
  std::size_t frame_of(Sequence sequence) const;
  // A segment that lost details has its old name, and another index.
  bool same_file(const SealedIndex& other) const {
    return bytes == other.bytes && checksum == other.checksum;
  }
};

// Reads header, index and footer and holds them against each other; the frames are not read.
Result<SealedIndex> read_sealed_index(Directory& directory, std::uint64_t number,
                                      std::string_view name);
// The same of a file that is open. `path` is for messages.
Result<SealedIndex> read_sealed_index(const File& file, std::uint64_t number, std::string path);

// The two parts of a batch, as they are stored.
struct BatchParts {
  Head before{};
  Bytes count;
  Bytes detail;           // What is left of it.
  Hash256 detail_hash{};  // Of the whole, as it was written first.
};

// A frame read back. The views point into it.
struct Frame {
  Buffer count;
  Buffer detail;
  std::vector<RecordView> records;
  std::vector<BatchView> batches;
  std::vector<BatchParts> parts;  // One a batch.
};

class FrameReader {
 public:
  FrameReader();
  ~FrameReader();

  // Checks the checksum, and the chain from the head before the frame to the head before the next.
  Result<> read(const File& file, const SealedIndex& index, std::size_t number, Frame& into);

 private:
  Result<> unpack(const SealedIndex& index, std::size_t number, Frame& into);

  struct Free {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_DCtx_s, Free> context_;
  Buffer stored_;
};

// Writes the sealed copy of live segment `number`, which must end at `end`, reads it back, and
// gives it its durable name; the live file stays. Returns the bytes of the copy. On failure there
// is none.
Result<std::uint64_t> seal_segment(Directory& directory, std::uint64_t number, const Position& end,
                                   int level);

// Writes what live segment `number` of `from` holds up to `up_to` to a new sealed file in `to`,
// synced; its name is not synced. Returns where it ends. Code::not_found if the segment was sealed
// meanwhile: copy that file.
Result<Position> seal_copy(Directory& from, std::uint64_t number, Sequence up_to, int level,
                           Directory& to);

// Writes sealed segment `number` again without the details of the records that `forget` names, and
// puts it, read back and synced, in the place of the old one. Returns how many records lost theirs;
// if none, nothing was written. `bytes`: of the file.
struct Pruned {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
};
Result<Pruned> prune_segment(Directory& directory, std::uint64_t number, const Forget& forget,
                             int level);

// Reads all of a sealed segment and checks every frame. Returns where it begins (what must be the
// end of the segment before) and where it ends. Code::corrupt, naming file and offset.
struct SealedSpan {
  Position before;
  Position last;
};
Result<SealedSpan> check_sealed(Directory& directory, std::uint64_t number);

// The fixed parts of the file.
inline constexpr std::size_t kSealedHeaderBytes = 128;
inline constexpr std::size_t kFrameEntryBytes = 88;
inline constexpr std::size_t kSealedFooterBytes = 96;
// Small enough to read one record for. Measured with hits: 256 KiB compresses 1 to 3 per cent
// better, and finding a record takes three times as long.
inline constexpr std::size_t kFrameBytes = 64 << 10;
inline constexpr std::uint64_t kDetailsRemoved = 1;  // Flag of a batch: of some or all records.

// What the footer says, apart from its checksum.
struct SealedFooter {
  std::uint32_t frames = 0;
  std::uint64_t index_offset = 0;
  std::uint64_t batches = 0;
  Sequence last;
  Head after{};
  UnixTime committed;
  std::uint64_t index_checksum = 0;
};
using SealedHeaderBytes = std::array<std::byte, kSealedHeaderBytes>;
using SealedFooterBytes = std::array<std::byte, kSealedFooterBytes>;
void encode(const SegmentHeader& header, SealedHeaderBytes& bytes);
void encode(const FrameEntry& entry, Buffer& index);
void encode(const SealedFooter& footer, std::uint64_t seed, SealedFooterBytes& bytes);

}  // namespace nando
