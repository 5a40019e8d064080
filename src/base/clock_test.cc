#include "base/clock.h"

#include <gtest/gtest.h>

namespace nando {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(Clock, AManualOneStandsUntilItIsMoved) {
  ManualClock clock;
  const auto start = clock.now();
  EXPECT_EQ(clock.now(), start);
  EXPECT_EQ(clock.monotonic(), nanoseconds{0});
  clock.advance(milliseconds{5});
  EXPECT_EQ(clock.now(), start + milliseconds{5});
  EXPECT_EQ(clock.monotonic(), milliseconds{5});
}

TEST(Clock, AStepMovesTheWallAndNotTheMonotonicClock) {
  ManualClock clock;
  const auto start = clock.now();
  clock.step_wall(-hours{24});
  EXPECT_EQ(clock.now(), start - hours{24});
  EXPECT_EQ(clock.monotonic(), nanoseconds{0});
}

TEST(Clock, TheSystemsMonotonicClockNeverGoesBack) {
  const SystemClock clock;
  auto before = clock.monotonic();
  for (int i = 0; i < 1000; ++i) {
    const auto now = clock.monotonic();
    EXPECT_GE(now, before);
    before = now;
  }
  EXPECT_GT(clock.now(), UnixTime{hours{24 * 365 * 50}}) << "after 2019";
}

TEST(Clock, AHeldOneStandsUntilItIsLetGo) {
  ManualClock clock;
  HeldClock held(clock);
  const auto wall = held.now();
  const auto steady = held.monotonic();
  clock.advance(hours{1});
  EXPECT_EQ(held.now(), wall);
  EXPECT_EQ(held.monotonic(), steady);
  held.let_go();
  EXPECT_EQ(held.now(), wall + hours{1});
  EXPECT_EQ(held.monotonic(), steady + hours{1});
}

}  // namespace
}  // namespace nando
