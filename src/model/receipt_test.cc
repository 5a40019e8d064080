#include "model/receipt.h"

#include <gtest/gtest.h>

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
  seal(receipt, ring, text.data());
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

// What is not a field is zero, also where the MAC would hold: no second text for one receipt.
TEST(Receipt, WhatIsReservedMustBeZero) {
  const auto ring = ring_of({1});
  auto bytes = *from_base64url(sealed(full_receipt(), ring));
  bytes[124] = std::byte{1};
  store(bytes.data() + 128, MacKey(key_of(1)).mac(Bytes(bytes).first(128)));
  EXPECT_FALSE(open_receipt(to_base64url(bytes), ring));
  bytes[124] = std::byte{0};
  store(bytes.data() + 128, MacKey(key_of(1)).mac(Bytes(bytes).first(128)));
  EXPECT_TRUE(open_receipt(to_base64url(bytes), ring)) << "the control: so the MAC was right";
}

TEST(Receipt, SealingUnderAKeyThatIsNotThereIsABug) {
  std::string text(kReceiptTextBytes, '\0');
  EXPECT_DEATH(seal(full_receipt(), ring_of({2}), text.data()), "bug");
}

}  // namespace
}  // namespace nando
