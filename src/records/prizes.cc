#include "records/prizes.h"

#include "records/codec.h"

namespace nando {

namespace {

using codec::check;
using codec::damaged;

// In the order of their bits in an entry's first byte.
constexpr std::array kEntrantFields = {&Entrant::visitor, &Entrant::v4_24, &Entrant::v6_64,
                                       &Entrant::v6_56, &Entrant::v6_48};

// On the stack: an entry is made on the path of its hit.
constexpr std::size_t kEntryBytesMax =
    1 + 2 * kVarintBytesMax + 2 * sizeof(Hash128) + kEntrantFields.size() * sizeof(std::uint64_t);

}  // namespace

void add_record(BatchBuilder& batch, const PromotionRecord& record) {
  codec::add_small(
      batch, RecordKind::promotion,
      [&](ByteWriter& out) {
        out.fixed(static_cast<std::uint8_t>(record.act));
        out.varint(record.promotion.value);
        out.varint(record.site.value);
        out.sized(as_bytes(record.text));
      },
      codec::no_detail);
}

void add_record(BatchBuilder& batch, const EntryRecord& record) {
  std::array<std::byte, kEntryBytesMax> count;
  unsigned which = 0;
  auto* to = put_varint(count.data() + 1, record.promotion.value);
  to = put_varint(to, record.ordinal);
  store(to, record.id_digest);
  store(to + sizeof record.id_digest, record.secret_hash);
  to += sizeof record.id_digest + sizeof record.secret_hash;
  for (std::size_t i = 0; i < kEntrantFields.size(); ++i) {
    const auto value = record.entrant.*kEntrantFields[i];
    if (value == 0) continue;
    which |= 1U << i;
    store(to, value);
    to += sizeof value;
  }
  count[0] = static_cast<std::byte>(which);
  batch.add(static_cast<std::uint8_t>(RecordKind::entry), codec::kVersion, Bytes(count.data(), to),
            {});
}

void add_record(BatchBuilder& batch, const ClaimRecord& record) {
  codec::add_small(
      batch, RecordKind::claim,
      [&](ByteWriter& out) {
        out.varint(record.promotion.value);
        out.varint(record.entry);
        out.varint(record.prize);
      },
      codec::no_detail);
}

Result<PromotionRecord> decode_promotion(const RecordView& record) {
  if (auto checked = check(record, RecordKind::promotion); !checked) return checked.error();
  ByteReader reader(record.count);
  PromotionRecord out;
  const auto act = reader.fixed<std::uint8_t>();
  out.act = static_cast<PromotionAct>(act);
  out.promotion.value = static_cast<std::uint32_t>(reader.varint());
  out.site.value = static_cast<std::uint32_t>(reader.varint());
  out.text = as_text(reader.sized());
  if (!reader.done() || act >= kPromotionActNames.size()) return damaged(RecordKind::promotion);
  return out;
}

Result<EntryRecord> decode_entry(const RecordView& record) {
  if (auto checked = check(record, RecordKind::entry); !checked) return checked.error();
  ByteReader reader(record.count);
  EntryRecord out;
  const auto which = reader.fixed<std::uint8_t>();
  out.promotion.value = static_cast<std::uint32_t>(reader.varint());
  out.ordinal = reader.varint();
  out.id_digest = reader.fixed<Hash128>();
  out.secret_hash = reader.fixed<SecretHash>();
  bool zero = false;
  for (std::size_t i = 0; i < kEntrantFields.size(); ++i) {
    if ((which >> i & 1) == 0) continue;
    out.entrant.*kEntrantFields[i] = reader.fixed<std::uint64_t>();
    zero = zero || out.entrant.*kEntrantFields[i] == 0;
  }
  if (!reader.done() || zero || which >> kEntrantFields.size() != 0) {
    return damaged(RecordKind::entry);
  }
  return out;
}

Result<ClaimRecord> decode_claim(const RecordView& record) {
  if (auto checked = check(record, RecordKind::claim); !checked) return checked.error();
  ByteReader reader(record.count);
  ClaimRecord out;
  out.promotion.value = static_cast<std::uint32_t>(reader.varint());
  out.entry = reader.varint();
  out.prize = static_cast<std::uint32_t>(reader.varint());
  if (!reader.done()) return damaged(RecordKind::claim);
  return out;
}

}  // namespace nando
