// Counters: what the journal adds up to. Page and site ordinals, bases, the retry window, open
// visits, promotions with their entries, and how many records of each kind there are.
//
// Promise
//   A pure function of the journal: folding the same batches, from the start or on top of a
//   snapshot, gives the same state, bit for bit (snapshot.h writes it in one canonical form).
//
// Threads: one writer; what pages() and sites() say may be read from any, other parts from the
// writer's alone.
#pragma once

#include "counters/entries.h"
#include "counters/page_table.h"
#include "counters/retry_window.h"
#include "counters/site_counts.h"
#include "counters/visits.h"
#include "records/records.h"

namespace nando {

inline constexpr std::size_t kRecordKinds = 32;
using KindCounts = std::array<std::uint64_t, kRecordKinds>;

// Reads each record of `batch` and tells `to` what it changes, in order. The one place that knows
// which record moves what; Counters and the snapshot's merge are its listeners. Code::corrupt,
// naming the sequence number, for a record that cannot be read or whose numbers do not follow.
//
// `to` has: add_site(SiteRecord), add_page(PageRecord), add_hit(HitRecord, RecordContext),
// set_base(BaseRecord), remove(RemovalRecord), add_prize(PromotionRecord, EntryRecord or
// ClaimRecord, UnixTime), each returning whether it follows from what came before; and
// finish(Position, UnixTime, KindCounts of this batch).
template <class To>
Result<> fold(const BatchView& batch, To& to);

class Counters {
 public:
  explicit Counters(std::uint32_t retry_ids_max = kRetryIdsMax) : window_(retry_ids_max) {}

  [[nodiscard]] Result<> fold(const BatchView& batch);

  PageTable& pages() { return pages_; }
  SiteCounts& sites() { return sites_; }
  RetryWindow& window() { return window_; }
  Visits& visits() { return visits_; }
  Entries& entries() { return entries_; }
  KindCounts& kinds() { return kinds_; }
  const PageTable& pages() const { return pages_; }
  const SiteCounts& sites() const { return sites_; }
  const RetryWindow& window() const { return window_; }
  const Visits& visits() const { return visits_; }
  const Entries& entries() const { return entries_; }
  const KindCounts& kinds() const { return kinds_; }

  Position position() const { return position_; }
  UnixTime committed() const { return committed_; }
  void set_position(const Position& position, UnixTime committed) {
    position_ = position;
    committed_ = committed;
  }

  // What fold() tells; see there. Commit applies its own hits by the same functions.
  bool add_site(const SiteRecord& record);
  bool add_page(const PageRecord& record);
  bool add_hit(const HitRecord& record, const RecordContext& context);
  bool set_base(const BaseRecord& record);
  bool remove(const RemovalRecord& record);
  template <class Record>
  bool add_prize(const Record& record, UnixTime committed) {
    return entries_.add(record, committed);
  }
  void finish(const Position& position, UnixTime committed, const KindCounts& kinds);

 private:
  PageTable pages_;
  SiteCounts sites_;
  RetryWindow window_;
  Visits visits_;
  Entries entries_;
  KindCounts kinds_{};
  Position position_;
  UnixTime committed_{};
};

template <class To>
Result<> fold(const BatchView& batch, To& to) {
  KindCounts kinds{};
  const auto told = [&](auto&& record, auto tell) -> Result<> {
    if (!record) return record.error();
    if (tell(*record)) return {};
    return Error{Code::corrupt, "its numbers do not follow from the records before it"};
  };
  auto sequence = batch.first;
  for (const auto& record : batch.records) {
    const RecordContext context{sequence, batch.committed};
    Result<> done;
    switch (static_cast<RecordKind>(record.kind)) {
      case RecordKind::site:
        done = told(decode_site(record), [&](const auto& r) { return to.add_site(r); });
        break;
      case RecordKind::page:
        done = told(decode_page(record), [&](const auto& r) { return to.add_page(r); });
        break;
      case RecordKind::page_view:
      case RecordKind::event:
        done = told(decode_hit(record, context),
                    [&](const auto& r) { return to.add_hit(r, context); });
        break;
      case RecordKind::base:
        done = told(decode_base(record), [&](const auto& r) { return to.set_base(r); });
        break;
      case RecordKind::site_removed:
      case RecordKind::page_removed:
      case RecordKind::expired:
        done = told(decode_removal(record), [&](const auto& r) { return to.remove(r); });
        break;
      case RecordKind::promotion:
        done = told(decode_promotion(record),
                    [&](const auto& r) { return to.add_prize(r, batch.committed); });
        break;
      case RecordKind::entry:
        done = told(decode_entry(record),
                    [&](const auto& r) { return to.add_prize(r, batch.committed); });
        break;
      case RecordKind::claim:
        done = told(decode_claim(record),
                    [&](const auto& r) { return to.add_prize(r, batch.committed); });
        break;
      case RecordKind::epoch:
      case RecordKind::probe:
      case RecordKind::void_span:
        break;
      default:
        done = Error{Code::invalid, "kind " + std::to_string(record.kind) + " (" +
                                        std::string(name_of(static_cast<RecordKind>(record.kind))) +
                                        ") is not known to this version; use the newer one"};
    }
    if (!done) {
      return Error{done.error().code,
                   "record " + std::to_string(sequence.value) + ": " + done.error().message};
    }
    ++kinds[record.kind];
    ++sequence.value;
  }
  to.finish({batch.epoch, batch.last(), batch.head}, batch.committed, kinds);
  return {};
}

}  // namespace nando
