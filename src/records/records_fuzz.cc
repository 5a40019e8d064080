// Decodes arbitrary bytes as each kind of record. What decodes must encode to what it was read from
// or be refused again: nothing is half understood.
#include <algorithm>

#include "base/assert.h"
#include "records/prizes.h"
#include "records/records.h"

namespace {

using namespace nando;

// The only record of `batch`.
RecordView view_of(const BatchBuilder& batch) {
  std::vector<RecordView> views;
  ByteReader count(batch.count_part());
  ByteReader detail(batch.detail_part());
  ASSERT(take_records(count, detail, 1, views));
  return views.front();
}

// A record that was read is written, read and written again: both times the same bytes.
template <class Decode>
void round_trip(const RecordView& record, Decode decode) {
  const auto read = decode(record);
  if (!read) return;
  BatchBuilder once;
  add_record(once, *read);
  const auto again = decode(view_of(once));
  ASSERT(again);
  BatchBuilder twice;
  add_record(twice, *again);
  ASSERT(std::ranges::equal(once.count_part(), twice.count_part()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader reader(Bytes(reinterpret_cast<const std::byte*>(data), size));
  RecordView record;
  record.kind = reader.fixed<std::uint8_t>();
  record.version = reader.fixed<std::uint8_t>();
  record.count = reader.sized();
  record.detail = reader.rest();
  if (record.count.size() + record.detail.size() > kRecordBytesMax) return 0;
  const RecordContext context{Sequence{1'000'000}, UnixTime{std::chrono::hours{24 * 20'000}}};
  (void)decode_epoch(record);
  (void)decode_site(record);
  (void)decode_page(record);
  (void)decode_base(record);
  round_trip(record, decode_promotion);
  round_trip(record, decode_entry);
  round_trip(record, decode_claim);
  if (const auto hit = decode_hit(record, context)) {
    BatchBuilder batch;
    const auto text = hit->referrer.size() + hit->title.size() + hit->name.size() +
                      hit->props.size() + hit->screen.size() + hit->language.size() +
                      hit->id.size();
    if (text < 1024) add_record(batch, *hit, context);
  }
  return 0;
}
