// The chain of a promotion's entries: each link is a hash of the one before and of one entry. Who
// publishes the last link has fixed every entry, their order and the rules, without publishing
// anybody's traffic.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "model/beacon.h"

namespace nando {

// What of an entry is public: nothing in it says who entered.
struct EntryLink {
  std::uint64_t entry = 0;  // Its ordinal, from 1.
  UnixTime committed;
  Hash128 id_digest{};       // Of the hit's id under the journal's key, as in its receipt.
  SecretHash secret_hash{};  // Of the page's secret; zeros without one.

  bool operator==(const EntryLink&) const = default;
};

// The link before the first entry. `rules_hash` is SHA-256 of rules_text().
Hash256 first_link(const Hash256& rules_hash);
// The link of `entry`, after `before`. A hash of 80 bytes, some 0.5 µs.
Hash256 next_link(const Hash256& before, const EntryLink& entry);

inline constexpr std::size_t kSecretBytesMin = 16;
inline constexpr std::size_t kSecretBytesMax = 55;  // One block of SHA-256.

// What a page sends for a secret that it keeps. Nothing if `secret` is not kSecretBytesMin to
// kSecretBytesMax of A-Z, a-z, 0-9, '_' and '-'.
std::optional<SecretHash> hash_secret(std::string_view secret);

}  // namespace nando
