// RetryWindow: which hit ids were counted lately, and as which record. An id stays for kRetryHours
// after its hit; a window that holds kRetryIdsMax refuses new ids rather than forget one early.
//
// It keeps 64 bits of a keyed hash an id (16 bytes an entry, 8 of index at most). Two ids may share
// a fingerprint, so a match is only a place to look: the caller reads the record back and compares
// the whole id.
//
// IdTimes says how old a stretch of the journal is: one mark a second at most, so that time costs
// no bytes an id.
//
// Threads: one.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/position.h"
#include "counters/sharded_index.h"

namespace nando {

inline constexpr std::chrono::hours kRetryHours{24};
inline constexpr std::uint32_t kRetryIdsMax = 4'000'000;
inline constexpr std::chrono::milliseconds kMarkEvery{1000};

class IdTimes {
 public:
  struct Mark {
    Sequence first;  // Ids from this record on came at `at` or up to kMarkEvery later.
    UnixTime at;
    bool operator==(const Mark&) const = default;
  };

  // An id was counted. Requires: neither argument falls.
  void note(Sequence sequence, UnixTime committed);
  // Takes back note() of the latest record.
  void forget(Sequence sequence);
  // Everything before the sequence that is returned is over kRetryHours old at `committed`. 0:
  // nothing is.
  Sequence expire(UnixTime committed);

  const std::deque<Mark>& marks() const { return marks_; }
  void load(const std::deque<Mark>& marks) { marks_ = marks; }

 private:
  std::deque<Mark> marks_;
};

class RetryWindow {
 public:
  struct Id {
    std::uint64_t fingerprint;
    Sequence sequence;
    bool operator==(const Id&) const = default;
  };

  explicit RetryWindow(std::uint32_t ids_max = kRetryIdsMax) : ids_max_(ids_max) {}

  // Calls `matches(sequence)` for each record whose id has this fingerprint, until it returns true;
  // returns that one.
  template <class Matches>
  std::optional<Sequence> find(std::uint64_t fingerprint, Matches matches) const {
    const auto slot = index_.find(fingerprint, [&](std::uint32_t s) {
      const auto& id = at(s);
      return id.fingerprint == fingerprint && matches(id.sequence);
    });
    if (!slot) return std::nullopt;
    return at(*slot).sequence;
  }

  // For who looks up many: first the cells of all, then the ids of all, then find().
  void prefetch_cell(std::uint64_t fingerprint) const { index_.prefetch(fingerprint); }
  void prefetch_id(std::uint64_t fingerprint) const {
    if (const auto slot = index_.first(fingerprint)) __builtin_prefetch(&at(*slot));
  }

  bool full() const { return size_ >= ids_max_; }
  std::uint32_t size() const { return size_; }
  std::uint32_t ids_max() const { return ids_max_; }
  // When the oldest id in it was counted; nothing if it is empty.
  std::optional<UnixTime> horizon() const;

  // Requires: not full(), sequence above all in it.
  void add(std::uint64_t fingerprint, Sequence sequence, UnixTime committed);
  void remove_last();  // Takes back the last add().
  void expire(UnixTime committed);

  const IdTimes& times() const { return times_; }

  // From a snapshot: the times, then the ids, oldest first. Requires: empty; not full().
  void load_times(const std::deque<IdTimes::Mark>& marks) { times_.load(marks); }
  void load(const Id& id) { place(id); }

  // Oldest first.
  template <class Visit>
  void each(Visit visit) const {
    for (std::uint32_t i = 0; i < size_; ++i) visit(at(first_ + i));
  }

 private:
  static constexpr std::uint32_t kChunk = 1U << 14;
  static constexpr std::uint32_t kSlots =
      1U << 23;  // Slots are numbered round and round; more than can be in use.
  static_assert(kRetryIdsMax + 2 * kChunk < kSlots);

  void place(const Id& id);
  const Id& at(std::uint32_t slot) const { return chunks_[slot % kSlots / kChunk][slot % kChunk]; }

  std::uint32_t ids_max_;
  std::vector<std::unique_ptr<Id[]>> chunks_{kSlots / kChunk};
  ShardedIndex index_;
  std::uint32_t first_ = 0;  // Slot of the oldest.
  std::uint32_t size_ = 0;
  IdTimes times_;
};

}  // namespace nando
