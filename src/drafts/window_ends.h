// When a promotion's windows end, where they are so many hours, days or weeks of the site's zone.
#pragma once

#include <vector>

#include "model/day.h"
#include "model/promotion.h"

namespace nando {

enum class WindowPeriod : std::uint8_t { hour, day, week };
inline constexpr std::array<std::string_view, 3> kWindowPeriodNames = {"hour", "day", "week"};

// The ends of all windows from `opens` on, rising; the last is `closes`. A window ends when clocks
// in `zone` show a full hour, midnight, or midnight before a Monday; so the first and the last may
// be shorter, and a day may have 23 or 25 hours. Code::invalid past kWindowEndsMax.
// Requires opens < closes.
Result<std::vector<UnixTime>> window_ends(UnixTime opens, UnixTime closes, WindowPeriod period,
                                          const Zone& zone);

}  // namespace nando
