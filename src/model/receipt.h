// Receipt: the proof that a hit was counted, and as which. 48 bytes that name its batch and 80 of
// the hit, of fixed width, under a MAC of 16; as text 192 characters of base64url. Layout:
// docs/formats/receipt.md.
//
// Promise
//   - A receipt is a function of the record and its batch, so a retry gets the same bytes, over
//     restarts and over rotation of the MAC key: the batch names the key it was made under.
//   - It holds the head of the hash chain, so every visitor is a witness to the history up to
//     theirs.
#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "base/position.h"
#include "base/result.h"
#include "model/beacon.h"
#include "model/ids.h"

namespace nando {

using MacKeyId = Id<struct MacKeyTag, std::uint32_t>;

inline constexpr std::size_t kReceiptHeadBytes = 24;
inline constexpr std::size_t kReceiptBatchBytes = 48;  // What names the batch comes first.
inline constexpr std::size_t kReceiptBytes = 144;
inline constexpr std::size_t kReceiptTextBytes = base64url_size(kReceiptBytes);

struct Receipt {
  MacKeyId key;
  Epoch epoch{};
  Sequence sequence;
  SiteId site;
  PageId page;
  std::uint64_t page_ordinal = 0;
  UnixTime committed;
  Hash128 id_digest{};  // SipHash-2-4-128 of the hit id under the journal's hash key; zeros without
                        // an id.
  Hash128 secret_hash{};  // Zeros without one.
  std::array<std::byte, kReceiptHeadBytes>
      head{};  // Of the batch that holds the hit; the first 24 of 32 bytes.
  // Where the hit earned an entry (prizes); zeros otherwise. The window follows from ordinal and
  // rules.
  std::uint32_t promotion = 0;
  std::uint64_t entry_ordinal = 0;

  bool operator==(const Receipt&) const = default;
};

// The keys receipts are made and checked under. Immutable; any thread.
class KeyRing {
 public:
  // Requires: `current` is in `keys`.
  KeyRing(std::map<MacKeyId, Key256> keys, MacKeyId current);

  MacKeyId current() const { return current_; }
  const MacKey* find(MacKeyId id) const;

 private:
  std::map<MacKeyId, MacKey> keys_;
  MacKeyId current_;
};

// Writes receipts. What those of one batch have in common, half of the work, is done once while
// they come one after the other. One thread.
class ReceiptSealer {
 public:
  // Writes kReceiptTextBytes characters at `to`. Requires: receipt.key is in `ring`, and a key's id
  // means the same key in every ring that is given.
  void seal(const Receipt& receipt, const KeyRing& ring, char* to);

 private:
  std::array<std::byte, kReceiptBatchBytes>
      batch_{};  // Of the last receipt; zeros: there was none.
  Key128 key_{};
  std::array<char, base64url_size(kReceiptBatchBytes)> batch_text_{};
};

// Code::invalid if the text is no receipt of this ring: wrong length, alphabet, version, key or
// MAC.
Result<Receipt> open_receipt(std::string_view text, const KeyRing& ring);

}  // namespace nando
