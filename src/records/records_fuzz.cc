// Decodes arbitrary bytes as each kind of record. What decodes must encode to what it was read from
// or be refused again: nothing is half understood.
#include "base/assert.h"
#include "records/records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nando;
  ByteReader reader(Bytes(reinterpret_cast<const std::byte*>(data), size));
  RecordView record;
  record.kind = reader.fixed<std::uint8_t>();
  record.version = reader.fixed<std::uint8_t>();
  record.count = reader.sized();
  record.detail = reader.rest();
  const RecordContext context{Sequence{1'000'000}, UnixTime{std::chrono::hours{24 * 20'000}}};
  (void)decode_epoch(record);
  (void)decode_site(record);
  (void)decode_page(record);
  (void)decode_base(record);
  if (const auto hit = decode_hit(record, context)) {
    BatchBuilder batch;
    const auto text = hit->referrer.size() + hit->title.size() + hit->name.size() +
                      hit->props.size() + hit->screen.size() + hit->language.size() +
                      hit->id.size();
    if (text < 1024) add_record(batch, *hit, context);
  }
  return 0;
}
