#include "model/receipt.h"

#include <algorithm>

#include "base/assert.h"

namespace nando {

namespace {

// Domain tag and version. A receipt of another kind or layout has other bytes here and never passes
// for this one.
constexpr std::array<char, 4> kTag = {'N', 'D', 'R', 1};

constexpr std::size_t kFieldBytes = 128;
static_assert(kFieldBytes + sizeof(Hash128) == kReceiptBytes);

// Calls `field(offset, value)` for each field, in the order of docs/formats/receipt.md, for writing
// and for reading.
template <class R, class Field>
void each_field(R& receipt, Field field) {
  field(4, receipt.key.value);
  field(8, receipt.epoch);
  field(24, receipt.sequence.value);
  field(32, receipt.site.value);
  field(36, receipt.page.value);
  field(40, receipt.page_ordinal);
  field(48, receipt.committed);
  field(56, receipt.id_digest);
  field(72, receipt.secret_hash);
  field(88, receipt.head);
  field(112, receipt.entry_ordinal);
  field(120, receipt.promotion);
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

void seal(const Receipt& receipt, const KeyRing& ring, char* to) {
  std::array<std::byte, kReceiptBytes> bytes{};
  std::memcpy(bytes.data(), kTag.data(), kTag.size());
  each_field(receipt,
             [&](std::size_t offset, const auto& value) { store(bytes.data() + offset, value); });
  const auto* key = ring.find(receipt.key);
  ASSERT(key != nullptr);
  store(bytes.data() + kFieldBytes, key->mac(Bytes(bytes).first(kFieldBytes)));
  put_base64url(to, bytes);
}

Result<Receipt> open_receipt(std::string_view text, const KeyRing& ring) {
  const auto refuse = [](const char* why) { return Error{Code::invalid, why}; };
  if (text.size() != kReceiptTextBytes) return refuse("a receipt has 192 characters");
  const auto bytes = from_base64url(text);
  if (!bytes) return refuse("a receipt is base64url without padding");
  if (!std::equal(kTag.begin(), kTag.end(), reinterpret_cast<const char*>(bytes->data()))) {
    return refuse("not a receipt of this version");
  }
  Receipt receipt;
  each_field(receipt, [&](std::size_t offset, auto& value) {
    value = load<std::remove_reference_t<decltype(value)>>(bytes->data() + offset);
  });
  const auto* key = ring.find(receipt.key);
  if (key == nullptr) return refuse("made under a key that is not here");
  const auto fields = Bytes(*bytes).first(kFieldBytes);
  if (load<std::uint32_t>(bytes->data() + 124) != 0 ||
      !key->verify(fields, load<Hash128>(bytes->data() + kFieldBytes))) {
    return refuse("not a receipt that was issued here");
  }
  return receipt;
}

}  // namespace nando
