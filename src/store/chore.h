// Chore: a thread that does a step of some housekeeping again and again, behind everything else.
#pragma once

#include <pthread.h>
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
  struct Pace {
    int nice = 19;  // How far it stands back where cores are short.
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
    // Of this thread alone, on Linux: it must not take a core from who answers.
    setpriority(PRIO_PROCESS, 0, pace_.nice);
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

  const std::string name_;
  const Pace pace_;
  const std::function<Result<bool>()> step_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool woken_ = false;
  std::jthread thread_;
};

}  // namespace nando
