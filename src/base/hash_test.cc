#include "base/hash.h"

#include <gtest/gtest.h>

namespace nando {
namespace {

template <std::size_t n>
std::array<std::byte, n> counting() {
  std::array<std::byte, n> bytes{};
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}

// From the reference implementation's vectors.h, key 00 01 ... 0f.
TEST(Hash, SiphashHasItsPublishedValues) {
  const auto key = counting<16>();
  const auto message = counting<2>();
  EXPECT_EQ(to_hex(siphash128(key, {})), "a3817f04ba25a8e66df67214c7550293");
  EXPECT_EQ(to_hex(siphash128(key, Bytes(message).first(1))), "da87c1d86b99af44347659119b22fc45");
  EXPECT_NE(siphash128(Key128{}, message), siphash128(key, message));
}

// RFC 7693's "abc", at 256 bits.
TEST(Hash, Blake2bHasItsPublishedValue) {
  EXPECT_EQ(to_hex(blake2b(as_bytes("abc"))),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST(Hash, PartsAreHashedAsIfLaidEndToEnd) {
  const std::array parts = {as_bytes("a"), Bytes(), as_bytes("bc")};
  EXPECT_EQ(blake2b(parts), blake2b(as_bytes("abc")));
  EXPECT_EQ(checksum(parts, 7), checksum(as_bytes("abc"), 7));
}

// XXH3_64bits of nothing, seed 0.
TEST(Hash, ChecksumHasItsPublishedValueAndASeed) {
  EXPECT_EQ(checksum(Bytes(), 0), 0x2d06800538d394c2);
  EXPECT_NE(checksum(as_bytes("a"), 0), checksum(as_bytes("a"), 1));
}

TEST(MacKey, IsKeyedBlake2bAndTellsAnyChange) {
  const auto key = counting<32>();
  const MacKey mac_key(key);
  auto message = counting<128>();
  const auto mac = mac_key.mac(message);
  Hash128 expected;
  crypto_generichash(reinterpret_cast<unsigned char*>(expected.data()), expected.size(),
                     reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                     reinterpret_cast<const unsigned char*>(key.data()), key.size());
  EXPECT_EQ(mac, expected);
  EXPECT_EQ(mac_key.mac(message), mac) << "a message leaves no trace in the key";
  EXPECT_TRUE(mac_key.verify(message, mac));
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    message[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(mac_key.verify(message, mac)) << bit;
    message[bit / 8] ^= std::byte{1} << (bit % 8);
  }
  EXPECT_FALSE(MacKey(Key256{}).verify(message, mac));
}

}  // namespace
}  // namespace nando
