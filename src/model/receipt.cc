#include "model/receipt.h"

#include <algorithm>

#include "base/assert.h"

namespace nando {

namespace {

// Domain tag and version. A receipt of another kind or layout has other bytes here and never passes
// for this one.
constexpr std::array<char, 4> kTag = {'N', 'D', 'R', 2};

constexpr std::size_t kHitBytes = 80;
static_assert(kReceiptBatchBytes + kHitBytes + sizeof(Hash128) == kReceiptBytes);
static_assert(kReceiptBatchBytes % 3 == 0, "its text ends where the hit's begins");

// Each calls `field(offset, value)` for each field of its part, in the order of
// docs/formats/receipt.md, for writing and for reading.
template <class R, class Field>
void each_batch_field(R& receipt, Field field) {
  field(4, receipt.key.value);
  field(8, receipt.epoch);
  field(24, receipt.head);
}
template <class R, class Field>
void each_hit_field(R& receipt, Field field) {
  field(0, receipt.sequence.value);
  field(8, receipt.site.value);
  field(12, receipt.page.value);
  field(16, receipt.page_ordinal);
  field(24, receipt.committed);
  field(32, receipt.id_digest);
  field(48, receipt.secret_hash);
  field(64, receipt.entry_ordinal);
  field(72, receipt.promotion);
}
constexpr std::size_t kZerosAt = 76;  // Of the hit's part: what is no field.

auto write_to(std::byte* bytes) {
  return [bytes](std::size_t offset, const auto& value) { store(bytes + offset, value); };
}
auto read_from(const std::byte* bytes) {
  return [bytes](std::size_t offset, auto& value) {
    value = load<std::remove_reference_t<decltype(value)>>(bytes + offset);
  };
}

}  // namespace

KeyRing::KeyRing(std::map<MacKeyId, Key256> keys, MacKeyId current) : current_(current) {
  for (const auto& [id, key] : keys) keys_.emplace(id, MacKey(key));
  ASSERT(keys_.contains(current));
}

const MacKey* KeyRing::find(MacKeyId id) const {
  const auto found = keys_.find(id);
  return found == keys_.end() ? nullptr : &found->second;
}

void ReceiptSealer::seal(const Receipt& receipt, const KeyRing& ring, char* to) {
  std::array<std::byte, kReceiptBatchBytes> batch;
  std::memcpy(batch.data(), kTag.data(), kTag.size());
  each_batch_field(receipt, write_to(batch.data()));
  if (!same_bytes(batch, batch_)) {
    const auto* key = ring.find(receipt.key);
    ASSERT(key != nullptr);
    batch_ = batch;
    key_ = key->mac(batch);
    put_base64url(batch_text_.data(), batch);
  }
  std::array<std::byte, kHitBytes + sizeof(Hash128)> hit{};
  each_hit_field(receipt, write_to(hit.data()));
  store(hit.data() + kHitBytes, siphash128(key_, Bytes(hit).first(kHitBytes)));
  std::memcpy(to, batch_text_.data(), batch_text_.size());
  put_base64url(to + batch_text_.size(), hit);
}

Result<Receipt> open_receipt(std::string_view text, const KeyRing& ring) {
  const auto refuse = [](const char* why) { return Error{Code::invalid, why}; };
  if (text.size() != kReceiptTextBytes) return refuse("a receipt has 192 characters");
  const auto bytes = from_base64url(text);
  if (!bytes) return refuse("a receipt is base64url without padding");
  if (!std::equal(kTag.begin(), kTag.end(), reinterpret_cast<const char*>(bytes->data()))) {
    return refuse("not a receipt of this version");
  }
  const auto batch = Bytes(*bytes).first(kReceiptBatchBytes);
  const auto hit = Bytes(*bytes).subspan(kReceiptBatchBytes, kHitBytes);
  Receipt receipt;
  each_batch_field(receipt, read_from(batch.data()));
  each_hit_field(receipt, read_from(hit.data()));
  const auto* key = ring.find(receipt.key);
  if (key == nullptr) return refuse("made under a key that is not here");
  const auto mac = siphash128(key->mac(batch), hit);
  if (load<std::uint32_t>(hit.data() + kZerosAt) != 0 ||
      !equal_in_constant_time(mac, Bytes(*bytes).last(sizeof mac))) {
    return refuse("not a receipt that was issued here");
  }
  return receipt;
}

}  // namespace nando
