#include "base/hash.h"

#include <gtest/gtest.h>

#include <algorithm>

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

// FIPS 180-4's examples: one block, and two.
TEST(Hash, Sha256HasItsPublishedValues) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

// RFC 4231's cases 2 and 6: a key shorter than a block, and one that is longer.
TEST(Hash, HmacSha256HasItsPublishedValues) {
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes(std::string(131, '\xaa')),
                               as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, PartsAreHashedAsIfLaidEndToEnd) {
  const std::array parts = {as_bytes("a"), Bytes(), as_bytes("bc")};
  EXPECT_EQ(blake2b(parts), blake2b(as_bytes("abc")));
  EXPECT_EQ(sha256(parts), sha256(as_bytes("abc")));
  EXPECT_EQ(checksum(parts, 7), checksum(as_bytes("abc"), 7));
}

// XXH3_64bits of nothing, seed 0.
TEST(Hash, ChecksumHasItsPublishedValueAndASeed) {
  EXPECT_EQ(checksum(Bytes(), 0), 0x2d06800538d394c2);
  EXPECT_NE(checksum(as_bytes("a"), 0), checksum(as_bytes("a"), 1));
}

TEST(MacKey, IsKeyedBlake2b) {
  const auto key = counting<32>();
  const MacKey mac_key(key);
  const auto message = counting<128>();
  const auto mac = mac_key.mac(message);
  Hash128 expected;
  crypto_generichash(reinterpret_cast<unsigned char*>(expected.data()), expected.size(),
                     reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                     reinterpret_cast<const unsigned char*>(key.data()), key.size());
  EXPECT_EQ(mac, expected);
  EXPECT_EQ(mac_key.mac(message), mac) << "a message leaves no trace in the key";
}

TEST(EqualInConstantTime, TellsEveryBit) {
  const auto one = counting<16>();
  auto other = one;
  EXPECT_TRUE(equal_in_constant_time(one, other));
  for (std::size_t bit = 0; bit < one.size() * 8; ++bit) {
    other[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_FALSE(equal_in_constant_time(one, other)) << bit;
    other[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

struct SignatureRow {
  std::string_view seed;
  std::string_view key;
  std::string_view message;
  std::string_view signature;
};

// RFC 8032, section 7.1, tests 1 to 3.
constexpr std::array kSignatures = {
    SignatureRow{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc"
                 "61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    SignatureRow{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e4"
                 "58f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    SignatureRow{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                 "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290a"
                 "e67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

template <class Array>
Array array_of(std::string_view hex) {
  Array array;
  const auto bytes = *from_hex(hex);
  std::copy_n(bytes.begin(), array.size(), array.begin());
  return array;
}

TEST(SigningKey, HasItsPublishedSignaturesAndTellsAnyChange) {
  for (const auto& row : kSignatures) {
    const SigningKey key(array_of<Key256>(row.seed));
    EXPECT_EQ(to_hex(key.public_key()), row.key);
    auto message = *from_hex(row.message);
    auto signature = key.sign(message);
    EXPECT_EQ(to_hex(signature), row.signature);
    EXPECT_TRUE(verify_signature(message, signature, key.public_key()));
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
      signature[bit / 8] ^= std::byte{1} << (bit % 8);
      EXPECT_FALSE(verify_signature(message, signature, key.public_key())) << bit;
      signature[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    message.push_back(std::byte{0});
    EXPECT_FALSE(verify_signature(message, signature, key.public_key()));
  }
}

// Under the neutral element as key, R = [s]B holds for every message: here s = 0 and R = 1.
TEST(SigningKey, AKeyThatFitsEveryMessageFitsNone) {
  const PublicKey neutral = {std::byte{1}};
  const Signature fits_all = {std::byte{1}};
  EXPECT_FALSE(verify_signature(as_bytes("anything"), fits_all, neutral));
}

}  // namespace
}  // namespace nando
