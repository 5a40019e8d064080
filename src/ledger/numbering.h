// Numbering: hands out the next ordinals, a whole batch at a time, so that many nodes can share one
// counter by taking ranges (docs/ARCHITECTURE.md, Past one machine). One machine has
// LocalNumbering.
#pragma once

#include <cstdint>
#include <span>

#include "base/id.h"
#include "base/result.h"
#include "counters/counters.h"
#include "model/ids.h"

namespace nando {

// Rises by 1 with every batch of a node, over restarts: the first sequence number of the batch.
using BatchNumber = Id<struct BatchNumberTag, std::uint64_t>;

// `wanted` ordinals of one counter: a page's, or a site's where `page` is 0.
struct OrdinalDemand {
  SiteId site;
  PageId page;
  PageKey key{};
  std::uint32_t wanted = 0;
  std::uint64_t last = 0;  // Filled in: the ordinals are last - wanted + 1 to last.
};

class Numbering {
 public:
  virtual ~Numbering() = default;

  // Fills in `last` of every demand. Asked again for the same batch number, gives the same ranges:
  // no number twice, no hole. On an error no demand counts as given.
  [[nodiscard]] virtual Result<> reserve(BatchNumber batch, std::span<OrdinalDemand> demands) = 0;
};

// The ordinals of one machine, from its own counters.
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
