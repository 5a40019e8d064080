#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "base/assert.h"

namespace nando {

namespace {

constexpr IpNetwork v4(std::array<std::uint8_t, 4> bytes, unsigned bits) {
  IpNetwork network{.address = {.family = IpAddress::Family::v4}, .bits = bits};
  std::copy(bytes.begin(), bytes.end(), network.address.bytes.begin());
  return network;
}

constexpr IpNetwork v6(std::array<std::uint8_t, 16> bytes, unsigned bits) {
  return {.address = {.family = IpAddress::Family::v6, .bytes = bytes}, .bits = bits};
}

// Of IANA's registries of special-purpose addresses, what not just anybody is reached at. Of v6
// only 2000::/3 is given out at all.
constexpr std::array kNotPublic = {
    v4({0}, 8),                        // "This" network; 0.0.0.0 connects to loopback.
    v4({10}, 8),                       // Private.
    v4({100, 64}, 10),                 // Behind a carrier's NAT.
    v4({127}, 8),                      // Loopback.
    v4({169, 254}, 16),                // Link-local; where clouds keep a machine's secrets.
    v4({172, 16}, 12),                 // Private.
    v4({192, 0, 0}, 24),               // Protocol assignments.
    v4({192, 0, 2}, 24),               // Documentation.
    v4({192, 88, 99}, 24),             // 6to4 relays.
    v4({192, 168}, 16),                // Private.
    v4({198, 18}, 15),                 // Benchmarks.
    v4({198, 51, 100}, 24),            // Documentation.
    v4({203, 0, 113}, 24),             // Documentation.
    v4({224}, 3),                      // Multicast, reserved, broadcast.
    v6({0x20, 0x01}, 23),              // Protocol assignments, Teredo among them.
    v6({0x20, 0x01, 0x0d, 0xb8}, 32),  // Documentation.
    v6({0x20, 0x02}, 16),              // 6to4: some v4 address.
    v6({0x3f, 0xff}, 20),              // Documentation.
};
constexpr IpNetwork kGivenOut = v6({0x20}, 3);
constexpr IpNetwork kNat64 = v6({0x00, 0x64, 0xff, 0x9b}, 96);

}  // namespace

bool IpAddress::is_loopback() const {
  if (family == Family::v4) return bytes[0] == 127;
  if (family != Family::v6) return false;
  return bytes[15] == 1 &&
         std::all_of(bytes.begin(), bytes.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_private() const {
  if (family == Family::v6) return (bytes[0] & 0xfe) == 0xfc;
  if (family != Family::v4) return false;
  return bytes[0] == 10 || (bytes[0] == 172 && (bytes[1] & 0xf0) == 16) ||
         (bytes[0] == 192 && bytes[1] == 168);
}

bool IpAddress::is_public() const {
  if (kNat64.contains(*this)) {
    IpAddress inner{.family = Family::v4};
    std::copy(bytes.begin() + 12, bytes.end(), inner.bytes.begin());
    return inner.is_public();
  }
  if (family == Family::none || (family == Family::v6 && !kGivenOut.contains(*this))) return false;
  return std::none_of(kNotPublic.begin(), kNotPublic.end(),
                      [this](const auto& network) { return network.contains(*this); });
}

IpAddress IpAddress::prefix(unsigned bits) const {
  ASSERT(bits <= (family == Family::v4 ? 32U : 128U));
  IpAddress out = *this;
  for (unsigned i = 0; i < out.bytes.size(); ++i) {
    const unsigned kept = bits > i * 8 ? std::min(8U, bits - i * 8) : 0;
    out.bytes[i] = static_cast<std::uint8_t>(out.bytes[i] & ~(0xffU >> kept));
  }
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);  // inet_pton wants a final zero.
  if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
  IpAddress out;
  if (inet_pton(AF_INET, terminated.c_str(), out.bytes.data()) == 1) {
    out.family = Family::v4;
    return out;
  }
  if (inet_pton(AF_INET6, terminated.c_str(), out.bytes.data()) != 1) return std::nullopt;
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(kMapped.begin(), kMapped.end(), out.bytes.begin())) {
    IpAddress v4;
    v4.family = Family::v4;
    std::copy(out.bytes.begin() + 12, out.bytes.end(), v4.bytes.begin());
    return v4;
  }
  out.family = Family::v6;
  return out;
}

bool IpNetwork::contains(const IpAddress& other) const {
  return other.family == address.family && other.prefix(bits) == address.prefix(bits);
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned whole = address->family == IpAddress::Family::v4 ? 32 : 128;
  if (slash == std::string_view::npos) return IpNetwork{*address, whole};
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), bits);
  if (error != std::errc() || end != digits.end() || bits > whole) return std::nullopt;
  return IpNetwork{*address, bits};
}

}  // namespace nando
