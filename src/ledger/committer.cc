#include "ledger/committer.h"

#include <algorithm>

#include "base/assert.h"

namespace nando {

namespace {

// What one commit takes at most; the journal's limits on a batch (journal/batch.h) are twice as
// high, since each hit may bring a site and a page.
constexpr std::size_t kCommitHitsMax = 16'384;
constexpr std::size_t kCommitTextMax = 16 << 20;
static_assert(kBatchHitsEnough + kHitsPerRequestMax <= kCommitHitsMax);

std::int64_t in_ns(std::chrono::nanoseconds duration) {
  return duration.count();
}

}  // namespace

Committer::Committer(Ledger& ledger, const Clock& clock)
    : ledger_(ledger), clock_(clock), thread_([this] { loop(); }) {}

Committer::~Committer() {
  stop();
}

Committer::Taken Committer::submit(std::unique_ptr<HitBatch>& batch) {
  ASSERT(batch->hits.size() <= kCommitHitsMax);
  if (busy_for() > kStallLimit) return Taken::stalled;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Taken::stopping;
    if (waiting_hits_ + batch->hits.size() > kWaitingHitsMax) return Taken::queue_full;
    waiting_hits_ += batch->hits.size();
    waiting_.push_back(std::move(batch));
    if (waiting_.size() > 1 || !asleep_) return Taken::yes;
  }
  wake_.notify_one();
  return Taken::yes;
}

bool Committer::run(std::function<void(Ledger&)> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    work_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

std::chrono::milliseconds Committer::busy_for() const {
  const auto since = busy_since_ns_.load(std::memory_order_acquire);
  if (since == 0) return std::chrono::milliseconds{0};
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic() -
                                                               std::chrono::nanoseconds{since});
}

void Committer::loop() {
  std::vector<std::unique_ptr<HitBatch>> batches;
  std::vector<std::function<void(Ledger&)>> work;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      asleep_ = true;
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty() || !work_.empty(); });
      asleep_ = false;
      if (waiting_.empty() && work_.empty()) return;
      batches.swap(waiting_);
      work.swap(work_);
      waiting_hits_ = 0;
    }
    busy_since_ns_.store(std::max<std::int64_t>(1, in_ns(clock_.monotonic())),
                         std::memory_order_release);
    for (const auto& task : work) task(ledger_);
    work.clear();
    commit(batches);
    batches.clear();
    busy_since_ns_.store(0, std::memory_order_release);
  }
}

void Committer::commit(std::vector<std::unique_ptr<HitBatch>>& batches) {
  std::vector<HitBatch*> together;
  for (std::size_t next = 0; next < batches.size();) {
    together.clear();
    std::size_t hits = 0;
    std::size_t text = 0;
    const auto first = next;
    while (next < batches.size()) {
      const auto& batch = *batches[next];
      const bool fits = hits + batch.hits.size() <= kCommitHitsMax &&
                        text + batch.arena.bytes() <= kCommitTextMax;
      if (next > first && !fits) break;
      hits += batch.hits.size();
      text += batch.arena.bytes();
      together.push_back(batches[next++].get());
    }
    busy_since_ns_.store(std::max<std::int64_t>(1, in_ns(clock_.monotonic())),
                         std::memory_order_release);
    ledger_.commit(together);
    commits_.fetch_add(1, std::memory_order_relaxed);
    for (auto i = first; i < next; ++i) {
      auto* batch = batches[i].get();
      batch->on_committed(std::move(batches[i]));
    }
  }
}

void Committer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Committer::describe(MetricsPage& page) const {
  page.counter("nandolytics_commits_total",
               "Batches committed; each is at most one write and one sync.",
               static_cast<double>(commits_.load(std::memory_order_relaxed)));
  page.gauge("nandolytics_commit_seconds", "How long the commit that is going on now has lasted.",
             static_cast<double>(busy_for().count()) / 1000);
}

}  // namespace nando
