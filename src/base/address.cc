#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "base/assert.h"

namespace nando {

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
