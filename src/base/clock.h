// Clock: time as an argument, so that a test can set it.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

namespace nando {

// Milliseconds since 1970-01-01T00:00:00Z, by the wall. It may jump; see Clock::now().
using UnixTime = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock; it may step back or forward. Whoever needs an order takes max(previous, now()).
  virtual UnixTime now() const = 0;
  // Never steps; its zero is arbitrary.
  virtual std::chrono::nanoseconds monotonic() const = 0;
};

class SystemClock final : public Clock {
 public:
  UnixTime now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
  std::chrono::nanoseconds monotonic() const override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
};

// A clock that is looked at once and stands until it is let go: what is done in one turn is done at
// one time, and a look costs nothing. One thread.
class HeldClock final : public Clock {
 public:
  explicit HeldClock(const Clock& clock) : clock_(clock) {}
  UnixTime now() const override {
    if (!now_) now_ = clock_.now();
    return *now_;
  }
  std::chrono::nanoseconds monotonic() const override {
    if (!monotonic_) monotonic_ = clock_.monotonic();
    return *monotonic_;
  }
  void let_go() {
    now_.reset();
    monotonic_.reset();
  }

 private:
  const Clock& clock_;
  mutable std::optional<UnixTime> now_;
  mutable std::optional<std::chrono::nanoseconds> monotonic_;
};

// A clock for tests: it stands until it is moved. Any thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixTime start = UnixTime{std::chrono::hours{24 * 365 * 50}})
      : wall_(start) {}
  UnixTime now() const override { return wall_; }
  std::chrono::nanoseconds monotonic() const override { return steady_; }
  void advance(std::chrono::milliseconds by) {
    wall_ = now() + by;
    steady_ = monotonic() + by;
  }
  // Steps the wall and leaves the monotonic clock where it is, as an operator or NTP would.
  void step_wall(std::chrono::milliseconds by) { wall_ = now() + by; }

 private:
  std::atomic<UnixTime> wall_;
  std::atomic<std::chrono::nanoseconds> steady_{std::chrono::nanoseconds{0}};
};

}  // namespace nando
