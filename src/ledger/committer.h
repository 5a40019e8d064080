// The Committer: one thread that gathers the hits of all I/O loops and commits them together, one
// write and one sync for all that waited. While it syncs, the next batch gathers: the busier the
// disk, the bigger the batch.
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

class Committer {
 public:
  Committer(Ledger& ledger, const Clock& clock);
  ~Committer();  // stop()s.

  enum class Taken : std::uint8_t { yes, queue_full, stalled, stopping };

  // Hands over a batch. Anything but yes leaves `batch` with the caller, and nothing was counted.
  Taken submit(std::unique_ptr<HitBatch>& batch);

  // Runs `work` on the committer's thread, between two commits: for changes that are no hits and
  // for checks that need one moment. False when stopping: it will not run.
  bool run(std::function<void(Ledger&)> work);

  // How long the commit that is going on now has lasted; 0 if none is.
  std::chrono::milliseconds busy_for() const;

  // Commits what waits, then ends the thread. Later submits get stopping.
  void stop();

  void describe(MetricsPage& page) const;

 private:
  void loop();
  void commit(std::vector<std::unique_ptr<HitBatch>>& batches);

  Ledger& ledger_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::unique_ptr<HitBatch>> waiting_;
  std::vector<std::function<void(Ledger&)>> work_;
  std::size_t waiting_hits_ = 0;
  bool stopping_ = false;
  bool asleep_ = false;                         // The thread waits, or is about to.
  std::atomic<std::int64_t> busy_since_ns_{0};  // By the monotonic clock; 0 while idle.
  std::atomic<std::uint64_t> commits_{0};
  std::thread thread_;
};

}  // namespace nando
