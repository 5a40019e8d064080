// HitBatch: the hits and claims that one turn of an I/O loop produced, on their way to the
// committer and back with their outcomes.
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

// Who asks has shown a receipt of this installation and the secret that belongs to it.
struct Claim {
  Receipt receipt;
};

struct ClaimOutcome {
  enum class Status : std::uint8_t {
    won,              // A record, synced. The same claim again: the same, `is_repeated`.
    not_drawn,        // Another entry won.
    pending,          // Who won is not known yet; `known_at` says when, if that is known.
    lapsed,           // It was won, and not claimed in time.
    no_stock,         // It was won, and the prizes had all been claimed.
    no_entry,         // The hit earned no entry, or one of a promotion that is not here.
    disk_full,        // Nothing was decided: ask again. As with hits.
    outcome_unknown,  //
    failed,           //
  };

  Status status = Status::failed;
  bool is_repeated = false;
  std::uint32_t window = 0;
  std::uint32_t prize = 0;  // won: 1, 2, 3, ... in the order of claims.
  UnixTime claimed{};
  std::optional<UnixTime> known_at;
  std::shared_ptr<const Promotion> rules;  // Null for no_entry.
};
inline constexpr std::array<std::string_view, 9> kClaimStatusNames = {
    "won",      "not_drawn", "pending",         "lapsed", "no_stock",
    "no_entry", "disk_full", "outcome_unknown", "failed"};
constexpr std::string_view name_of(ClaimOutcome::Status status) {
  return enum_name(kClaimStatusNames, status);
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
  std::vector<Claim> claims;
  std::vector<ClaimOutcome> claim_outcomes;  // Likewise.

  std::size_t size() const { return hits.size() + claims.size(); }
};

}  // namespace nando
