// Retention: once a day, and when a site's setting changes, has the details removed of hits that
// are older than their site keeps them. "Older" is by the time they were counted, and days are
// UTC's: a detail is kept for at least `retention_days`, and gone a day later.
//
// Threads: one.
#pragma once

#include "base/clock.h"
#include "journal/reader.h"
#include "model/site.h"
#include "store/live.h"

namespace nando {

class Retention {
 public:
  Retention(Live& live, const SiteTables& sites, const Clock& clock)
      : live_(live), sites_(sites), clock_(clock), reader_(live.journal()) {}

  // False always: nothing is urgent.
  [[nodiscard]] Result<bool> step();

 private:
  Result<> expire(const SiteTable& table, std::chrono::sys_days today);

  Live& live_;
  SiteTables::Reader sites_;
  const Clock& clock_;
  JournalReader reader_;
  std::uint64_t sites_version_ = 0;
  std::chrono::sys_days last_;
};

// The last record of the batches before `time`; 0 if there is none. Requires: `end` is durable.
Result<Sequence> last_before(JournalReader& reader, Sequence end, UnixTime time);

}  // namespace nando
