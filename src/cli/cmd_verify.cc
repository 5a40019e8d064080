// verify: counts the journal once more and compares with the counters and the warehouse. rebuild:
// throws the warehouse away and fills it again from the journal. Both while the server runs or not.
//
// The counters are copied a part at a time, each part at one moment between two commits; the
// recount goes on to that moment and compares. So it is exact, and no commit waits longer than one
// copy. The warehouse is asked for its rows up to the recount's last record.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/clock.h"
#include "cli/command.h"
#include "ledger/ledger.h"
#include "snapshot/recount.h"
#include "store/catch_up.h"

namespace nando {

namespace {

constexpr std::uint32_t kPagesAtOnce = 65'536;
constexpr std::size_t kDifferencesShown = 10;
constexpr const char* kMendCounters =
    "stop the server, delete the file 'snapshot' in the data directory and start it again";
constexpr const char* kMendWarehouse = "nandolytics rebuild fills the warehouse again";

// Counters at one moment: everything small, and the pages from `first` on, kPagesAtOnce at most.
struct Part {
  Sequence at;
  std::uint32_t pages_in_all = 0;
  std::vector<std::uint64_t> pages;
  std::map<SiteId, std::uint64_t> sites;
  std::map<PromotionId, Recount::Prizes> promotions;
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
  for (const auto& state : counters.entries().all()) {
    part.promotions[state->id] = {state->entries, state->link, state->claims.size()};
  }
  part.kinds = counters.kinds();
  return part;
}

class Comparison {
 public:
  explicit Comparison(Output& output) : output_(output) {}

  void compare(const Part& part, std::uint32_t first, const Recount& recount) {
    check("counters", "pages", 0, part.pages_in_all, recount.pages());
    for (std::uint32_t i = 0; i < part.pages.size() && first + i < recount.pages(); ++i) {
      const PageId page{first + i + 1};
      check("counters", "page", page.value, part.pages[i], recount.page(page));
    }
    for (const auto& [site, count] : part.sites) {
      const auto found = recount.sites().find(site);
      const auto counted = found == recount.sites().end() ? 0 : found->second;
      check("counters", "site", site.value, count, counted);
    }
    for (const auto& [promotion, says] : part.promotions) {
      const auto found = recount.promotions().find(promotion);
      const auto counted = found == recount.promotions().end() ? Recount::Prizes{} : found->second;
      check("counters", "entries of promotion", promotion.value, says.entries, counted.entries);
      check("counters", "claims of promotion", promotion.value, says.claims, counted.claims);
      if (says.entries == counted.entries && says.link != counted.link) {
        tell("counters", fmt::format("promotion {}: its entries are not those of the journal",
                                     promotion.value));
      }
    }
    for (std::size_t kind = 0; kind < kRecordKinds; ++kind) {
      check("counters", name_of(static_cast<RecordKind>(kind)), kind, part.kinds[kind],
            recount.kinds()[kind]);
    }
  }

  void check(std::string_view who, std::string_view what, std::uint64_t id, std::uint64_t says,
             std::uint64_t journal) {
    if (says == journal) return;
    tell(who, fmt::format("{} {}: the {} say{} {}, the journal {}", what, id, who,
                          who == "counters" ? "" : "s", says, journal));
  }
  void differ(std::string_view who, std::string_view what, std::uint64_t id) {
    tell(who, fmt::format("{} {}: the ordinals in the {} are not 1, 2, 3, ...", what, id, who));
  }

  // Who says something else than the journal, and about how much.
  const std::map<std::string, std::size_t, std::less<>>& differences() const {
    return differences_;
  }

 private:
  void tell(std::string_view who, const std::string& text) {
    if (++differences_[std::string(who)] > kDifferencesShown) return;
    output_.err("nandolytics: " + text + "\n");
  }

  Output& output_;
  std::map<std::string, std::size_t, std::less<>> differences_;
};

// The warehouse against a recount that stands at the same record.
void compare_warehouse(const WarehouseTotals& totals, const Recount& recount,
                       Comparison& comparison) {
  const auto kind_rows = [&](HitKind kind, RecordKind record) {
    comparison.check("warehouse", name_of(record), static_cast<std::size_t>(record),
                     totals.kinds.at(static_cast<std::size_t>(kind)),
                     recount.kinds().at(static_cast<std::size_t>(record)));
  };
  kind_rows(HitKind::page_view, RecordKind::page_view);
  kind_rows(HitKind::event, RecordKind::event);
  const auto one = [&](std::string_view what, std::uint64_t id, const OrdinalSum& sum,
                       std::uint64_t counted) {
    comparison.check("warehouse", what, id, sum.page_views, counted);
    if (sum.page_views == counted && !sum.is_exact()) comparison.differ("warehouse", what, id);
  };
  for (std::uint32_t i = 0; i < recount.pages(); ++i) {
    one("page", i + 1, i < totals.pages.size() ? totals.pages[i] : OrdinalSum{},
        recount.page(PageId{i + 1}));
  }
  for (const auto& [site, counted] : recount.sites()) {
    const auto found = totals.sites.find(site);
    one("site", site.value, found == totals.sites.end() ? OrdinalSum{} : found->second, counted);
  }
}

Result<> compare_with_warehouse(Live& live, const Recount& recount, Comparison& comparison,
                                Output& output) {
  if (auto done = catch_up(live, recount.at(), "verify: warehouse", output); !done) return done;
  const auto feed = live.feed();
  if (!feed) return feed.error();
  const auto warehouse = (*feed)->warehouse();
  if (warehouse == nullptr) return Error{Code::unavailable, (*feed)->status().problem};
  const auto totals = warehouse->totals(recount.at());
  if (!totals) return totals.error();
  compare_warehouse(*totals, recount, comparison);
  return {};
}

int verify_store(Live& live, Output& output) {
  const SystemClock clock;
  const auto began = clock.monotonic();
  JournalReader reader(live.journal());
  Recount recount;
  Comparison comparison(output);
  const auto end = live.end();
  if (!end) return refuse(output, end.error());
  Progress progress(output, "verify", end->sequence);
  std::uint32_t first = 0;
  Part part;
  do {
    const auto looked =
        live.run([&](Ledger& ledger) { part = copy_part(ledger.counters(), first); });
    if (!looked) return refuse(output, looked.error());
    const auto advanced = recount.advance(reader, part.at, [&](Sequence at) { progress(at); });
    if (!advanced) return refuse(output, advanced.error());
    comparison.compare(part, first, recount);
    first += kPagesAtOnce;
  } while (first < part.pages_in_all && output.wanted());

  if (auto compared = compare_with_warehouse(live, recount, comparison, output); !compared) {
    return refuse(output, compared.error());
  }
  for (const auto& [who, count] : comparison.differences()) {
    return refuse(output,
                  {Code::corrupt, fmt::format("{} and journal differ in {} numbers; {}", who, count,
                                              who == "counters" ? kMendCounters : kMendWarehouse)});
  }
  const auto seconds = std::chrono::duration<double>(clock.monotonic() - began).count();
  output.out(fmt::format(
      "counters, journal and warehouse agree: {} hits on {} pages of {} sites, "
      "{} records, in {:.1f} s\n",
      recount.hits(), recount.pages(), recount.sites().size(), recount.at().value, seconds));
  return kDone;
}

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

Run verify(CLI::App& /*app*/) {
  return StoreRun{[](Live& live, Output& output) { return verify_store(live, output); }};
}

Run rebuild(CLI::App& /*app*/) {
  return StoreRun{[](Live& live, Output& output) { return rebuild_store(live, output); }};
}

}  // namespace nando
