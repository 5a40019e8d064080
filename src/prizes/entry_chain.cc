#include "prizes/entry_chain.h"

#include <algorithm>

namespace nando {

Hash256 first_link(const Hash256& rules_hash) {
  return sha256(std::array{as_bytes("nandolytics entries 1\n"), Bytes(rules_hash)});
}

Hash256 next_link(const Hash256& before, const EntryLink& entry) {
  std::array<std::byte, 80> bytes;
  store(bytes.data(), before);
  store(bytes.data() + 32, entry.entry);
  store(bytes.data() + 40, static_cast<std::int64_t>(entry.committed.time_since_epoch().count()));
  store(bytes.data() + 48, entry.id_digest);
  store(bytes.data() + 64, entry.secret_hash);
  return sha256(bytes);
}

std::optional<SecretHash> hash_secret(std::string_view secret) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  if (secret.size() < kSecretBytesMin || secret.size() > kSecretBytesMax ||
      !std::ranges::all_of(secret, fits)) {
    return std::nullopt;
  }
  const auto whole = sha256(as_bytes(secret));
  SecretHash hash;
  std::copy_n(whole.begin(), hash.size(), hash.begin());
  return hash;
}

}  // namespace nando
