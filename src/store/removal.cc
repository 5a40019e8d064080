#include "store/removal.h"

#include "ledger/ledger.h"
#include "store/catch_up.h"

namespace nando {

namespace {

// How long a step may fail before nobody waits for it any more.
constexpr std::chrono::seconds kPatience{5};

}  // namespace

Result<> finish_removals(Live& live, Output& output) {
  const auto ledger = live.ledger();
  if (!ledger) return ledger.error();
  const SystemClock clock;
  constexpr std::uint64_t kParts = 1000;
  Progress progress(output, "removing details", Sequence{kParts}, "parts");
  auto went_on = clock.monotonic();
  for (;;) {
    const auto erasure = (*ledger)->erasure();
    if (erasure.done()) return {};
    if (!output.wanted()) return Error{Code::unavailable, "nobody waits for it any more"};
    progress(Sequence{static_cast<std::uint64_t>(erasure.share * kParts)});
    const auto kept = live.keep_on();
    const auto now = clock.monotonic();
    const auto& problem = kept ? erasure.problem : kept.error().message;
    if (problem.empty()) went_on = now;
    if (now - went_on < kPatience) continue;
    return Error{Code::unavailable,
                 "it is written down, and details go as soon as they can: " + problem};
  }
}

Result<> finish_removals_everywhere(Live& live, Sequence sequence, Output& output) {
  if (auto done = finish_removals(live, output); !done) return done;
  return catch_up(live, sequence, "removing details from the warehouse", output);
}

}  // namespace nando
