#include "ledger/committer.h"

#include <algorithm>
#include <future>

#include "base/assert.h"
#include "journal/batch.h"

namespace nando {

namespace {

// What one commit takes at most; the journal's limits on a batch (journal/batch.h) are higher,
// since each hit may bring a site, a page and an entry.
constexpr std::size_t kCommitHitsMax = 16'384;
constexpr std::size_t kCommitTextMax = 16 << 20;
static_assert(kBatchHitsEnough + kHitsPerRequestMax <= kCommitHitsMax);
static_assert(4 * kCommitHitsMax <= kBatchRecordsMax);

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
  ASSERT(batch->size() <= kCommitHitsMax);
  if (busy_for() > kStallLimit) return Taken::stalled;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Taken::stopping;
    if (waiting_hits_ + batch->size() > kWaitingHitsMax) return Taken::queue_full;
    waiting_hits_ += batch->size();
    waiting_.push_back(std::move(batch));
    if (waiting_.size() > 1 || !asleep_ || in_place_ != nullptr) return Taken::yes;
  }
  wake_.notify_one();
  return Taken::yes;
}

bool Committer::commit_in_place(HitBatch& batch, Duties& duties) {
  ASSERT(batch.size() <= kCommitHitsMax);
  if (std::chrono::nanoseconds{last_took_ns_.load(std::memory_order_relaxed)} > kWatchTick) {
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    const bool idle = in_place_ == nullptr && asleep_ && waiting_.empty() && work_.empty();
    if (!idle || !watching_ || standing_in_ || stopping_) return false;
    in_place_ = &duties;
    ++in_place_count_;
  }
  HitBatch* const one = &batch;
  begin_commit();
  ledger_.commit({&one, 1});
  end_commit();
  commits_.fetch_add(1, std::memory_order_relaxed);
  {
    std::unique_lock lock(mutex_);
    in_place_ = nullptr;
    if (standing_in_) {
      lock.unlock();
      duties.recall();
      lock.lock();
      came_back_.wait(lock, [this] { return !standing_in_; });
    }
    if (waiting_.empty() && work_.empty() && !stopping_) return true;
  }
  wake_.notify_one();
  return true;
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

Result<> Committer::run_and_wait(const std::function<void(Ledger&)>& work) {
  const auto done = std::make_shared<std::promise<void>>();
  auto waits = done->get_future();
  const bool taken = run([&work, done](Ledger& ledger) {
    work(ledger);
    done->set_value();
  });
  if (!taken) return Error{Code::unavailable, "the server is stopping"};
  waits.wait();
  return {};
}

std::chrono::milliseconds Committer::busy_for() const {
  const auto since = busy_since_ns_.load(std::memory_order_acquire);
  if (since == 0) return std::chrono::milliseconds{0};
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic() -
                                                               std::chrono::nanoseconds{since});
}

// One tick. If a commit in place has lasted longer, sees to the duties until it is over; if there
// was none, lies down until there is work, so that an idle server sleeps.
void Committer::keep_watch(std::unique_lock<std::mutex>& lock) {
  const auto before = in_place_count_;
  const bool was_busy = in_place_ != nullptr;
  if (wake_.wait_for(lock, kWatchTick) == std::cv_status::no_timeout) return;
  if (in_place_count_ != before) return;
  if (in_place_ == nullptr) {
    watching_ = false;
  } else if (was_busy) {
    standing_in_ = true;
    auto& duties = *in_place_;
    lock.unlock();
    duties.stand_in();
    lock.lock();
    standing_in_ = false;
    came_back_.notify_all();
  }
}

// False when there will be none any more.
bool Committer::wait_for_work(std::unique_lock<std::mutex>& lock) {
  asleep_ = true;
  for (;;) {
    const bool is_work = !waiting_.empty() || !work_.empty();
    if (in_place_ == nullptr && (is_work || stopping_)) {
      asleep_ = false;
      watching_ = true;
      return is_work;
    }
    watching_ ? keep_watch(lock) : wake_.wait(lock);
  }
}

void Committer::loop() {
  std::vector<std::unique_ptr<HitBatch>> batches;
  std::vector<std::function<void(Ledger&)>> work;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (!wait_for_work(lock)) return;
      batches.swap(waiting_);
      work.swap(work_);
      waiting_hits_ = 0;
    }
    begin_commit();
    for (const auto& task : work) task(ledger_);
    work.clear();
    commit(batches);
    batches.clear();
    end_commit();
  }
}

void Committer::begin_commit() {
  busy_since_ns_.store(std::max<std::int64_t>(1, in_ns(clock_.monotonic())),
                       std::memory_order_release);
}

void Committer::end_commit() {
  const auto since = busy_since_ns_.exchange(0, std::memory_order_acq_rel);
  last_took_ns_.store(in_ns(clock_.monotonic()) - since, std::memory_order_relaxed);
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
      const bool fits =
          hits + batch.size() <= kCommitHitsMax && text + batch.arena.bytes() <= kCommitTextMax;
      if (next > first && !fits) break;
      hits += batch.size();
      text += batch.arena.bytes();
      together.push_back(batches[next++].get());
    }
    begin_commit();
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
