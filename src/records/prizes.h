// What the journal says of promotions: that one opened, paused or closed, that a hit entered one,
// and that a prize was claimed. All of it stands in the count part and is kept for ever: who won
// can be recounted when the details of hits are gone. Bytes: docs/formats/records.md.
#pragma once

#include "base/result.h"
#include "journal/batch.h"
#include "model/beacon.h"
#include "model/promotion.h"

namespace nando {

enum class PromotionAct : std::uint8_t {
  opened,    // `text` is its rules.
  paused,    // Takes no entries until it is resumed.
  resumed,   //
  closed,    // Takes no entries ever again.
  revealed,  // `text` is the value from outside (sealed).
};
inline constexpr std::array<std::string_view, 5> kPromotionActNames = {
    "opened", "paused", "resumed", "closed", "revealed"};
constexpr std::string_view name_of(PromotionAct act) {
  return enum_name(kPromotionActNames, act);
}

struct PromotionRecord {
  PromotionId promotion;
  PromotionAct act = PromotionAct::opened;
  SiteId site;
  std::string_view text;
};

// Follows the record of the hit that earned it, which says so by a flag.
struct EntryRecord {
  PromotionId promotion;
  std::uint64_t ordinal = 0;
  Hash128 id_digest{};  // As in the hit's receipt.
  SecretHash secret_hash{};
  Entrant entrant;
};

// An entry's prize was claimed; prizes of a promotion are numbered 1, 2, 3, ...
struct ClaimRecord {
  PromotionId promotion;
  std::uint64_t entry = 0;
  std::uint32_t prize = 0;
};

void add_record(BatchBuilder& batch, const PromotionRecord& record);
void add_record(BatchBuilder& batch, const EntryRecord& record);
void add_record(BatchBuilder& batch, const ClaimRecord& record);

// As in records/records.h.
Result<PromotionRecord> decode_promotion(const RecordView& record);
Result<EntryRecord> decode_entry(const RecordView& record);
Result<ClaimRecord> decode_claim(const RecordView& record);

}  // namespace nando
