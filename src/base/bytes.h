// Bytes: fixed-width little-endian and varint reading and writing; hex, base64url and UTF-8 text.
//
// Varint is LEB128: seven bits a byte, least significant first, high bit set on all but the last.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nando {

using Bytes = std::span<const std::byte>;
using Buffer = std::vector<std::byte>;

inline Bytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Little-endian, the byte order of every file here; a static_assert in bytes.cc refuses other
// machines.
template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <class T>
void store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

inline constexpr std::size_t kVarintBytesMax = 10;

// Writes a varint at `to` and returns the byte after it. Requires kVarintBytesMax bytes of room.
inline std::byte* put_varint(std::byte* to, std::uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<std::byte>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<std::byte>(value);
  return to;
}

// Appends to a Buffer.
class ByteWriter {
 public:
  explicit ByteWriter(Buffer& out) : out_(out) {}

  template <class T>
  void fixed(T value) {
    const auto at = out_.size();
    out_.resize(at + sizeof value);
    store(out_.data() + at, value);
  }
  void varint(std::uint64_t value) {
    std::byte bytes[kVarintBytesMax];
    out_.insert(out_.end(), bytes, put_varint(bytes, value));
  }
  void raw(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // Length as varint, then the bytes.
  void sized(Bytes bytes) {
    varint(bytes.size());
    raw(bytes);
  }

 private:
  Buffer& out_;
};

// Reads from a span; never beyond it. After the first failure every read returns zero or empty and
// ok() is false, so a decoder checks once, at its end.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  template <class T>
  T fixed() {
    if (rest_.size() < sizeof(T)) return fail<T>();
    const T value = load<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  std::uint64_t varint();
  Bytes raw(std::size_t size) {
    if (rest_.size() < size) return fail<Bytes>();
    const auto bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return bytes;
  }
  Bytes sized() { return raw(varint()); }

  bool ok() const { return ok_; }
  Bytes rest() const { return rest_; }
  // Everything was read, and nothing went wrong.
  bool done() const { return ok_ && rest_.empty(); }

 private:
  template <class T>
  T fail() {
    ok_ = false;
    rest_ = {};
    return T{};
  }

  Bytes rest_;
  bool ok_ = true;
};

std::string to_hex(Bytes bytes);
// Nothing if `text` has an odd length or a character that is no hex digit.
std::optional<Buffer> from_hex(std::string_view text);

// base64url without padding (RFC 4648, section 5), by table.
std::string to_base64url(Bytes bytes);
// Writes base64url_size(bytes.size()) characters at `to`; for the path of a hit.
void put_base64url(char* to, Bytes bytes);
constexpr std::size_t base64url_size(std::size_t bytes) {
  return (bytes * 4 + 2) / 3;
}
// Nothing if a character is foreign, or the last one carries bits that no encoder writes: one text,
// one value.
std::optional<Buffer> from_base64url(std::string_view text);

// The size of the character that `text` begins with, by table 3-7 of the Unicode Standard
// (well-formed UTF-8 byte sequences); 0 if it begins with none. Requires: text is not empty.
std::size_t utf8_size(std::string_view text);
bool is_utf8(std::string_view text);

// Eight bytes at a time in one register, for texts that are looked through on the path of a hit.
// Results have the high bit of each byte that matched; what stands above the lowest match may match
// falsely, so ask whether there is one, or for the first.
// Source: H. Warren, Hacker's Delight, section 6-1.
inline constexpr std::uint64_t kEachByte = ~std::uint64_t{0} / 255;
inline constexpr std::uint64_t kEachHighBit = kEachByte * 0x80;

// As a == b, which the compiler does byte by byte.
template <std::size_t n>
bool same_bytes(const std::array<std::byte, n>& a, const std::array<std::byte, n>& b) {
  return std::memcmp(a.data(), b.data(), n) == 0;
}

// In the order of the text: the first byte is the lowest.
inline std::uint64_t load_eight(const char* text) {
  std::uint64_t word;
  std::memcpy(&word, text, sizeof word);
  return word;
}

constexpr std::uint64_t bytes_below(std::uint64_t word, unsigned char limit) {
  return (word - kEachByte * limit) & ~word & kEachHighBit;  // limit <= 128
}

constexpr std::uint64_t bytes_equal(std::uint64_t word, unsigned char value) {
  return bytes_below(word ^ kEachByte * value, 1);
}

// Of a result that is not 0: where its first match stands, from 0.
constexpr unsigned first_match(std::uint64_t result) {
  return static_cast<unsigned>(__builtin_ctzll(result)) / 8;
}

}  // namespace nando
