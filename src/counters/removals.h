// Removals: which details are to go. Pure; made from removal records.
#pragma once

#include <map>
#include <vector>

#include "records/records.h"

namespace nando {

class Removals {
 public:
  // What adjoins or overlaps becomes one range, so a year of daily retention costs no more than a
  // day of it.
  void add(const RemovalRecord& record);
  bool empty() const { return sites_.empty() && pages_.empty(); }

  // Whether the details of `record` go. Code::corrupt or Code::invalid for one that cannot be read.
  Result<bool> covers(const RecordView& record, const RecordContext& context) const;

  // Whether any record from `first` to `last` may lose details.
  bool touches(Sequence first, Sequence last) const;

 private:
  struct Range {
    Sequence after;
    Sequence up_to;
  };
  using Ranges = std::vector<Range>;
  static void add(const Range& range, Ranges& ranges);
  template <class Map>
  static bool holds(const Map& ranges, typename Map::key_type key, Sequence sequence);

  std::map<SiteId, Ranges> sites_;        // Of hits.
  std::map<SiteId, Ranges> sites_named_;  // Of the site itself and its pages.
  std::map<PageId, Ranges> pages_;
};

}  // namespace nando
