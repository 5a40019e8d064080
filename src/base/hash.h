// Hashes and signatures, each for one purpose.
//
// - siphash128: keyed; for maps and pseudonyms of text that visitors choose (SipHash-2-4, 128 bits)
// - blake2b: the chain of the journal, and MACs (RFC 7693)
// - sha256: what strangers check with tools of their own: draws and entries (FIPS 180-4)
// - hmac_sha256: what we sign for others, who have it in every language (RFC 2104)
// - checksum: finds accidents, proves nothing (XXH3, 64 bits)
// - SigningKey: what strangers must be able to hold us to (Ed25519, RFC 8032)
#pragma once

#include <sodium.h>

#include <memory>

#include "base/bytes.h"

namespace nando {

using Key128 = std::array<std::byte, 16>;
using Hash128 = std::array<std::byte, 16>;
using Key256 = std::array<std::byte, 32>;
using Hash256 = std::array<std::byte, 32>;

Hash128 siphash128(const Key128& key, Bytes bytes);

Hash256 blake2b(Bytes bytes);
// The hash of `parts` laid end to end. Callers give each part a fixed width or hash it first.
Hash256 blake2b(std::span<const Bytes> parts);

Hash256 sha256(Bytes bytes);
// As blake2b of parts.
Hash256 sha256(std::span<const Bytes> parts);

// Any length of key.
Hash256 hmac_sha256(Bytes key, Bytes message);

// Requires: as many bytes in `b`.
bool equal_in_constant_time(Bytes a, Bytes b);

// A key of keyed BLAKE2b (RFC 7693), ready for use: initialised once, and the state is copied for
// every message. (libsodium keeps the key's block back until more comes, so a message of up to 128
// bytes costs two compressions.) Immutable; any thread.
class MacKey {
 public:
  explicit MacKey(const Key256& key);
  Hash128 mac(Bytes message) const;

 private:
  crypto_generichash_state absorbed_;
};

using Signature = std::array<std::byte, 64>;
using PublicKey = std::array<std::byte, 32>;

// A key to sign with. The same message gets the same signature. Immutable; any thread. A signature
// costs some 20 µs, a check three times that.
class SigningKey {
 public:
  // `seed` is RFC 8032's private key; whoever has it can sign.
  explicit SigningKey(const Key256& seed);
  const PublicKey& public_key() const { return public_key_; }
  Signature sign(Bytes message) const;

 private:
  std::array<std::byte, 64> expanded_;  // As libsodium wants it: the seed, then the public key.
  PublicKey public_key_;
};
// Refuses keys of small order, which would fit more than one message.
bool verify_signature(Bytes message, const Signature& signature, const PublicKey& key);

std::uint64_t checksum(Bytes bytes, std::uint64_t seed);

// The same, a piece at a time: value() after any number of add() is checksum() of all pieces end to
// end.
class Checksum {
 public:
  explicit Checksum(std::uint64_t seed);
  ~Checksum();
  void add(Bytes bytes);
  std::uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};
std::uint64_t checksum(std::span<const Bytes> parts, std::uint64_t seed);

}  // namespace nando
