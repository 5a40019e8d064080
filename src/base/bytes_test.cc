#include "base/bytes.h"

#include <gtest/gtest.h>

#include <bit>

#include "base/entropy.h"

namespace nando {
namespace {

constexpr std::uint64_t kMost = ~std::uint64_t{0};

Buffer varint_of(std::uint64_t value) {
  Buffer bytes;
  ByteWriter(bytes).varint(value);
  return bytes;
}

TEST(Bytes, AVarintTakesSevenBitsAByte) {
  for (const auto& [value, size] : std::initializer_list<std::pair<std::uint64_t, std::size_t>>{
           {0, 1}, {127, 1}, {128, 2}, {16383, 2}, {16384, 3}, {kMost >> 1, 9}, {kMost, 10}}) {
    const auto bytes = varint_of(value);
    EXPECT_EQ(bytes.size(), size) << value;
    ByteReader reader(bytes);
    EXPECT_EQ(reader.varint(), value);
    EXPECT_TRUE(reader.done());
  }
}

TEST(Bytes, AVarintThatIsCutOrTooLargeIsNone) {
  const auto most = varint_of(kMost);
  for (std::size_t size = 0; size < most.size(); ++size) {
    ByteReader reader(Bytes(most).first(size));
    EXPECT_EQ(reader.varint(), 0);
    EXPECT_FALSE(reader.ok()) << size;
  }
  auto too_large = most;
  too_large.back() = std::byte{2};  // The 65th bit.
  ByteReader reader(too_large);
  reader.varint();
  EXPECT_FALSE(reader.ok());
}

TEST(Bytes, AReaderGivesBackWhatAWriterPut) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.fixed(std::uint32_t{0x01020304});
  out.sized(as_bytes("text"));
  out.raw(as_bytes("raw"));
  EXPECT_EQ(bytes[0], std::byte{4}) << "little-endian";
  ByteReader in(bytes);
  EXPECT_EQ(in.fixed<std::uint32_t>(), 0x01020304);
  EXPECT_EQ(as_text(in.sized()), "text");
  EXPECT_EQ(as_text(in.raw(3)), "raw");
  EXPECT_TRUE(in.done());
}

TEST(Bytes, AfterTheFirstFailureAReaderGivesNothing) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.varint(5);
  out.raw(as_bytes("four"));  // One byte short of what was said.
  ByteReader in(bytes);
  EXPECT_TRUE(in.sized().empty());
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.fixed<std::uint8_t>(), 0);
  EXPECT_TRUE(in.rest().empty());
  EXPECT_FALSE(in.done());
}

TEST(Bytes, WhatIsLeftOverIsNotDone) {
  ByteReader in(as_bytes("ab"));
  in.raw(1);
  EXPECT_TRUE(in.ok());
  EXPECT_FALSE(in.done());
  in.raw(1);
  EXPECT_TRUE(in.done());
}

TEST(Bytes, HexIsThereAndBack) {
  const Buffer bytes = {std::byte{0x00}, std::byte{0x9f}, std::byte{0xff}};
  EXPECT_EQ(to_hex(bytes), "009fff");
  EXPECT_EQ(from_hex("009fFF"), bytes);
  EXPECT_EQ(from_hex(""), Buffer());
  for (const auto none : {"0", "0g", "g0", " 00"}) EXPECT_FALSE(from_hex(none)) << none;
}

TEST(Bytes, Base64urlIsThatOfRfc4648) {
  for (const auto& [plain, text] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{{"", ""},
                                                                            {"f", "Zg"},
                                                                            {"fo", "Zm8"},
                                                                            {"foo", "Zm9v"},
                                                                            {"foob", "Zm9vYg"},
                                                                            {"\xfb\xff", "-_8"}}) {
    EXPECT_EQ(to_base64url(as_bytes(plain)), text);
    EXPECT_EQ(base64url_size(plain.size()), text.size());
    ASSERT_TRUE(from_base64url(text)) << text;
    EXPECT_EQ(as_text(*from_base64url(text)), plain);
  }
}

