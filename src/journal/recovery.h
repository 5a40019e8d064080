// Recovery: what Journal::open() does before the first append. It walks the segments, decides at
// the spot where the batches of each one stop, and mends what a crash may leave behind, and only
// that.
//
// The decision is a table (decide()); a test proves that every finding matches exactly one row.
// Failing at any call, recovery can be run again and ends in the same state.
#pragma once

#include <map>

#include "journal/journal.h"
#include "journal/live.h"

namespace nando {

// What stands where the valid batches of a segment stop.
enum class Spot {
  end,        // No room for another batch.
  blank,      // A block of zeros.
  bytes,      // Anything else that is not a valid batch.
  stray,      // A valid batch that belongs elsewhere.
  no_header,  // The header of the segment itself is blank or not valid.
};
// What follows that spot in the same segment: zeros, anything, the header of a batch.
enum class Rest { blank, bytes, batch };
// Whether any later segment has a byte that is not zero.
enum class Later { blank, used };

enum class Decision {
  clean,   // The journal ends here.
  onward,  // It goes on in the next segment.
  cut,     // A torn batch: never promised, to be zeroed.
  damage,  // Bytes that were promised.
};

Decision decide(Spot spot, Rest rest, Later later);

struct Judgement {
  Decision decision = Decision::clean;
  std::uint64_t bytes_end = 0;  // Of the last block that is not all zeros; `at` if there is none.
};
// Reads what stands behind the spot `at` and decides. Code::corrupt, naming the spot, for damage.
Result<Judgement> judge(LiveFile& file, std::uint64_t at, Spot spot, Later later,
                        std::uint64_t seed);
// The spot that a read which found no batch stands at.
Spot spot_of(Found found);

struct LiveSegment {
  std::uint64_t bytes = 0;
  Position end;  // Of its last batch; of no meaning while the segment takes batches or is blank.
};

// The journal as recovery leaves it.
struct Recovered {
  Journal::Recovery report;
  JournalKeys keys;
  std::map<std::uint64_t, std::uint64_t> sealed;  // Number to bytes on disk.
  std::map<std::uint64_t, LiveSegment> live;
  std::uint64_t last_used = 0;  // Every segment after it is blank.
  std::uint64_t active = 0;  // Of the live segment that takes the next batch; 0 if there is none.
  std::uint64_t active_end = 0;  // Where that batch begins.
};

// Nothing if there is no journal in `directory`.
Result<std::optional<Recovered>> recover(Directory& directory, Position from, const Replay& replay);

// The first segment of a new journal, durable. It has its header before it has its name, so one
// without is damage.
Result<Recovered> create_first(Directory& directory, const JournalOptions& options,
                               const Clock& clock, Entropy& entropy);

}  // namespace nando
