#include "api/clerk.h"

#include <pthread.h>

#include <utility>

namespace nando {

Clerk::Clerk() : thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "clerk");
}

bool Clerk::ask(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || queue_.size() >= kClerkQueueMax) return false;
  queue_.push_back(std::move(work));
  wake_.notify_one();
  return true;
}

void Clerk::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Clerk::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace nando
