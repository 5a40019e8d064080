// RowMaker: journal records to rows of the warehouse. Local days and minutes are computed here,
// once, so that no engine converts zones.
//
// Threads: one.
#pragma once

#include <map>
#include <unordered_map>

#include "model/site.h"
#include "records/records.h"
#include "warehouse/rows.h"

namespace nando {

class RowMaker {
 public:
  explicit RowMaker(const SiteTables& sites) : sites_(sites) {}

  // Adds the batch's rows. Code::corrupt or Code::invalid, naming the record, for one that cannot
  // be read.
  Result<> add(const BatchView& batch, Rows& rows);

  // The removals in a batch of them.
  static Result<std::vector<RemovalRow>> removals_in(const BatchView& batch);

  // Begins with what is loaded already: the zones it was made with.
  void begin(const std::map<SiteId, std::string>& zones);
  // A site whose rows were made with another zone than it has now, or nothing.
  std::optional<SiteId> moved_site();

 private:
  struct LocalClock {
    Zone zone;
    ZoneOffset offset;
  };

  Result<> add(const RecordView& record, const RecordContext& context, Rows& rows);
  void add_hit(const HitRecord& hit, const RecordContext& context, Rows& rows);
  std::string_view keep_props(std::string_view encoded, Rows& rows);
  Zone zone_of(SiteId site);
  LocalMinute local_time(SiteId site, UnixTime at);

  SiteTables::Reader sites_;
  std::uint64_t sites_version_ = 0;
  std::unordered_map<SiteId, LocalClock> clocks_;
  std::string json_;
};

}  // namespace nando
