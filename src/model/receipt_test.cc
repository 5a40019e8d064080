#include "model/receipt.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/entropy.h"

namespace nando {
namespace {

Key256 key_of(int number) {
  return {static_cast<std::byte>(number)};
}

KeyRing ring_of(std::initializer_list<std::uint32_t> numbers) {
  std::map<MacKeyId, Key256> keys;
  for (const auto number : numbers) keys[{number}] = key_of(static_cast<int>(number));
  return KeyRing(std::move(keys), {*std::prev(numbers.end())});
}

Receipt full_receipt() {
  SeededEntropy chance(4);
  Receipt receipt;
  receipt.key = {1};
  receipt.epoch = chance.take<16>();
  receipt.sequence = {0x1122334455667788};
  receipt.site = {7};
  receipt.page = {0xffffffff};
  receipt.page_ordinal = 42;
  receipt.committed = UnixTime{std::chrono::milliseconds{1'795'366'800'000}};
  receipt.id_digest = chance.take<16>();
  receipt.secret_hash = chance.take<16>();
  receipt.head = chance.take<kReceiptHeadBytes>();
  receipt.promotion = 3;
  receipt.entry_ordinal = 9;
  return receipt;
}

std::string sealed(const Receipt& receipt, const KeyRing& ring) {
  std::string text(kReceiptTextBytes, '\0');
  ReceiptSealer().seal(receipt, ring, text.data());
  return text;
}

TEST(Receipt, IsReadBackAsItWasSealed) {
  const auto ring = ring_of({1});
  for (const auto& receipt : {full_receipt(), Receipt{.key = {1}}}) {
    const auto text = sealed(receipt, ring);
    EXPECT_EQ(text.size(), 192);
    EXPECT_EQ(sealed(receipt, ring), text) << "the same fields, the same bytes";
    const auto opened = open_receipt(text, ring);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(*opened, receipt);
  }
}

TEST(Receipt, OneOfARetiredKeyStaysValidAndOneOfALostKeyDoesNot) {
  const auto text = sealed(full_receipt(), ring_of({1}));
  EXPECT_TRUE(open_receipt(text, ring_of({1, 2})));
  const auto lost = open_receipt(text, ring_of({2}));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::invalid);
}

TEST(Receipt, OneOfAnotherInstallationIsNone) {
  const KeyRing other({{MacKeyId{1}, key_of(99)}}, {1});
  EXPECT_FALSE(open_receipt(sealed(full_receipt(), ring_of({1})), other));
}

TEST(Receipt, AnyOtherBitMakesItNone) {
  const auto ring = ring_of({1});
  const auto text = sealed(full_receipt(), ring);
  const auto bytes = *from_base64url(text);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto mutant = bytes;
    mutant[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(open_receipt(to_base64url(mutant), ring)) << bit;
  }
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(open_receipt(std::string_view(text).substr(0, size), ring)) << size;
  }
  EXPECT_FALSE(open_receipt(text + "A", ring));
}

// P3. What a forger can do who has receipts and no key: bits, lengths, and fields of two receipts
// of this installation, of another, of another site, key and life.
class Forger {
 public:
  explicit Forger(const KeyRing& ring) {
    const KeyRing foreign({{MacKeyId{1}, key_of(90)}, {MacKeyId{2}, key_of(91)}}, {2});
    auto receipt = full_receipt();
    add(receipt, ring);
    add(receipt, foreign);
    receipt.site = {8};
    receipt.page_ordinal = 43;
    add(receipt, ring);
    receipt.key = {2};
    receipt.entry_ordinal = 10;
    receipt.promotion = 4;
    add(receipt, ring);
    add(receipt, foreign);
    receipt.epoch = {std::byte{9}};
    receipt.committed += std::chrono::hours{24 * 365};
    receipt.secret_hash = {std::byte{8}};
    add(receipt, ring);
  }
  std::string next() {
    const auto& one = any();
    switch (below(5)) {
      case 0:
        return with_other_bits(one);
      case 1:
        return with_fields_of(one, any());
      case 2:
        return with_other_letters(to_base64url(one));
      case 3:
        return cut(to_base64url(one));
      default:
        return to_base64url(with_any_field(one));
    }
  }
  bool is_genuine(std::string_view text) const {
    return std::ranges::find(good_, text) != good_.end();
  }

 private:
  static constexpr std::array<std::size_t, 17> kFields = {0,  3,  4,  8,   24,  48,  56,  60, 64,
                                                          72, 80, 96, 112, 120, 124, 128, 144};

