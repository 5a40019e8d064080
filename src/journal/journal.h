// The journal: an append-only log of checksummed, hash-chained batches of records, and the only
// place in this program where "durable" is decided. It carries bytes and does not know what a hit
// is.
//
// Promise
//   When append() returns, every record of the batch survives a crash of the process and, on a disk
//   that honours fsync, a loss of power. A crash before that keeps the whole batch or none of it.
//
// Invariants
//   - Sequence numbers start at 1 and rise by 1: no gap, no reuse.
//   - A batch is written only after the one before it was synced, and begins on a block of its own.
//   So only the last
//     batch can be torn, and tearing it touches no byte of an earlier one; anything invalid before
//     it is damage.
//   - A batch is valid if and only if its checksum (seeded by the journal) holds, its epoch is the
//   segment's, and it
//     continues sequence number and head of the one before it; a stale or misplaced batch never
//     passes.
//
// Failure
//   A failed write or sync is final. The kernel may already have dropped the dirty pages, so a
//   second fsync that succeeds proves nothing. The journal refuses every later append with
//   Code::io, and the program must restart and recover. A full disk is no failure: append() says
//   Code::full before it has written anything, and works again when there is space.
//
// Threads: append() from one thread; keep() from one other; the rest from any.
// Bytes:   docs/formats/journal.md. Nothing here repeats them.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/position.h"
#include "disk/file.h"
#include "journal/batch.h"

namespace nando {

struct JournalOptions {
  std::uint64_t segment_bytes =
      64 << 20;  // Of a segment prepared in good time, when the disk has room.
  std::uint64_t segment_bytes_hurry = 1 << 20;  // Of the first, and of one made in a hurry.
  std::uint64_t segment_bytes_min = 256 << 10;  // In little room. Multiples of 4096, all three.
  std::uint32_t node = 0;                       // Who writes, where several nodes share counters.
  int seal_level = 1;                           // zstd level of sealed segments.
};

// Called for each batch, oldest first. What it is passed dies when it returns. An error ends the
// replay and is returned.
using Replay = std::function<Result<>(const BatchView& batch)>;

// Whether the details of a record go. `committed` is its batch's time.
using Forget =
    std::function<Result<bool>(const RecordView& record, Sequence sequence, UnixTime committed)>;

class Journal {
 public:
  struct Recovery {
    Position last;                // Of the last whole batch; sequence 0 in a new journal.
    std::uint64_t bytes_cut = 0;  // Torn batch removed; 0 after a clean shutdown.
    std::string
        cut_from;  // Where: "data/journal/000000000003.live at 8192"; empty if nothing was cut.
    std::uint64_t batches_replayed = 0;
  };

  // Opens the journal in `directory`, makes one if there is none, and passes every batch after
  // `from` to `replay`.
  //
  // A last batch that fails its check is taken for torn, hence never promised: it is cut off
  // (zeroed, synced) and reported in recovery(). Anything before it was promised, so damage there
  // is not repaired: Code::corrupt, naming file and offset. Checked in full: every live segment,
  // and sealed ones after `from`; of older sealed segments only that none is missing and that each
  // continues the one before it.
  //
  // Code::conflict if the journal has no batch that ends at `from`, or another epoch or head there:
  // the caller's mark is of another life or of a tail that was cut, and it must begin again from
  // nothing (a default Position).
  //
  // Failing at any point changes nothing that a later open() would not do or undo itself.
  static Result<std::unique_ptr<Journal>> open(Directory& directory, const JournalOptions& options,
                                               const Clock& clock, Entropy& entropy, Position from,
                                               const Replay& replay);
  virtual ~Journal() = default;

  // Makes the batch durable with one write and one sync, and returns where it stands: position().
  //
  // On Code::full nothing was written; ask again later: the segment in use, if little is left in
  // it, was given to keep(), and a segment is only begun where there is room to seal it, so that a
  // disk the journal filled by itself has room again when keep() has run. On Code::io the journal
  // has failed for good (see Failure); whether the batch is on disk is known only after the next
  // open(), so a caller that must not count twice gives each record an id. Requires: 1 to
  // kBatchRecordsMax records, kBatchBytesMax bytes at most.
  [[nodiscard]] virtual Result<Position> append(const BatchBuilder& batch) = 0;

  // One step of housekeeping: prepares the next segment in good time (preallocated, filled with
  // zeros, synced), or seals one full segment (compressed copy synced and renamed, then the
  // original's file made blank for a later segment, or removed). Returns whether there was anything
  // urgent to do. An error (a full disk, mostly)
  // costs nothing but the step, which is left alone for a moment; call again later.
  [[nodiscard]] virtual Result<bool> keep() = 0;

  // The next append() begins another life of this journal, in a segment of its own: for a store
  // that was restored, so that nothing of what came after the backup is believed. The appending
  // thread.
  virtual void begin_life(const Epoch& epoch) = 0;

  // Begins a segment, so that everything before it can be sealed. As append() does where a segment
  // is full: on Code::full the one in use stays. The appending thread.
  [[nodiscard]] virtual Result<> begin_segment() = 0;

  // The sealed segments, oldest first; and whether all are that take no more batches. Any thread.
  struct Sealed {
    std::vector<std::uint64_t> numbers;
    bool all = false;
  };
  virtual Sealed sealed() const = 0;

  // Writes sealed segment `number` again without the details of the records that `forget` names;
  // count parts and the chain stay as they are. Returns how many records lost theirs. Readers that
  // are open go on. Code::not_found if it is not sealed. On failure nothing has changed. The
  // keeping thread.
  [[nodiscard]] virtual Result<std::uint64_t> remove_details(std::uint64_t number,
                                                             const Forget& forget) = 0;

  // A step of overwriting what sealed segments have left behind in files kept for later ones.
  // False if there is nothing left. The keeping thread.
  [[nodiscard]] virtual Result<bool> wipe() = 0;

  virtual const Recovery& recovery() const = 0;

  // The end of what is durable, published after each sync. Any thread.
  virtual Position position() const = 0;

  // 128 random bits made with the journal and kept in every segment header, so that a reader needs
  // nothing else: the key for hashing text that visitors choose (pages, hit ids).
  virtual Key128 hash_key() const = 0;

  // The last record of the newest segment that keep() has sealed; 0 before the first since the
  // start. Any thread.
  virtual Sequence sealed_to() const = 0;

  // Why append() refuses for good; empty while it does not. Any thread.
  virtual std::string failure() const = 0;

  struct Sizes {
    std::uint64_t live_bytes = 0;  // Segments not yet sealed, prepared space included.
    std::uint64_t sealed_bytes = 0;
    std::uint64_t segments = 0;
  };
  virtual Sizes sizes() const = 0;  // Any thread.
};

}  // namespace nando
