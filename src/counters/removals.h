// Removals: which details are to go. Pure; made from removal records.
#pragma once

#include <vector>

#include "counters/records.h"

namespace nando {

class Removals {
 public:
  void add(const RemovalRecord& record) { records_.push_back(record); }
  bool empty() const { return records_.empty(); }

  // Whether the details of `record` go. Code::corrupt or Code::invalid for one that cannot be read.
  Result<bool> covers(const RecordView& record, const RecordContext& context) const;

  // Whether any record from `first` to `last` may lose details.
  bool touches(Sequence first, Sequence last) const;

 private:
  std::vector<RemovalRecord> records_;
};

}  // namespace nando