  void add(const Receipt& receipt, const KeyRing& ring) {
    const auto text = sealed(receipt, ring);
    receipts_.push_back(*from_base64url(text));
    if (open_receipt(text, ring_of({1, 2}))) good_.push_back(text);
  }
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(chance_.below(end)); }
  const Buffer& any() { return receipts_[below(receipts_.size())]; }
  std::string with_other_bits(Buffer bytes) {
    for (auto n = 1 + below(3); n > 0; --n) {
      bytes[below(bytes.size())] ^= std::byte{1} << below(8);
    }
    return to_base64url(bytes);
  }
  std::string with_fields_of(Buffer bytes, const Buffer& other) {
    for (auto n = 1 + below(4); n > 0; --n) {
      const auto field = below(kFields.size() - 1);
      std::copy(other.begin() + static_cast<std::ptrdiff_t>(kFields[field]),
                other.begin() + static_cast<std::ptrdiff_t>(kFields[field + 1]),
                bytes.begin() + static_cast<std::ptrdiff_t>(kFields[field]));
    }
    return to_base64url(bytes);
  }
  Buffer with_any_field(Buffer bytes) {
    const auto field = below(kFields.size() - 1);
    for (auto at = kFields[field]; at < kFields[field + 1]; ++at) {
      bytes[at] = static_cast<std::byte>(below(256));
    }
    return bytes;
  }
  std::string with_other_letters(std::string text) {
    for (auto n = 1 + below(2); n > 0; --n)
      text[below(text.size())] = static_cast<char>(below(256));
    return text;
  }
  std::string cut(std::string text) {
    const auto size = below(2 * text.size());
    return text.append(to_base64url(any())).substr(below(4), size);
  }

  SeededEntropy chance_{3};
  std::vector<Buffer> receipts_;
  std::vector<std::string> good_;
};

TEST(Receipt, NoMutantIsAccepted) {
  const char* const said = std::getenv("NANDO_MUTATIONS");
  const std::uint64_t count = said == nullptr ? 1'000'000 : std::strtoull(said, nullptr, 10);
  const auto ring = ring_of({1, 2});
  Forger forger(ring);
  std::uint64_t accepted = 0;
  for (std::uint64_t tried = 0; tried < count;) {
    const auto text = forger.next();
    if (forger.is_genuine(text)) continue;  // What was changed was alike in both.
    ++tried;
    if (open_receipt(text, ring)) ++accepted;
  }
  EXPECT_EQ(accepted, 0U) << "of " << count;
}

// As docs/formats/receipt.md says it is made.
Hash128 mac_of(Bytes receipt) {
  const auto batch_key = MacKey(key_of(1)).mac(receipt.first(48));
  return siphash128(batch_key, receipt.subspan(48, 80));
}

// What one batch has in common is remembered; whatever comes in between, each receipt is as if it
// came alone.
TEST(Receipt, ASealerWritesWhatItWouldWithoutMemory) {
  const auto ring = ring_of({1, 2});
  SeededEntropy chance(5);
  std::vector<Receipt> batches(4, full_receipt());
  batches[1].key = {2};
  batches[2].epoch = chance.take<16>();
  batches[3].head = chance.take<kReceiptHeadBytes>();
  ReceiptSealer sealer;
  std::string text(kReceiptTextBytes, '\0');
  for (int i = 0; i < 1000; ++i) {
    auto& receipt = batches[static_cast<std::size_t>(chance.below(batches.size()))];
    ++receipt.sequence.value;
    sealer.seal(receipt, ring, text.data());
    ASSERT_EQ(text, sealed(receipt, ring)) << i;
  }
}

// What is not a field is zero, also where the MAC would hold: no second text for one receipt.
TEST(Receipt, WhatIsReservedMustBeZero) {
  const auto ring = ring_of({1});
  auto bytes = *from_base64url(sealed(full_receipt(), ring));
  bytes[124] = std::byte{1};
  store(bytes.data() + 128, mac_of(bytes));
  EXPECT_FALSE(open_receipt(to_base64url(bytes), ring));
  bytes[124] = std::byte{0};
  store(bytes.data() + 128, mac_of(bytes));
  EXPECT_TRUE(open_receipt(to_base64url(bytes), ring)) << "the control: so the MAC was right";
}

TEST(Receipt, SealingUnderAKeyThatIsNotThereIsABug) {
  EXPECT_DEATH(sealed(full_receipt(), ring_of({2})), "bug");
}

}  // namespace
}  // namespace nando
