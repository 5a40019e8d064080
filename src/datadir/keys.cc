#include "datadir/keys.h"

#include "base/hash.h"

namespace nando {

namespace {

// Layout: docs/formats/keys.md.
constexpr std::string_view kMagic = "NANDOKEY";
constexpr std::uint32_t kFormat = 1;
constexpr std::string_view kSigningMagic = "NANDOSIG";
constexpr std::size_t kSigningBytes = 8 + sizeof(Key256) + sizeof(Hash256);
constexpr std::size_t kHeadBytes = 20;
constexpr std::size_t kRowBytes = sizeof(std::uint32_t) + sizeof(Key256);
constexpr std::size_t kFileBytesMax = kHeadBytes + kKeysMax * kRowBytes + sizeof(Hash256);

struct StoredKeys {
  std::map<MacKeyId, Key256> keys;
  MacKeyId current;
};

Buffer encode(const StoredKeys& stored) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.raw(as_bytes(kMagic));
  out.fixed(kFormat);
  out.fixed(stored.current.value);
  out.fixed(static_cast<std::uint32_t>(stored.keys.size()));
  for (const auto& [id, key] : stored.keys) {
    out.fixed(id.value);
    out.raw(key);
  }
  out.raw(blake2b(bytes));
  return bytes;
}

std::optional<StoredKeys> decode(Bytes bytes) {
  if (bytes.size() < kHeadBytes + sizeof(Hash256)) return std::nullopt;
  const auto body = bytes.first(bytes.size() - sizeof(Hash256));
  if (load<Hash256>(bytes.data() + body.size()) != blake2b(body)) return std::nullopt;
  ByteReader in(body);
  const bool ours =
      as_text(in.raw(kMagic.size())) == kMagic && in.fixed<std::uint32_t>() == kFormat;
  StoredKeys stored;
  stored.current.value = in.fixed<std::uint32_t>();
  const auto count = in.fixed<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const MacKeyId id{in.fixed<std::uint32_t>()};
    stored.keys[id] = in.fixed<Key256>();
  }
  if (!ours || !in.done() || !stored.keys.contains(stored.current)) return std::nullopt;
  return stored;
}

Result<StoredKeys> read_stored(Directory& directory) {
  const auto bytes = read_file(directory, kKeysFile, kFileBytesMax);
  if (!bytes && bytes.error().code != Code::invalid) return bytes.error();
  auto stored = bytes ? decode(*bytes) : std::nullopt;
  if (stored) return std::move(*stored);
  return Error{Code::corrupt, directory.path() + "/keys is damaged; restore it from a backup"};
}

}  // namespace

Result<KeyRing> read_keys(Directory& directory) {
  auto stored = read_stored(directory);
  if (!stored) return stored.error();
  return KeyRing(std::move(stored->keys), stored->current);
}

Result<KeyRing> add_key(Directory& directory, Entropy& entropy, MacKeyId least) {
  auto stored = read_stored(directory);
  if (!stored && stored.error().code != Code::not_found) return stored.error();
  StoredKeys next = stored ? std::move(*stored) : StoredKeys{};
  if (next.keys.size() == kKeysMax) return Error{Code::full, "10000 keys are kept; no more fit"};
  const MacKeyId after{next.keys.empty() ? 1 : next.keys.rbegin()->first.value + 1};
  next.current = std::max(after, least);
  next.keys[next.current] = entropy.take<sizeof(Key256)>();
  if (auto written = replace_file(directory, kKeysFile, encode(next)); !written) {
    return written.error();
  }
  return KeyRing(std::move(next.keys), next.current);
}

Result<KeyRing> revoke_key(Directory& directory, MacKeyId key) {
  auto stored = read_stored(directory);
  if (!stored) return stored.error();
  if (key == stored->current) {
    return Error{Code::conflict,
                 "new receipts are made under that key; make another one first "
                 "(nandolytics key rotate)"};
  }
  if (stored->keys.erase(key) == 0) return Error{Code::not_found, "there is no such key"};
  if (auto written = replace_file(directory, kKeysFile, encode(*stored)); !written) {
    return written.error();
  }
  return KeyRing(std::move(stored->keys), stored->current);
}

Result<Key256> signing_seed(Directory& directory, Entropy& entropy) {
  const auto name = std::string(kSigningFile);
  auto bytes = read_file(directory, name, kSigningBytes);
  if (!bytes && bytes.error().code == Code::not_found) {
    const auto seed = entropy.take<sizeof(Key256)>();
    bytes.emplace();
    ByteWriter out(*bytes);
    out.raw(as_bytes(kSigningMagic));
    out.raw(seed);
    out.raw(blake2b(*bytes));
    if (auto written = replace_file(directory, name, *bytes); !written) return written.error();
    return seed;
  }
  if (!bytes && bytes.error().code != Code::invalid) return bytes.error();
  if (bytes && bytes->size() == kSigningBytes) {
    ByteReader in(*bytes);
    const bool ours = as_text(in.raw(kSigningMagic.size())) == kSigningMagic;
    const auto seed = in.fixed<Key256>();
    const auto hashed = Bytes(*bytes).first(kSigningBytes - sizeof(Hash256));
    if (ours && in.fixed<Hash256>() == blake2b(hashed)) return seed;
  }
  return Error{Code::corrupt, directory.path() +
                                  "/signing is damaged; restore it from a backup, or "
                                  "delete it: promotions are then signed with another key"};
}

}  // namespace nando
