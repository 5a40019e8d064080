// A batch: the records that one write and one sync make durable together, in two parts. The count
// part holds what numbers rest on and is kept for ever; the detail part can be removed later
// without breaking the chain, which covers the hash of each.
#pragma once

#include "base/clock.h"
#include "base/position.h"

namespace nando {

inline constexpr std::uint32_t kBatchRecordsMax = 65'536;
inline constexpr std::uint32_t kBatchBytesMax = 32 << 20;   // Both parts together.
inline constexpr std::uint32_t kRecordBytesMax = 64 << 10;  // Both parts of one record.

struct RecordView {
  std::uint8_t kind = 0;
  std::uint8_t version = 0;
  Bytes count;
  Bytes detail;  // Empty if the record had none, or if it was removed (BatchView::details_removed).
};

// Gathers the records of one batch. Reused: clear() keeps the memory.
class BatchBuilder {
 public:
  void clear();
  // Requires: both parts within kRecordBytesMax.
  void add(std::uint8_t kind, std::uint8_t version, Bytes count, Bytes detail);

  UnixTime committed;         // One time for the whole batch; never before the last batch's.
  std::uint32_t mac_key = 0;  // The key its receipts are made under.

  std::uint32_t records() const { return records_; }
  std::size_t bytes() const { return count_.size() + detail_.size(); }
  Bytes count_part() const { return count_; }
  Bytes detail_part() const { return detail_; }

 private:
  Buffer count_;
  Buffer detail_;
  std::uint32_t records_ = 0;
};

// A batch read back. Views into the reader's memory.
struct BatchView {
  Sequence first;
  UnixTime committed;
  std::uint32_t mac_key = 0;
  Epoch epoch{};
  Head head{};                   // After this batch.
  bool details_removed = false;  // Those of some of its records, or of all.
  std::span<const RecordView> records;

  Sequence last() const { return Sequence{first.value + records.size() - 1}; }
};

// How much of a batch is checked as it is read. The chain costs a hash over every byte.
enum class Check { checksum, chain };

// The chain: head = BLAKE2b-256 over the fixed-width fields docs/formats/journal.md lists, the head
// before it, and the hashes of the two parts.
Head next_head(const Head& before, Sequence first, std::uint32_t records, UnixTime committed,
               std::uint32_t mac_key, const Hash256& count_hash, const Hash256& detail_hash);

// Cuts `records` records off the front of the two parts and adds them to `into`. False if the parts
// do not hold as many within their limits.
[[nodiscard]] bool take_records(ByteReader& count, ByteReader& detail, std::uint32_t records,
                                std::vector<RecordView>& into);

}  // namespace nando
