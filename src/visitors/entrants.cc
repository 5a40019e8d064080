#include "visitors/entrants.h"

#include <algorithm>

#include "telemetry/log.h"
#include "visitors/pseudonym.h"

namespace nando {

namespace {

constexpr std::array<std::byte, 4> kMagic = {std::byte{'N'}, std::byte{'D'}, std::byte{'E'},
                                             std::byte{1}};
constexpr std::size_t kHashedBytes = 4 + 8 + 8 + sizeof(Key128);
constexpr std::size_t kFileBytes = kHashedBytes + 8;

// By the wall, for a run directory that outlives a reboot; steps of the clock within it are let be.
constexpr std::chrono::hours kWallAgeMax{48};

// What a hash is of, so that no address passes for a network.
enum class Part : std::uint8_t { visitor, v4_24, v6_64, v6_56, v6_48 };

std::uint64_t hash_of(const Key128& key, PromotionId promotion, Part part, const IpAddress& network,
                      std::string_view agent) {
  constexpr std::size_t kHeadBytes = sizeof promotion.value + 2 + sizeof network.bytes;
  std::array<std::byte, kHeadBytes + kAgentBytesMax> bytes;
  store(bytes.data(), promotion.value);
  bytes[sizeof promotion.value] = static_cast<std::byte>(part);
  bytes[sizeof promotion.value + 1] = static_cast<std::byte>(network.family);
  store(&bytes[sizeof promotion.value + 2], network.bytes);
  if (!agent.empty()) std::memcpy(&bytes[kHeadBytes], agent.data(), agent.size());
  const auto message = Bytes(bytes).first(kHeadBytes + agent.size());
  const auto hash = siphash128(key, message);
  sodium_memzero(bytes.data(), message.size());
  return std::max<std::uint64_t>(load<std::uint64_t>(hash.data()), 1);
}

}  // namespace

EntrantKey::EntrantKey(std::unique_ptr<Directory> directory, Entropy& entropy, const Clock& clock)
    : directory_(std::move(directory)), entropy_(entropy), clock_(clock) {
  if (!load()) renew();
}

EntrantKey::~EntrantKey() {
  key_->wipe();
}

std::shared_ptr<const Salt> EntrantKey::current() const {
  const std::lock_guard lock(mutex_);
  return key_;
}

void EntrantKey::tick() {
  const std::lock_guard lock(mutex_);
  if (clock_.monotonic() - made_ >= kEntrantKeyAge) {
    renew();
  } else if (!is_written_) {
    write();
  }
}

bool EntrantKey::load() {
  if (!directory_) return false;
  // A crash between writing and renaming leaves a key under this name.
  (void)directory_->remove(std::string(kEntrantKeyFile) + ".tmp");
  auto bytes = read_file(*directory_, kEntrantKeyFile, kFileBytes);
  if (!bytes) return false;
  const bool whole = bytes->size() == kFileBytes &&
                     std::ranges::equal(Bytes(*bytes).first(kMagic.size()), kMagic) &&
                     nando::load<std::uint64_t>(bytes->data() + kHashedBytes) ==
                         checksum(Bytes(*bytes).first(kHashedBytes), 0);
  if (whole) {
    ByteReader in(Bytes(*bytes).subspan(kMagic.size()));
    made_ = std::chrono::nanoseconds{in.fixed<std::int64_t>()};
    made_by_wall_ = in.fixed<UnixTime>();
    auto key = in.fixed<Key128>();
    const auto age = clock_.monotonic() - made_;
    const auto wall_age = clock_.now() - made_by_wall_;
    const bool good = age.count() >= 0 && age < kEntrantKeyAge && wall_age < kWallAgeMax &&
                      wall_age > -kWallAgeMax;
    if (good) key_ = std::make_shared<Salt>(key);
    sodium_memzero(key.data(), key.size());
  }
  sodium_memzero(bytes->data(), bytes->size());
  return key_ != nullptr;
}

void EntrantKey::renew() {
  if (key_) key_->wipe();
  auto key = entropy_.take<sizeof(Key128)>();
  key_ = std::make_shared<Salt>(key);
  sodium_memzero(key.data(), key.size());
  made_ = clock_.monotonic();
  made_by_wall_ = clock_.now();
  is_written_ = true;
  write();
}

void EntrantKey::write() {
  if (!directory_) return;
  Buffer bytes;
  bytes.reserve(kFileBytes);  // Once: no copy of a key stays behind.
  ByteWriter out(bytes);
  Key128 key;
  key_->read(key);
  out.raw(kMagic);
  out.fixed(made_.count());
  out.fixed(made_by_wall_);
  out.raw(key);
  out.fixed(checksum(bytes, 0));
  const auto written = replace_file(*directory_, kEntrantKeyFile, bytes);
  sodium_memzero(bytes.data(), bytes.size());
  sodium_memzero(key.data(), key.size());
  if (!written) {
    if (is_written_) {
      log_warn("entrants: {}; after a restart visitors may enter once more",
               written.error().message);
    }
    // Better no file than one with a key that was to be gone.
    (void)directory_->remove(kEntrantKeyFile);
    (void)directory_->remove(std::string(kEntrantKeyFile) + ".tmp");
  }
  is_written_ = written.has_value();
}

Entrant entrant_of(const Key128& key, PromotionId promotion, const IpAddress& client,
                   std::string_view agent) {
  const auto network = [&](Part part, unsigned bits) {
    return hash_of(key, promotion, part, client.prefix(bits), {});
  };
  Entrant who;
  who.visitor = hash_of(key, promotion, Part::visitor, client.client_prefix(),
                        agent.substr(0, kAgentBytesMax));
  if (client.family == IpAddress::Family::v4) who.v4_24 = network(Part::v4_24, 24);
  if (client.family == IpAddress::Family::v6) {
    who.v6_64 = network(Part::v6_64, 64);
    who.v6_56 = network(Part::v6_56, 56);
    who.v6_48 = network(Part::v6_48, 48);
  }
  return who;
}

Entrant Entrants::of(PromotionId promotion, const IpAddress& client, std::string_view agent) {
  Key128 key;
  while (!held_ || !held_->read(key)) held_ = key_.current();
  const auto who = entrant_of(key, promotion, client, agent);
  sodium_memzero(key.data(), key.size());
  return who;
}

}  // namespace nando
