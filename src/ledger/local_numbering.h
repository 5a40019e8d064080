// LocalNumbering: the ordinals of one machine, from its own counters.
#pragma once

#include "counters/counters.h"
#include "ledger/numbering.h"

namespace nando {

class LocalNumbering final : public Numbering {
 public:
  explicit LocalNumbering(const Counters& counters) : counters_(counters) {}

  Result<> reserve(BatchNumber /*batch*/, std::span<OrdinalDemand> demands) override {
    // The counters move only when the batch is durable, so asking again gives the same ranges.
    for (auto& demand : demands) {
      demand.last = demand.wanted + (demand.page ? counters_.pages().count(demand.page)
                                                 : counters_.sites().count(demand.site));
    }
    return {};
  }

 private:
  const Counters& counters_;
};

}  // namespace nando
