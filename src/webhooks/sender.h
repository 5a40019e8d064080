// Sender: tells operators' other programs what happened, by POST requests (docs/reference/
// webhooks.md). Counting never waits for it.
//
// Promise
//   - Each event reaches each target at least once: until the target has answered 2xx and the
//     source has made its mark durable, it is sent again, after a restart too. A target knows a
//     repeated one by its id.
//   - To one target events go in the source's order, one at a time; the next only after the one
//     before it was taken. A target that fails is asked again after growing waits, and holds up no
//     other target.
//
// Threads: step() from one; wake(), status(), problem() and describe() from any. The source is
// asked on the thread of step(), but for waiting().
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "telemetry/metrics.h"
#include "webhooks/event.h"
#include "webhooks/post.h"
#include "webhooks/target.h"

namespace nando {

// Before the second attempt of an event `first`, then twice as long each time, up to `most`.
struct RetryPace {
  std::chrono::milliseconds first = std::chrono::seconds(1);
  std::chrono::milliseconds most = std::chrono::hours(1);

  // After so many failures, 1 or more.
  std::chrono::milliseconds wait_after(unsigned failures) const;
};

struct SenderParts {
  EventSource& source;
  const Clock& clock;
  std::vector<Target> targets;
  std::string secret;
  PostOptions posts;
  RetryPace pace;
  std::chrono::milliseconds look = std::chrono::seconds(1);  // For new events, if nobody wakes us.
};

class Sender {
 public:
  explicit Sender(SenderParts parts);
  // What is under way is dropped, and sent again after the next start.
  ~Sender();

  // Sends what is due, and waits for answers, new events or wake(): at most `patience`.
  void step(std::chrono::milliseconds patience);

  // There may be a new event, or step() should return.
  void wake();

  struct Status {
    std::string target;  // Its name.
    std::uint64_t delivered = 0;
    std::uint64_t failed_attempts = 0;
    std::uint64_t waiting = 0;
    std::string problem;  // Why the last attempt failed; empty if it did not.
  };
  std::vector<Status> status() const;
  // Of all targets, a line each, as /readyz warns of it; empty if all is well.
  std::string problem() const;
  void describe(MetricsPage& page) const;

 private:
  struct Line;

  void attend(Line& line);
  bool look(Line& line);
  void send(Line& line);
  void settle(const PostAnswer& answer);
  void mark(Line& line);
  void note(const Line& line, const std::string& problem);
  std::chrono::milliseconds until_next(std::chrono::milliseconds patience) const;

  const SenderParts parts_;
  Posts posts_;
  std::vector<Line> lines_;  // One a target.

  std::atomic<bool> look_now_ = false;
  mutable std::mutex mutex_;  // Of what follows; held for a copy.
  std::vector<Status> statuses_;
};

// The thread that step() is for. Ends at once, whatever a target or a name server does.
class SenderThread {
 public:
  explicit SenderThread(Sender& sender);

 private:
  std::jthread thread_;
};

}  // namespace nando
