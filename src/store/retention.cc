#include "store/retention.h"

#include "counters/counters.h"
#include "ledger/ledger.h"
#include "telemetry/log.h"

namespace nando {

Result<bool> Retention::step() {
  const auto today = std::chrono::floor<std::chrono::days>(clock_.now());
  const auto& table = sites_.get();
  if (today == last_ && sites_.version() == sites_version_) return false;
  if (auto done = expire(table, today); !done) return done.error();
  last_ = today;
  sites_version_ = sites_.version();
  return false;
}

Result<> Retention::expire(const SiteTable& table, std::chrono::sys_days today) {
  const auto end = live_.end();
  if (!end) return end.error();
  std::vector<RemovalRecord> due;
  for (const auto& site : table.all()) {
    if (site.retention_days == kRetainedForEver) continue;
    const UnixTime oldest_kept = today - std::chrono::days{site.retention_days};
    const auto up_to = last_before(reader_, end->sequence, oldest_kept);
    if (!up_to) return up_to.error();
    due.push_back({.what = Removal::expired, .site = site.id, .up_to = *up_to});
  }
  if (due.empty()) return {};
  Result<Sequence> removed;
  const auto ran = live_.run([&](Ledger& ledger) {
    std::erase_if(due, [&](RemovalRecord& record) {
      const auto* site = ledger.counters().sites().find(record.site);
      if (site == nullptr || site->expired_to >= record.up_to) return true;
      record.after = site->expired_to;
      return false;
    });
    if (!due.empty()) removed = ledger.remove(due);
  });
  if (!ran) return ran;
  if (!removed) return removed.error();
  for (const auto& record : due) {
    log_info("retention: details of site {} go, of records {} to {}", record.site.value,
             record.after.value + 1, record.up_to.value);
  }
  return {};
}

Result<Sequence> last_before(JournalReader& reader, Sequence end, UnixTime time) {
  // Times never fall from one record to the next.
  std::uint64_t before = 0;
  for (auto after = end.value + 1; before + 1 < after;) {
    const auto middle = before + (after - before) / 2;
    const auto record = reader.find(Sequence{middle}, end);
    if (!record) return record.error();
    (record->committed < time ? before : after) = middle;
  }
  return Sequence{before};
}

}  // namespace nando
