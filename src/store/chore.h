// Chore: a thread that does a step of some housekeeping again and again, behind everything else.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"
#include "telemetry/log.h"

namespace nando {

class Chore {
 public:
  // Where cores are short: `last` gets what nobody else wants, `behind` a tenth of who answers.
  enum class Rank { behind, last };

  struct Pace {
    Rank rank = Rank::last;
    std::chrono::milliseconds when_done;
    std::chrono::milliseconds after_error;
  };

  // `step` returns whether there is more to do at once. An error is logged when it is a new one.
  Chore(std::string name, Pace pace, std::function<Result<bool>()> step)
      : name_(std::move(name)), pace_(pace), step_(std::move(step)) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
    pthread_setname_np(thread_.native_handle(), name_.c_str());
  }

  // Ends the pause. Any thread.
  void wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    wake_.notify_one();
  }

 private:
  void run(const std::stop_token& stop) {
    stand_back();
    std::string last_error;
    while (!stop.stop_requested()) {
      const auto done = step_();
      if (done && *done) continue;
      if (!done && done.error().message != last_error) {
        log_warn("{}: {}", name_, done.error().message);
      }
      last_error = done ? std::string() : done.error().message;
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, done ? pace_.when_done : pace_.after_error,
                     [this] { return woken_; });
      woken_ = false;
    }
  }

  // Niceness does not keep a thread from finishing its slice while who answers is awake already;
  // SCHED_IDLE does. Where a sandbox forbids that, the nicest is what is left. Both are of this
  // thread alone, on Linux.
  void stand_back() const {
    constexpr int kBehind = 10;
    constexpr int kLast = 19;
    setpriority(PRIO_PROCESS, 0, pace_.rank == Rank::last ? kLast : kBehind);
    const sched_param none{};
    if (pace_.rank == Rank::last) pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
  }

  const std::string name_;
  const Pace pace_;
  const std::function<Result<bool>()> step_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool woken_ = false;
  std::jthread thread_;
};

}  // namespace nando
