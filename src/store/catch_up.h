// Waiting for the warehouse, for commands that want to see everything in it.
#pragma once

#include "feed/feed.h"
#include "store/live.h"
#include "store/progress.h"

namespace nando {

// Until every record up to `sequence` is in the warehouse. The feed's own error if nothing comes
// for kFeedPatience, or for kProblemPatience while it says why.
inline constexpr std::chrono::seconds kFeedPatience{15};
inline constexpr std::chrono::seconds kProblemPatience{6};  // It tries again each five.

inline Result<> catch_up(Live& live, Sequence sequence, const std::string& what, Output& output) {
  const auto feed = live.feed();
  if (!feed) return feed.error();
  const SystemClock clock;
  Progress progress(output, what, sequence);
  auto since = clock.monotonic();
  Sequence before;
  for (;;) {
    const auto stepped = live.feed_on();
    const auto status = (*feed)->status();
    if (!(*feed)->wants_rebuild() && status.loaded >= sequence && status.problem.empty()) return {};
    if (!output.wanted()) return Error{Code::unavailable, "nobody waits for it any more"};
    progress(status.loaded);
    const auto now = clock.monotonic();
    if (status.loaded != before) since = now;
    before = status.loaded;
    if (now - since < (status.problem.empty() ? kFeedPatience : kProblemPatience)) continue;
    return Error{Code::unavailable,
                 status.problem.empty() ? "the warehouse does not catch up" : status.problem};
  }
}

}  // namespace nando
