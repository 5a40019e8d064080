// Clerk: does what would keep a loop from answering (hashing a password, writing the registry), one
// thing after the other, on a thread of its own.
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace nando {

inline constexpr std::size_t kClerkQueueMax = 32;

class Clerk {
 public:
  Clerk();
  ~Clerk() { stop(); }

  // False if too much waits already, or after stop(): then the work is not done.
  [[nodiscard]] bool ask(std::function<void()> work);
  // What has begun is finished, the rest is dropped.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::jthread thread_;
};

}  // namespace nando
