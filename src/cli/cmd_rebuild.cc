// rebuild: throws the warehouse away and fills it again from the journal, while the server runs or
// not.
#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "cli/command.h"
#include "store/catch_up.h"

namespace nando {

namespace {

int rebuild_store(Live& live, Output& output) {
  const SystemClock clock;
  const auto began = clock.monotonic();
  const auto end = live.end();
  if (!end) return refuse(output, end.error());
  const auto feed = live.feed();
  if (!feed) return refuse(output, feed.error());
  (*feed)->rebuild();
  const auto done = catch_up(live, end->sequence, "rebuild", output);
  if (!done) return refuse(output, done.error());
  const auto seconds = std::chrono::duration<double>(clock.monotonic() - began).count();
  output.out(fmt::format("the warehouse holds {} records again, after {:.1f} s\n",
                         end->sequence.value, seconds));
  return kDone;
}

}  // namespace

Run rebuild(CLI::App& /*app*/) {
  return StoreRun{[](Live& live, Output& output) { return rebuild_store(live, output); }};
}

}  // namespace nando
