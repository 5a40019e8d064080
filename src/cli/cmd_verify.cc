// verify: counts the journal once more and compares with the counters, while the server runs or
// not.
//
// The counters are copied a part at a time, each part at one moment between two commits; the
// recount goes on to that moment and compares. So it is exact, and no commit waits longer than one
// copy.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/clock.h"
#include "cli/command.h"
#include "snapshot/recount.h"

namespace nando {

namespace {

constexpr std::uint32_t kPagesAtOnce = 65'536;
constexpr std::size_t kDifferencesShown = 10;

// Counters at one moment: everything small, and the pages from `first` on, kPagesAtOnce at most.
struct Part {
  Sequence at;
  std::uint32_t pages_in_all = 0;
  std::vector<std::uint64_t> pages;
  std::map<SiteId, std::uint64_t> sites;
  KindCounts kinds{};
};

Part copy_part(const Counters& counters, std::uint32_t first) {
  Part part;
  part.at = counters.position().sequence;
  part.pages_in_all = counters.pages().size();
  const auto end = std::min(part.pages_in_all, first + kPagesAtOnce);
  for (auto page = first; page < end; ++page)
    part.pages.push_back(counters.pages().count(PageId{page + 1}));
  counters.sites().each(
      [&](SiteId id, const SiteCounts::Entry& site) { part.sites[id] = site.count; });
  part.kinds = counters.kinds();
  return part;
}

class Comparison {
 public:
  explicit Comparison(Output& output) : output_(output) {}

  void compare(const Part& part, std::uint32_t first, const Recount& recount) {
    check(part.pages_in_all == recount.pages(), "pages", 0, part.pages_in_all, recount.pages());
    for (std::uint32_t i = 0; i < part.pages.size() && first + i < recount.pages(); ++i) {
      const PageId page{first + i + 1};
      check(part.pages[i] == recount.page(page), "page", page.value, part.pages[i],
            recount.page(page));
    }
    for (const auto& [site, count] : part.sites) {
      const auto found = recount.sites().find(site);
      const auto counted = found == recount.sites().end() ? 0 : found->second;
      check(count == counted, "site", site.value, count, counted);
    }
    for (std::size_t kind = 0; kind < kRecordKinds; ++kind) {
      check(part.kinds[kind] == recount.kinds()[kind], name_of(static_cast<RecordKind>(kind)), kind,
            part.kinds[kind], recount.kinds()[kind]);
    }
  }

  std::size_t differences() const { return differences_; }

 private:
  void check(bool same, std::string_view what, std::uint64_t id, std::uint64_t counters,
             std::uint64_t journal) {
    if (same || ++differences_ > kDifferencesShown) return;
    output_.err(fmt::format("nandolytics: {} {}: the counters say {}, the journal {}\n", what, id,
                            counters, journal));
  }

  Output& output_;
  std::size_t differences_ = 0;
};

// A line every few seconds, so that long work is seen to go on.
class Progress {
 public:
  Progress(Output& output, Sequence end) : output_(output), end_(end), last_(clock_.monotonic()) {}
  void operator()(Sequence at) {
    const auto now = clock_.monotonic();
    if (now - last_ < std::chrono::seconds{2}) return;
    last_ = now;
    output_.err(
        fmt::format("nandolytics: verify: {} of {} records\n", at.value, std::max(at, end_).value));
  }

 private:
  Output& output_;
  SystemClock clock_;
  Sequence end_;
  std::chrono::nanoseconds last_;
};

int verify_store(Live& live, Output& output) {
  const SystemClock clock;
  const auto began = clock.monotonic();
  JournalReader reader(live.journal());
  Recount recount;
  Comparison comparison(output);
  const auto end = live.end();
  if (!end) return refuse(output, end.error());
  Progress progress(output, end->sequence);
  std::uint32_t first = 0;
  Part part;
  do {
    const auto looked =
        live.look_at_counters([&](const Counters& counters) { part = copy_part(counters, first); });
    if (!looked) return refuse(output, looked.error());
    const auto advanced = recount.advance(reader, part.at, [&](Sequence at) { progress(at); });
    if (!advanced) return refuse(output, advanced.error());
    comparison.compare(part, first, recount);
    first += kPagesAtOnce;
  } while (first < part.pages_in_all && output.wanted());

  const auto seconds = std::chrono::duration<double>(clock.monotonic() - began).count();
  if (comparison.differences() > 0) {
    return refuse(output,
                  {Code::corrupt,
                   fmt::format("counters and journal differ in {} numbers; stop the server, delete "
                               "the file 'snapshot' in the data directory and start it again",
                               comparison.differences())});
  }
  output.out(fmt::format(
      "counters and journal agree: {} hits on {} pages of {} sites, {} records, in {:.1f} s\n",
      recount.hits(), recount.pages(), recount.sites().size(), recount.at().value, seconds));
  return kDone;
}

}  // namespace

Run verify(CLI::App& /*app*/) {
  return StoreRun{[](Live& live, Output& output) { return verify_store(live, output); }};
}

}  // namespace nando
