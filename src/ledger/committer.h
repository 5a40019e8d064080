// The Committer: one thread that gathers the hits of all I/O loops and commits them together, one
// write and one sync for all that waited. While it syncs, the next batch gathers: the busier the
// disk, the bigger the batch.
//
// Two threads cost two wake-ups a batch. So a loop that has nothing to do but wait for its batch
// may commit it in place, on its own thread, as long as commits are quick. The committer's thread
// then keeps watch: should a commit take longer than kWatchTick, it serves the loop meanwhile. One
// commit goes on at a time, whoever makes it.
//
// Threads: everything here from any thread, except where it says otherwise.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "ledger/ledger.h"

namespace nando {

inline constexpr std::size_t kWaitingHitsMax = 65'536;
// A commit that takes longer is a stalled disk: new hits are refused until it is over.
inline constexpr std::chrono::milliseconds kStallLimit{800};

// A commit that took longer is not followed by one in place.
inline constexpr std::chrono::milliseconds kWatchTick{5};

// What a thread that commits in place would do otherwise.
class Duties {
 public:
  virtual ~Duties() = default;
  virtual void stand_in() = 0;  // On the committer's thread: does it until recall().
  virtual void recall() = 0;    // On its own thread; may come before stand_in().
};

class Committer {
 public:
  Committer(Ledger& ledger, const Clock& clock);
  ~Committer();  // stop()s.

  enum class Taken : std::uint8_t { yes, queue_full, stalled, stopping };

  // Hands over a batch. Anything but yes leaves `batch` with the caller, and nothing was counted.
  Taken submit(std::unique_ptr<HitBatch>& batch);

  // Commits at once, on this thread, which may block as long as a disk stands still; `duties` are
  // seen to meanwhile. False if another commit goes on or waits, or if commits are slow: nothing
  // was done then, and submit() is the way. After true the outcomes are in `batch`, which stays
  // with the caller; on_committed() is not called.
  bool commit_in_place(HitBatch& batch, Duties& duties);

  // Runs `work` on the committer's thread, between two commits: for changes that are no hits and
  // for checks that need one moment. False when stopping: it will not run.
  bool run(std::function<void(Ledger&)> work);
  // The same, and waits until it has run; Code::unavailable when stopping. Not for the committer's
  // thread, nor for a loop's.
  Result<> run_and_wait(const std::function<void(Ledger&)>& work);

  // How long the commit that is going on now has lasted; 0 if none is.
  std::chrono::milliseconds busy_for() const;

  // Commits what waits, then ends the thread. Later submits get stopping.
  void stop();

  void describe(MetricsPage& page) const;

 private:
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  void keep_watch(std::unique_lock<std::mutex>& lock);
  void begin_commit();
  void end_commit();
  void loop();
  void commit(std::vector<std::unique_ptr<HitBatch>>& batches);

  Ledger& ledger_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable came_back_;  // From standing in.
  std::vector<std::unique_ptr<HitBatch>> waiting_;
  std::vector<std::function<void(Ledger&)>> work_;
  std::size_t waiting_hits_ = 0;
  bool stopping_ = false;
  bool watching_ = false;       // The thread looks up every tick, so commits may be made in place.
  bool standing_in_ = false;    // The thread is at `in_place_`'s duties.
  Duties* in_place_ = nullptr;  // Of the commit in place that goes on.
  std::uint64_t in_place_count_ = 0;
  bool asleep_ = false;                         // The thread waits, or is about to.
  std::atomic<std::int64_t> busy_since_ns_{0};  // By the monotonic clock; 0 while idle.
  std::atomic<std::int64_t> last_took_ns_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::thread thread_;
};

}  // namespace nando
