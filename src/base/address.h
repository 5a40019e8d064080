// IpAddress: a client's address, for the rate limiter and the pseudonym, or one that we would
// connect to. A client's lives in memory, for one request; it is never written, logged or put into
// an error message (docs/GUARANTEES.md, V1).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace nando {

struct IpAddress {
  enum class Family : std::uint8_t { none, v4, v6 };

  Family family = Family::none;
  std::array<std::uint8_t, 16>
      bytes{};  // Network order; a v4 address has the first four, the rest are 0.

  bool operator==(const IpAddress&) const = default;

  bool is_loopback() const;
  // Of a private network, one's own: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and fc00::/7. Not
  // 100.64.0.0/10, behind which carriers have their customers.
  bool is_private() const;
  // One that the internet routes to anybody. False for what is one's own (loopback, private,
  // link-local, a carrier's, multicast, none at all) and for what stands for another address (6to4,
  // Teredo); "64:ff9b::192.0.2.1", a v4 address behind a NAT64, is as public as that address.
  bool is_public() const;
  // The first `bits` bits, the rest zero. Requires bits <= 32 or 128, as the family has.
  IpAddress prefix(unsigned bits) const;
  // What counts as one client: the whole v4 address, the first 64 bits of a v6 one.
  IpAddress client_prefix() const { return family == Family::v6 ? prefix(64) : *this; }

  // "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1" (which becomes v4). No port, no brackets, no
  // zone.
  static std::optional<IpAddress> parse(std::string_view text);
};

// "10.0.0.0/8", or an address alone.
struct IpNetwork {
  IpAddress address;
  unsigned bits = 0;

  bool contains(const IpAddress& other) const;
  static std::optional<IpNetwork> parse(std::string_view text);
};

}  // namespace nando
