// Feed: carries the journal into the warehouse, each record exactly once, and looks after the
// warehouse's file: one that will not open, is of another life of the journal, or was taken away is
// set aside and filled again from the journal. Details that are removed from the journal go from
// the file too. Counting never waits for it.
//
// Threads: step() from one; the rest from any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "feed/room.h"
#include "feed/row_maker.h"
#include "journal/reader.h"
#include "telemetry/metrics.h"
#include "warehouse/warehouse.h"

namespace nando {

// Of one transaction, but for a batch of the journal that alone has more. One less than the engine
// has room for in a row group: what is over would be a group of its own, of a few rows, which the
// engine merges with its neighbours at some later time, all at once, and in memory.
inline constexpr std::size_t kFeedRowsAtOnce = kRowGroup - 1;

// A transaction costs the less for each hit the nearer it is to that, so a little waits for more;
// but charts are 2 s behind at most, loading included.
inline constexpr std::chrono::milliseconds kFeedWaitMax{1200};

struct FeedParts {
  Directory& journal;
  const SiteTables& sites;
  std::uint32_t node = 0;
  std::function<Position()> durable_end;  // Of the journal; any thread.
  std::string path;                       // Of the warehouse's file.
  WarehouseOptions options;
  std::uint64_t left_for_counting = kLeftForCounting;
};

class Feed {
 public:
  explicit Feed(FeedParts parts);

  // Loads one transaction's worth of what is not loaded yet. Returns whether there is more. After
  // an error nothing is lost; call again later.
  [[nodiscard]] Result<bool> step();

  // The same if there is enough for a transaction, something may have waited for kFeedWaitMax, a
  // new file is being filled, or hurry() was called; else false. `now` is Clock::monotonic().
  [[nodiscard]] Result<bool> step_if_due(std::chrono::nanoseconds now);
  void hurry() { hurried_ = true; }  // Any thread.

  // Throws the warehouse away at the next step() and fills a new one.
  void rebuild() { rebuild_wanted_ = true; }
  bool wants_rebuild() const { return rebuild_wanted_; }  // Any thread.

  struct Status {
    Sequence loaded;       // The last record that is in the warehouse.
    bool filling = false;  // A new file is being filled from the beginning.
    std::string problem;   // Why nothing is loaded; empty if all is well.
  };
  Status status() const;
  void describe(MetricsPage& page) const;

  // Its file; what else is large and comes from it should be beside it.
  const std::string& path() const { return parts_.path; }
  std::filesystem::path folder() const;
  std::uint64_t bytes() const;  // Of its file, and of the engine's log.

  // Null while there is none that works. What it returns stays usable, though it may be of a file
  // that was replaced since.
  std::shared_ptr<Warehouse> warehouse() const;

 private:
  Result<> hold_warehouse();
  Result<> open();
  Result<> replace(const std::string& why, Keep keep = Keep::aside);
  Result<> take(const Result<>& done);
  Result<> forget(const Mark& mark);
  Result<bool> is_of_this_journal(const Mark& mark);
  Result<> check_room() const;
  Result<bool> load_some();
  void publish(std::shared_ptr<Warehouse> warehouse);

  const FeedParts parts_;
  JournalReader reader_;
  RowMaker maker_;
  Rows rows_;
  std::vector<RemovalRow> removals_;
  Position loaded_;
  bool damaged_ = false;  // The file refused what it should take; next time it is replaced.
  std::atomic<bool> rebuild_wanted_ = false;
  std::atomic<bool> hurried_ = true;
  std::chrono::nanoseconds stepped_at_{};

  mutable std::mutex mutex_;  // Of what follows; held for a copy.
  std::shared_ptr<Warehouse> warehouse_;
  Status status_;
};

}  // namespace nando
