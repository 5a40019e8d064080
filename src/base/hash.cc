#include "base/hash.h"

#define XXH_STATIC_LINKING_ONLY  // For the streaming state on the stack.
#include <xxhash.h>

namespace nando {

namespace {

const unsigned char* data_of(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
template <std::size_t n>
unsigned char* data_of(std::array<std::byte, n>& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

Hash128 siphash128(const Key128& key, Bytes bytes) {
  static_assert(crypto_shorthash_siphashx24_BYTES == sizeof(Hash128));
  static_assert(crypto_shorthash_siphashx24_KEYBYTES == sizeof(Key128));
  Hash128 out;
  crypto_shorthash_siphashx24(data_of(out), data_of(bytes), bytes.size(), data_of(Bytes(key)));
  return out;
}

Hash256 blake2b(Bytes bytes) {
  Hash256 out;
  crypto_generichash(data_of(out), out.size(), data_of(bytes), bytes.size(), nullptr, 0);
  return out;
}

Hash256 blake2b(std::span<const Bytes> parts) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, sizeof(Hash256));
  for (const auto part : parts) crypto_generichash_update(&state, data_of(part), part.size());
  Hash256 out;
  crypto_generichash_final(&state, data_of(out), out.size());
  return out;
}

Hash256 sha256(Bytes bytes) {
  Hash256 out;
  crypto_hash_sha256(data_of(out), data_of(bytes), bytes.size());
  return out;
}

Hash256 sha256(std::span<const Bytes> parts) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const auto part : parts) crypto_hash_sha256_update(&state, data_of(part), part.size());
  Hash256 out;
  crypto_hash_sha256_final(&state, data_of(out));
  return out;
}

Hash256 hmac_sha256(Bytes key, Bytes message) {
  static_assert(crypto_auth_hmacsha256_BYTES == sizeof(Hash256));
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, data_of(key), key.size());
  crypto_auth_hmacsha256_update(&state, data_of(message), message.size());
  Hash256 out;
  crypto_auth_hmacsha256_final(&state, data_of(out));
  return out;
}

MacKey::MacKey(const Key256& key) {
  crypto_generichash_init(&absorbed_, data_of(Bytes(key)), key.size(), sizeof(Hash128));
}

Hash128 MacKey::mac(Bytes message) const {
  auto state = absorbed_;
  crypto_generichash_update(&state, data_of(message), message.size());
  Hash128 out;
  crypto_generichash_final(&state, data_of(out), out.size());
  return out;
}

bool equal_in_constant_time(Bytes a, Bytes b) {
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

SigningKey::SigningKey(const Key256& seed) {
  static_assert(crypto_sign_ed25519_SEEDBYTES == sizeof(Key256));
  static_assert(crypto_sign_ed25519_SECRETKEYBYTES == sizeof(expanded_));
  crypto_sign_ed25519_seed_keypair(data_of(public_key_), data_of(expanded_), data_of(Bytes(seed)));
}

Signature SigningKey::sign(Bytes message) const {
  Signature signature;
  crypto_sign_ed25519_detached(data_of(signature), nullptr, data_of(message), message.size(),
                               data_of(Bytes(expanded_)));
  return signature;
}

bool verify_signature(Bytes message, const Signature& signature, const PublicKey& key) {
  return crypto_sign_ed25519_verify_detached(data_of(Bytes(signature)), data_of(message),
                                             message.size(), data_of(Bytes(key))) == 0;
}

std::uint64_t checksum(Bytes bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint64_t checksum(std::span<const Bytes> parts, std::uint64_t seed) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset_withSeed(&state, seed);
  for (const auto part : parts) XXH3_64bits_update(&state, part.data(), part.size());
  return XXH3_64bits_digest(&state);
}

struct Checksum::State {
  XXH3_state_t state;
};

Checksum::Checksum(std::uint64_t seed) : state_(std::make_unique<State>()) {
  XXH3_INITSTATE(&state_->state);
  XXH3_64bits_reset_withSeed(&state_->state, seed);
}
Checksum::~Checksum() = default;

void Checksum::add(Bytes bytes) {
  XXH3_64bits_update(&state_->state, bytes.data(), bytes.size());
}

std::uint64_t Checksum::value() const {
  return XXH3_64bits_digest(&state_->state);
}

}  // namespace nando
