// Recount: the journal counted once more, by other means than fold(): it believes no ordinal and
// counts for itself, and finds a number given twice, left out, or out of order. What `verify`
// compares the counters with.
//
// Threads: one. Memory: 8 bytes a page, some 60 a claim.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "counters/counters.h"
#include "journal/reader.h"

namespace nando {

class Recount {
 public:
  // Counts on to `up_to`, the last record of some batch. Code::corrupt, naming the record, where an
  // ordinal is not the number of hits so far. `progress` is called now and then.
  Result<> advance(JournalReader& journal, Sequence up_to,
                   const std::function<void(Sequence)>& progress);

  Sequence at() const { return at_; }
  std::uint64_t page(PageId page) const { return pages_[page.value - 1]; }
  std::uint32_t pages() const { return static_cast<std::uint32_t>(pages_.size()); }
  const std::map<SiteId, std::uint64_t>& sites() const { return sites_; }
  const KindCounts& kinds() const { return kinds_; }
  struct Prizes {
    std::uint64_t entries = 0;
    Hash256 link{};  // Of the last entry.
    std::uint64_t claims = 0;
    bool operator==(const Prizes&) const = default;
  };
  const std::map<PromotionId, Prizes>& promotions() const { return promotions_; }
  std::uint64_t hits() const { return hits_; }  // That have a number.

 private:
  Result<> count(const BatchView& batch);
  Result<> count_hit(const HitRecord& hit);
  Result<> count_prize(const RecordView& record, UnixTime committed);
  Result<> count_promotion(const PromotionRecord& record);
  Result<> count_entry(const EntryRecord& entry, UnixTime committed);
  Result<> count_claim(const ClaimRecord& claim);

  Sequence at_;
  std::vector<std::uint64_t> pages_;
  std::map<SiteId, std::uint64_t> sites_;
  std::map<PromotionId, Prizes> promotions_;
  std::set<std::pair<PromotionId, std::uint64_t>> claimed_;
  // The hit of the record before, where it says that it earned an entry.
  struct Earner {
    std::optional<std::uint64_t> fingerprint;
  };
  std::optional<Earner> earner_;
  KindCounts kinds_{};
  std::uint64_t hits_ = 0;
};

}  // namespace nando
