// HitBatch: the hits that one turn of an I/O loop produced, on their way to the committer and back
// with their outcomes.
#pragma once

#include <memory>
#include <vector>

#include "model/hit.h"
#include "model/hit_arena.h"
#include "model/receipt.h"

namespace nando {

// What became of a hit.
struct Outcome {
  enum class Status : std::uint8_t {
    counted,          // In the journal, synced, in the counters.
    duplicate,        // Its id was counted before; everything below is what it was then.
    bot,              // Kept, or kept before, and without a number (model/counting.h): no receipt.
    id_reused,        // Its id was counted for another page or kind of hit; nothing was counted.
    window_full,      // The retry window takes no further ids now; nothing was counted.
    disk_full,        // No room for the record; nothing was counted.
    outcome_unknown,  // The write or sync failed: it may count after the next start. Its id makes
                      // asking again safe.
    failed,           // The journal had failed before this hit came; nothing was counted.
  };

  Status status = Status::failed;
  bool on_other_page = false;  // The site has pages_max pages; this one is counted on "(other)".
  std::uint64_t page_ordinal = 0;
  std::uint64_t site_ordinal = 0;
  std::uint64_t page_shown = 0;  // Base + ordinal.
  std::uint64_t site_shown = 0;
  Receipt receipt;  // Of counted and duplicate.
};
inline constexpr std::array<std::string_view, 8> kOutcomeNames = {
    "counted",   "duplicate",       "bot",   "id_reused", "window_full",
    "disk_full", "outcome_unknown", "failed"};
constexpr std::string_view name_of(Outcome::Status status) {
  return enum_name(kOutcomeNames, status);
}
constexpr bool was_counted(const Outcome& outcome) {
  return outcome.status == Outcome::Status::counted || outcome.status == Outcome::Status::duplicate;
}

// A gatherer hands a batch over when it has reached either; one more request (kHitsPerRequestMax
// hits) may follow.
inline constexpr std::size_t kBatchHitsEnough = 4'096;
inline constexpr std::size_t kBatchTextEnough = 4 << 20;
inline constexpr std::size_t kHitsPerRequestMax = 1'000;

class HitBatch {
 public:
  virtual ~HitBatch() = default;

  // Called once, on the committer's thread, when every hit has its outcome. Must not block: it
  // hands the batch back to the thread it came from.
  virtual void on_committed(std::unique_ptr<HitBatch> self) = 0;

  HitArena arena;  // Holds the text of `hits`.
  std::vector<Hit> hits;
  std::vector<Outcome> outcomes;  // As many as hits, in their order, when on_committed() is called.
};

}  // namespace nando
