#include "visitors/salts.h"

#include <algorithm>

#include "base/assert.h"
#include "telemetry/log.h"

namespace nando {

namespace {

constexpr std::array<std::byte, 4> kMagic = {std::byte{'N'}, std::byte{'D'}, std::byte{'S'},
                                             std::byte{1}};
constexpr std::size_t kEntryBytes = 40;
constexpr std::size_t kFrameBytes = 16;  // Magic and count before the entries, checksum after.
constexpr std::uint64_t kFileBytesMax = 64 * 1024 * 1024;

// A clock that is this much behind the making of a salt was, or is, wrong by so much that nothing
// is known about the salt's age.
constexpr std::chrono::hours kClockStepMax{1};

void wipe_bytes(Buffer& bytes) {
  sodium_memzero(bytes.data(), bytes.size());
}

std::int64_t count_of(UnixTime time) {
  return time.time_since_epoch().count();
}

UnixTime time_of(std::int64_t count) {
  return UnixTime{std::chrono::milliseconds{count}};
}

}  // namespace

Salt::Salt(const Key128& key)
    : halves_{load<std::uint64_t>(key.data()), load<std::uint64_t>(key.data() + 8)} {}

bool Salt::read(Key128& into) const {
  for (std::size_t i = 0; i < halves_.size(); ++i) {
    store(into.data() + i * 8, halves_[i].load(std::memory_order_acquire));
  }
  // Whoever has read a half that was wiped sees the mark that was set before it.
  return !wiped_.load(std::memory_order_relaxed);
}

void Salt::wipe() {
  wiped_.store(true, std::memory_order_relaxed);
  for (auto& half : halves_) half.store(0, std::memory_order_release);
}

Salts::Salts(std::unique_ptr<Directory> directory, Entropy& entropy, UnixTime now)
    : directory_(std::move(directory)), entropy_(entropy) {
  load(now);
}

Salts::~Salts() {
  for (auto& [name, entry] : entries_) entry.salt->wipe();
}

std::shared_ptr<const Salt> Salts::salt_of(SiteId site, const LocalDay& day, UnixTime now) {
  const std::lock_guard lock(mutex_);
  purge(now);
  auto& entry = entries_[Name{site, day.day}];
  if (entry.salt) return entry.salt;
  auto key = entropy_.take<sizeof(Key128)>();
  entry = {std::make_shared<Salt>(key), now,
           std::min<UnixTime>(day.ends + kMidnightGrace, now + kSaltAgeMax)};
  sodium_memzero(key.data(), key.size());
  write();
  return entry.salt;
}

std::shared_ptr<const Salt> Salts::find(SiteId site, Day day) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(Name{site, day});
  return found == entries_.end() ? nullptr : found->second.salt;
}

void Salts::tick(UnixTime now) {
  const std::lock_guard lock(mutex_);
  if (purge(now) || !problem_.empty()) write();
}

std::string Salts::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void Salts::load(UnixTime now) {
  if (!directory_) {
    problem_ = "there is no run directory";
    return;
  }
  // A crash between writing and renaming leaves salts under this name.
  (void)directory_->remove(std::string(kSaltsFile) + ".tmp");
  auto bytes = read_file(*directory_, kSaltsFile, kFileBytesMax);
  if (!bytes) {
    if (bytes.error().code != Code::not_found) log_warn("salts: {}", bytes.error().message);
    return write();  // Says now whether that works.
  }
  const bool is_whole = decode(*bytes);
  wipe_bytes(*bytes);
  if (!is_whole) log_warn("salts: the file is damaged; visitors get new names, once");
  if (purge(now) || !is_whole) write();
}

// Wipes and drops what must not be kept at `now`; says whether there was any.
bool Salts::purge(UnixTime now) {
  return std::erase_if(entries_, [&](const auto& item) {
           const auto& entry = item.second;
           const bool keep = now < entry.dies && now >= entry.made - kClockStepMax;
           if (!keep) entry.salt->wipe();
           return !keep;
         }) > 0;
}

void Salts::write() {
  if (!directory_) return;
  auto bytes = encode();
  const auto written = replace_file(*directory_, kSaltsFile, bytes);
  wipe_bytes(bytes);
  problem_ = written ? std::string() : written.error().message;
  if (written) return;
  // Better no file than one with salts that were to be gone.
  (void)directory_->remove(kSaltsFile);
  (void)directory_->remove(std::string(kSaltsFile) + ".tmp");
}

Buffer Salts::encode() const {
  Buffer bytes;
  bytes.reserve(kFrameBytes +
                entries_.size() * kEntryBytes);  // Once: no copy of a salt stays behind.
  ByteWriter out(bytes);
  out.raw(kMagic);
  out.fixed(static_cast<std::uint32_t>(entries_.size()));
  for (const auto& [name, entry] : entries_) {
    Key128 key;
    ASSERT(entry.salt->read(key));
    out.fixed(name.first.value);
    out.fixed(name.second.since_epoch);
    out.fixed(count_of(entry.made));
    out.fixed(count_of(entry.dies));
    out.raw(key);
    sodium_memzero(key.data(), key.size());
  }
  out.fixed(checksum(bytes, 0));
  return bytes;
}

bool Salts::decode(Bytes bytes) {
  if (bytes.size() < kFrameBytes || (bytes.size() - kFrameBytes) % kEntryBytes != 0) return false;
  const auto body = bytes.first(bytes.size() - sizeof(std::uint64_t));
  if (checksum(body, 0) != nando::load<std::uint64_t>(bytes.data() + body.size())) return false;
  ByteReader in(body);
  if (!std::ranges::equal(in.raw(kMagic.size()), kMagic)) return false;
  if (in.fixed<std::uint32_t>() != (bytes.size() - kFrameBytes) / kEntryBytes) return false;
  while (!in.rest().empty()) {
    const SiteId site{in.fixed<std::uint32_t>()};
    const Day day{in.fixed<std::int32_t>()};
    const auto made = time_of(in.fixed<std::int64_t>());
    const auto dies = time_of(in.fixed<std::int64_t>());
    auto key = in.fixed<Key128>();
    entries_[Name{site, day}] = {std::make_shared<Salt>(key), made, dies};
    sodium_memzero(key.data(), key.size());
  }
  return true;
}

}  // namespace nando
