#include "base/bytes.h"

#include <bit>

#include "base/assert.h"

namespace nando {

static_assert(std::endian::native == std::endian::little, "files and records are little-endian");

namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> inverse(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}
constexpr auto kBase64UrlInverse = inverse(kBase64Url);

// Two characters for twelve bits: half the look-ups on the path of a hit, for 8 KiB.
constexpr auto kBase64UrlPairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i)
    pairs[i] = {kBase64Url[i >> 6], kBase64Url[i & 63]};
  return pairs;
}();

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = fixed<std::uint8_t>();
    if (!ok_) return 0;
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return fail<std::uint64_t>();
}

std::string to_hex(Bytes bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    text += kHex[value >> 4];
    text += kHex[value & 15];
  }
  return text;
}

std::optional<Buffer> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Buffer bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return bytes;
}

void put_base64url(char* to, Bytes bytes) {
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(bytes[i]); };
  const auto put_pair = [](char* where, std::uint64_t twelve_bits) {
    std::memcpy(where, kBase64UrlPairs[twelve_bits & 0xfff].data(), 2);
  };
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 6, to += 8) {  // Six of the eight that are read.
    const auto word = __builtin_bswap64(load<std::uint64_t>(bytes.data() + i));
    put_pair(to, word >> 52);
    put_pair(to + 2, word >> 40);
    put_pair(to + 4, word >> 28);
    put_pair(to + 6, word >> 16);
  }
  for (; i + 3 <= bytes.size(); i += 3, to += 4) {
    const unsigned three = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    put_pair(to, three >> 12);
    put_pair(to + 2, three);
  }
  if (bytes.size() - i == 1) {
    *to++ = kBase64Url[at(i) >> 2];
    *to++ = kBase64Url[at(i) << 4 & 63];
  } else if (bytes.size() - i == 2) {
    const unsigned two = at(i) << 8 | at(i + 1);
    *to++ = kBase64Url[two >> 10];
    *to++ = kBase64Url[two >> 4 & 63];
    *to++ = kBase64Url[two << 2 & 63];
  }
}

std::string to_base64url(Bytes bytes) {
  std::string text(base64url_size(bytes.size()), '\0');
  put_base64url(text.data(), bytes);
  return text;
}

std::optional<Buffer> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  Buffer bytes;
  bytes.reserve(text.size() * 3 / 4);
  unsigned bits = 0;
  unsigned bit_count = 0;
  for (const char c : text) {
    const int value = kBase64UrlInverse[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<unsigned>(value);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      bytes.push_back(static_cast<std::byte>(bits >> bit_count));
      bits &= (1U << bit_count) - 1;
    }
  }
  if (bits != 0) return std::nullopt;
  return bytes;
}

std::size_t utf8_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t count, unsigned low, unsigned high) -> std::size_t {
    if (text.size() <= count || byte(1) < low || byte(1) > high) return 0;
    for (std::size_t i = 2; i <= count; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    return count + 1;
  };
  const unsigned c = byte(0);
  return c < 0x80                 ? 1
         : c >= 0xc2 && c <= 0xdf ? follows(1, 0x80, 0xbf)
         : c == 0xe0              ? follows(2, 0xa0, 0xbf)
         : c == 0xed              ? follows(2, 0x80, 0x9f)
         : c >= 0xe1 && c <= 0xef ? follows(2, 0x80, 0xbf)
         : c == 0xf0              ? follows(3, 0x90, 0xbf)
         : c >= 0xf1 && c <= 0xf3 ? follows(3, 0x80, 0xbf)
         : c == 0xf4              ? follows(3, 0x80, 0x8f)
                                  : 0;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto size = utf8_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

}  // namespace nando
