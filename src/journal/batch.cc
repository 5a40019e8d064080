#include "journal/batch.h"

#include "base/assert.h"
#include "journal/format.h"

namespace nando {

namespace {

// Room at the end of `buffer`, and the pointer to it. Growth keeps std::vector's doubling, so a
// builder that is warm allocates nothing.
std::byte* extend(Buffer& buffer, std::size_t bytes) {
  const auto at = buffer.size();
  buffer.resize(at + bytes);
  return buffer.data() + at;
}

std::byte* put_bytes(std::byte* to, Bytes bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

void BatchBuilder::clear() {
  count_.clear();
  detail_.clear();
  records_ = 0;
}

void BatchBuilder::add(std::uint8_t kind, std::uint8_t version, Bytes count, Bytes detail) {
  ASSERT(count.size() + detail.size() <= kRecordBytesMax);
  auto* const count_to = extend(count_, 2 + kVarintBytesMax + count.size());
  count_to[0] = static_cast<std::byte>(kind);
  count_to[1] = static_cast<std::byte>(version);
  const auto* end = put_bytes(put_varint(count_to + 2, count.size()), count);
  count_.resize(static_cast<std::size_t>(end - count_.data()));

  auto* const detail_to = extend(detail_, kVarintBytesMax + detail.size());
  end = put_bytes(put_varint(detail_to, detail.size()), detail);
  detail_.resize(static_cast<std::size_t>(end - detail_.data()));
  ++records_;
}

bool take_records(ByteReader& count, ByteReader& detail, std::uint32_t records,
                  std::vector<RecordView>& into) {
  for (std::uint32_t i = 0; i < records; ++i) {
    RecordView record;
    record.kind = count.fixed<std::uint8_t>();
    record.version = count.fixed<std::uint8_t>();
    record.count = count.sized();
    record.detail = detail.sized();
    if (!count.ok() || !detail.ok()) return false;
    if (record.count.size() + record.detail.size() > kRecordBytesMax) return false;
    into.push_back(record);
  }
  return true;
}

Head next_head(const Head& before, Sequence first, std::uint32_t records, UnixTime committed,
               std::uint32_t mac_key, const Hash256& count_hash, const Hash256& detail_hash) {
  // 120 bytes: one block of BLAKE2b.
  std::array<std::byte, 32 + 8 + 4 + 8 + 4 + 32 + 32> fields;
  auto* to = put_bytes(fields.data(), before);
  store(to, first.value);
  store(to + 8, records);
  store<std::int64_t>(to + 12, committed.time_since_epoch().count());
  store(to + 20, mac_key);
  to = put_bytes(to + 24, count_hash);
  put_bytes(to, detail_hash);
  return blake2b(Bytes(fields));
}

}  // namespace nando
