#include "drafts/window_ends.h"

#include <algorithm>

#include "base/assert.h"

namespace nando {

namespace {

constexpr std::int32_t kDaysAWeek = 7;
constexpr std::int32_t kFirstMonday = 4;  // 1970-01-05.

bool is_monday(Day day) {
  return (day.since_epoch - kFirstMonday) % kDaysAWeek == 0;
}

// The next full hour that clocks show after `at`. Where they are set before that, they may show one
// at that moment, or it is counted from there: they need not be set at full hours, nor by whole
// ones.
UnixTime next_hour(UnixTime at, const Zone& zone) {
  constexpr std::chrono::hours kHour{1};
  const auto hour_after = [&](UnixTime from) {
    const auto ahead = zone.offset_at(from).ahead;
    return std::chrono::floor<std::chrono::hours>(from + ahead) + kHour - ahead;
  };
  for (;;) {
    const auto set = zone.offset_at(at).ends;
    const auto next = hour_after(at);
    if (next <= set) return next;
    at = set;
    if (hour_after(at) == at + kHour) return at;
  }
}

UnixTime next_end(UnixTime at, WindowPeriod period, const Zone& zone) {
  switch (period) {
    case WindowPeriod::hour:
      return next_hour(at, zone);
    case WindowPeriod::day:
      return zone.day_of(at).ends;
    case WindowPeriod::week: {
      auto end = zone.day_of(at).ends;
      while (!is_monday(zone.day_of(end).day)) end = zone.day_of(end).ends;
      return end;
    }
  }
  ASSERT(false);
}

}  // namespace

Result<std::vector<UnixTime>> window_ends(UnixTime opens, UnixTime closes, WindowPeriod period,
                                          const Zone& zone) {
  std::vector<UnixTime> ends;
  for (auto at = opens; at < closes;) {
    if (ends.size() == kWindowEndsMax) {
      return Error{Code::invalid, "there would be more than " + std::to_string(kWindowEndsMax) +
                                      " windows; take longer ones, or close earlier"};
    }
    at = std::min(next_end(at, period, zone), closes);
    ends.push_back(at);
  }
  return ends;
}

}  // namespace nando