TEST(Bytes, Base64urlOfAnyLengthIsThereAndBack) {
  Buffer bytes;
  for (unsigned size = 0; size < 200; ++size) {
    const auto text = to_base64url(bytes);
    EXPECT_EQ(text.size(), base64url_size(size));
    EXPECT_EQ(from_base64url(text), bytes) << size;
    bytes.push_back(static_cast<std::byte>(size * 37 + 11));
  }
}

// Every beginning of four bytes that the standard's table tells apart, beside a reader that
// decodes.
TEST(Bytes, ACharacterOfUtf8IsAsLongAsItsValueNeeds) {
  const auto size_of = [](std::string_view text) -> std::size_t {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80) return 1;
    const std::size_t ones = static_cast<std::size_t>(std::countl_one(byte(0)));
    if (ones < 2 || ones > 4 || text.size() < ones) return 0;
    std::uint32_t value = byte(0) & (0x7fU >> ones);
    for (std::size_t i = 1; i < ones; ++i) {
      if (std::countl_one(byte(i)) != 1) return 0;
      value = value << 6 | (byte(i) & 0x3fU);
    }
    const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
    const std::size_t least = value < 0x80 ? 1 : value < 0x800 ? 2 : value < 0x10000 ? 3 : 4;
    return ones == least && !is_surrogate && value <= 0x10ffff ? ones : 0;
  };
  constexpr std::array kLater{'\x00', '\x7f', '\x80', '\x8f', '\x90',
                              '\x9f', '\xa0', '\xbf', '\xc0', '\xff'};
  for (unsigned first = 0; first < 256; ++first) {
    for (const char second : kLater) {
      for (const char third : kLater) {
        for (const char fourth : kLater) {
          const std::array all{static_cast<char>(first), second, third, fourth};
          for (std::size_t size = 1; size <= all.size(); ++size) {
            const std::string_view text(all.data(), size);
            ASSERT_EQ(utf8_size(text), size_of(text)) << to_hex(as_bytes(text));
          }
        }
      }
    }
  }
}

TEST(Bytes, EightAtATimeSayWhereTheFirstMatchStands) {
  for (unsigned value = 0; value < 256; ++value) {
    for (unsigned at = 0; at < 8; ++at) {
      std::string text(8, '~');
      text[at] = static_cast<char>(value);
      const auto word = load_eight(text.data());
      EXPECT_EQ(bytes_below(word, 0x20) != 0, value < 0x20) << value;
      EXPECT_EQ(bytes_equal(word, '"') != 0, value == '"') << value;
      if (value < 0x20) {
        EXPECT_EQ(first_match(bytes_below(word, 0x20)), at);
      } else if (value == '"') {
        EXPECT_EQ(first_match(bytes_equal(word, '"')), at);
      }
      for (unsigned later = at + 1; later < 8 && value < 0x20; ++later) {
        auto two = text;
        two[later] = ' ';  // One above the limit, where a match below might spill over.
        EXPECT_EQ(first_match(bytes_below(load_eight(two.data()), 0x20)), at);
      }
    }
  }
}

TEST(Bytes, Base64urlHasOneTextForOneValue) {
  for (const auto none : {"Z", "Zh", "Zm9", "Zg==", "Zm+v", "Zm/v", "Zm v"}) {
    EXPECT_FALSE(from_base64url(none)) << none;
  }
  SeededEntropy chance(1);
  for (std::size_t size = 0; size < 200; ++size) {
    Buffer bytes(size);
    chance.fill(bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
}

TEST(Utf8, IsWhatTheStandardCallsWellFormed) {
  for (const std::string_view good : {"", "a", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff",
                                      "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
    for (std::size_t cut = 1; cut < good.size(); ++cut) {
      EXPECT_FALSE(is_utf8(good.substr(0, cut))) << good << " cut to " << cut;
      EXPECT_FALSE(is_utf8(good.substr(cut))) << good << " from " << cut;
    }
  }
  for (const std::string_view bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                     "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                                     "\xf5\x80\x80\x80", "\xff", "\xe2\x82z", "\xf0\x9f\x98z"}) {
    EXPECT_FALSE(is_utf8(bad)) << to_hex(as_bytes(bad));
  }
}

}  // namespace
}  // namespace nando
