// Entries: every promotion as the journal tells it. Which there are and whether they take entries,
// how many entries each has and the chain over them, where its windows end, who entered the window
// that is open, and which prizes were claimed. The only place where an entry's number rises.
//
// Who won is not known here: that follows from a seed that is no record (promotions/judge.h).
//
// Promise: as Counters: a pure function of the journal.
//
// Threads: the writer's, but for `shown`, which any thread may read.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "records/prizes.h"

namespace nando {

enum class Intake : std::uint8_t {
  taking,  // While it is open by its rules.
  paused,
  closed,  // By hand.
};

// The entries among which is drawn.
struct Window {
  std::uint32_t number = 0;  // 1, 2, 3, ...
  std::uint64_t first = 1;
  std::uint64_t last = 0;  // first - 1: it has none (yet).
  Hash256 link{};          // Of `last`: the chain's end when the window was over.
  bool is_over = false;    // No entry will be added.
  UnixTime over_at{};      // When it was over, or will be at the latest.

  std::uint64_t size() const { return last + 1 - first; }
};

struct PromotionState {
  struct Claim {
    std::uint32_t prize = 0;
    UnixTime at{};
    bool operator==(const Claim&) const = default;
  };
  struct WindowEnd {
    std::uint64_t last = 0;
    Hash256 link{};
    bool operator==(const WindowEnd&) const = default;
  };
  // How often each key of an entrant was seen in the open window. Keys are keyed hashes already.
  struct Spread {
    std::size_t operator()(std::uint64_t key) const { return key * 0x9e3779b97f4a7c15; }
  };
  using Entrants = boost::unordered_flat_map<std::uint64_t, std::uint32_t, Spread>;

  PromotionId id;
  SiteId site;
  std::string text;  // Of the rules.
  std::shared_ptr<const Promotion> rules;
  Intake intake = Intake::taking;
  UnixTime opened_at{};
  UnixTime closed_at{};  // By hand.
  std::uint64_t entries = 0;
  Hash256 link{};                      // Of the last entry; of none, the chain's start.
  std::vector<WindowEnd> ended;        // Windows that were over when an entry was written.
  Entrants entrants;                   // Of the window that is open.
  std::optional<std::string> outside;  // sealed: the value that was revealed.
  UnixTime revealed_at{};
  std::map<std::uint64_t, Claim> claims;              // By entry.
  std::shared_ptr<std::atomic<std::uint64_t>> shown;  // Durable entries.

  // No entry is taken at `now` or ever after.
  bool is_over(UnixTime now) const;
  bool takes_entries(UnixTime now) const;

  // In which window an entry is that was committed then.
  std::uint32_t window_of(std::uint64_t entry, UnixTime committed) const;
  // The same of an entry that was made, from where windows ended.
  std::uint32_t window_holding(std::uint64_t entry) const;
  // The window as it stands at `now`, a committed time. Requires: 1 <= number <= window_count.
  Window window(std::uint32_t number, UnixTime now) const;
  // How many have begun.
  std::uint32_t windows_begun(UnixTime now) const;
};

class Entries;

// Whether a promotion of these rules may open now. Code::conflict names what is in the way: its
// name was had before, or a promotion that has not ended takes entries of the same pages.
// Code::invalid where the rules themselves are wrong, or `now` is past them.
Result<> check_opening(const Entries& entries, SiteId site, const Promotion& rules, UnixTime now);

// Whether that may become of it. Code::conflict says why not.
Result<> check_change(const PromotionState& state, const PromotionRecord& record, UnixTime now);

class Entries {
 public:
  // What the fold tells; each says whether it follows from what came before. The commit applies its
  // own records by the same functions.
  bool add(const PromotionRecord& record, UnixTime committed);
  bool add(const EntryRecord& record, UnixTime committed);
  bool add(const ClaimRecord& record, UnixTime committed);

  const PromotionState* find(PromotionId promotion) const;
  const PromotionState* find(std::string_view name) const;
  const std::vector<std::unique_ptr<PromotionState>>& all() const { return all_; }

  // The entry that a page view earns, as it would be written next; nothing if it earns none: the
  // promotion takes none now, or who asks has had theirs. Not in the state before add().
  std::optional<EntryRecord> earned(PromotionId promotion, SiteId site, const Entrant& who,
                                    UnixTime committed) const;

  // Between begin() and take_back(), add() of entries and claims can be undone, if the batch they
  // are in is not written. publish() says that it was.
  void begin();
  void publish();
  void take_back();

  // What ingest reads: those that take entries at `now` or may later. One that is over is not among
  // them, since another may have its pages by now.
  PromotionTable table(UnixTime now) const;

  // For snapshots.
  void load(PromotionState state);

 private:
  struct Undo {
    PromotionState* state;
    std::uint64_t entries;
    Hash256 link;
    std::size_t ended;
    std::optional<PromotionState::Entrants> entrants;  // As they were when a window ended.
    std::vector<Entrant> entered;                      // Before that.
    std::vector<std::uint64_t> claimed;
  };

  PromotionState* state_of(PromotionId promotion);
  bool open(const PromotionRecord& record, UnixTime committed);
  Undo& undo_for(PromotionState& state);
  void end_windows(PromotionState& state, UnixTime now);
  void end_window(PromotionState& state);

  std::vector<std::unique_ptr<PromotionState>> all_;  // By id, from 1.
  std::vector<Undo> undo_;
};

}  // namespace nando
