#include "journal/journal.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/assert.h"
#include "journal/recovery.h"
#include "journal/sealed.h"

namespace nando {

namespace {

// A full disk is asked again no more often than this.
constexpr std::chrono::milliseconds kFullRetry{50};
// A step of keep() costs; one that failed is not tried again before this.
constexpr std::chrono::milliseconds kKeepRetry{200};
constexpr const char* kSpareName = "spare.tmp";
constexpr const char* kReserveName = "reserve.tmp";
constexpr const char* kHurryName = "hurry.tmp";
// Of the free space, at most this share goes into one prepared segment.
constexpr std::uint64_t kFreeShare = 4;
// With less left in it, a segment that a batch did not fit in is as good as full.
constexpr std::uint64_t kRestBytesMax = 64 << 10;
constexpr std::array<std::byte, kBlockBytes> kZeros{};

// What append() and keep() share. The lock is held over a rename and a directory sync at most.
struct Segments {
  std::mutex lock;
  std::map<std::uint64_t, LiveSegment> live;  // Those after `active` are blank.
  std::map<std::uint64_t, std::uint64_t> sealed;
  std::uint64_t active = 0;    // The last one in use.
  bool active_used = false;    // It holds a batch.
  bool active_closed = false;  // It takes no more, though there is none after it.

  std::uint64_t last() const {
    return std::max(live.empty() ? 0 : live.rbegin()->first,
                    sealed.empty() ? 0 : sealed.rbegin()->first);
  }
  // The oldest that takes no more batches and is not sealed, or 0.
  std::uint64_t full() const {
    if (live.empty()) return 0;
    const auto oldest = live.begin()->first;
    return oldest < active || (oldest == active && active_closed) ? oldest : 0;
  }
  std::uint64_t largest() const {
    std::uint64_t bytes = 0;
    for (const auto& [number, segment] : live) bytes = std::max(bytes, segment.bytes);
    return bytes;
  }
  // The prepared one, or 0.
  std::uint64_t spare() const {
    const auto next = live.upper_bound(active);
    return next == live.end() ? 0 : next->first;
  }
};

class DiskJournal final : public Journal {
 public:
  DiskJournal(Directory& directory, const JournalOptions& options, const Clock& clock,
              const Recovered& recovered, std::unique_ptr<File> active);

  Result<Position> append(const BatchBuilder& batch) override;
  Result<bool> keep() override;
  void begin_life(const Epoch& epoch) override {
    end_.epoch = epoch;
    active_ = nullptr;
  }
  Result<> begin_segment() override;
  Result<std::uint64_t> remove_details(std::uint64_t number, const Forget& forget) override;
  Result<bool> wipe() override;
  const Recovery& recovery() const override { return recovery_; }
  Position position() const override {
    const std::lock_guard guard(published_lock_);
    return position_;
  }
  Key128 hash_key() const override { return keys_.hash_key; }
  std::string failure() const override {
    const std::lock_guard guard(published_lock_);
    return failure_;
  }
  Sizes sizes() const override;
  Sealed sealed() const override;
  Sequence sealed_to() const override {
    return Sequence{sealed_to_.load(std::memory_order_acquire)};
  }

 private:
  Result<> make_room(std::uint64_t batch_bytes);
  void close_active();
  Result<std::uint64_t> make_segment(const char* temporary, std::uint64_t bytes,
                                     std::uint64_t least);
  Result<> check_free(std::uint64_t segment_bytes);
  std::uint64_t halve(std::uint64_t bytes) const {
    return std::max(options_.segment_bytes_min, bytes / 2 / kBlockBytes * kBlockBytes);
  }
  Result<std::uint64_t> take_segment(std::uint64_t bytes);
  Result<> name_segment(const char* temporary, std::uint64_t number, std::uint64_t bytes);
  Result<> write(const BatchHeader& header, const BatchBuilder& batch);
  void publish();
  Error fail(const Error& error);
  Result<bool> prepare();
  Result<> use_reserve();
  Result<bool> seal();
  Result<> retire(std::uint64_t number);
  Result<> blank_reserve();

  Directory& directory_;
  const JournalOptions options_;
  const Clock& clock_;
  const Recovery recovery_;
  const JournalKeys keys_;

  // The appending thread's.
  std::unique_ptr<File> active_;
  std::uint64_t active_number_ = 0;
  std::uint64_t active_bytes_ = 0;
  std::uint64_t active_end_ = 0;  // Where the next batch begins; 0 before the header block.
  Position end_;
  std::optional<std::chrono::nanoseconds> full_at_;
  HeaderBlock header_block_;
  BatchHeaderBytes batch_header_;

  // The keeping thread's.
  std::chrono::nanoseconds prepare_not_before_{};
  std::chrono::nanoseconds seal_not_before_{};
  Reserve reserve_;

  mutable Segments segments_;

  mutable std::mutex published_lock_;  // Held for a copy.
  Position position_;
  std::string failure_;
  std::atomic<bool> failed_ = false;
  std::atomic<std::uint64_t> sealed_to_ = 0;
};

DiskJournal::DiskJournal(Directory& directory, const JournalOptions& options, const Clock& clock,
                         const Recovered& recovered, std::unique_ptr<File> active)
    : directory_(directory),
      options_(options),
      clock_(clock),
      recovery_(recovered.report),
      keys_(recovered.keys),
      active_(std::move(active)),
      active_number_(recovered.active),
      active_bytes_(recovered.active == 0 ? 0 : recovered.live.at(recovered.active).bytes),
      active_end_(recovered.active_end),
      end_(recovered.report.last),
      position_(end_) {
  segments_.live = recovered.live;
  segments_.sealed = recovered.sealed;
  segments_.active = recovered.last_used;
  segments_.active_used = recovered.active_end > kBlockBytes || recovered.active == 0;
}

Result<Position> DiskJournal::append(const BatchBuilder& batch) {
  ASSERT(batch.records() > 0 && batch.records() <= kBatchRecordsMax);
  ASSERT(batch.bytes() <= kBatchBytesMax);
  if (failed_.load(std::memory_order_relaxed)) return Error{Code::io, failure()};

  BatchHeader header;
  header.records = batch.records();
  header.count_bytes = static_cast<std::uint32_t>(batch.count_part().size());
  header.detail_bytes = static_cast<std::uint32_t>(batch.detail_part().size());
  if (active_ == nullptr || active_end_ + header.bytes_on_disk() > active_bytes_) {
    if (auto room = make_room(header.bytes_on_disk()); !room) {
      if (room.error().code == Code::full) close_active();
      return room.error();
    }
  }
  header.mac_key = batch.mac_key;
  header.segment = active_number_;
  header.first.value = end_.sequence.value + 1;
  header.committed = batch.committed;
  header.epoch = end_.epoch;
  header.before = end_.head;
  header.count_hash = blake2b(batch.count_part());
  header.detail_hash = blake2b(batch.detail_part());
  header.after = next_head(header.before, header.first, header.records, header.committed,
                           header.mac_key, header.count_hash, header.detail_hash);
  const bool first = active_end_ <= kBlockBytes;
  if (auto written = write(header, batch); !written) return fail(written.error());
  if (first) {
    const std::lock_guard guard(segments_.lock);
    segments_.active_used = true;
  }
  end_.sequence.value += header.records;
  end_.head = header.after;
  publish();
  return end_;
}

// One write, one sync. The first batch of a segment takes the segment's header block with it.
Result<> DiskJournal::write(const BatchHeader& header, const BatchBuilder& batch) {
  encode(header, batch.count_part(), batch.detail_part(), keys_.seed, batch_header_);
  const auto padding =
      header.bytes_on_disk() - kBatchHeaderBytes - header.count_bytes - header.detail_bytes;
  const std::array<Bytes, 5> parts{header_block_, batch_header_, batch.count_part(),
                                   batch.detail_part(), Bytes(kZeros).first(padding)};
  const bool first = active_end_ == 0;
  if (first) {
    encode(SegmentHeader{active_number_, active_bytes_, end_.epoch, options_.node, header.first,
                         header.before, clock_.now(), keys_},
           header_block_);
  }
  const auto from_part = std::span(parts).subspan(first ? 0 : 1);
  if (auto done = active_->write_at(active_end_, from_part); !done) return done;
  if (auto done = active_->sync(); !done) return done;
  active_end_ = std::max(active_end_, kBlockBytes) + header.bytes_on_disk();
  return {};
}

void DiskJournal::publish() {
  const std::lock_guard guard(published_lock_);
  position_ = end_;
}

Error DiskJournal::fail(const Error& error) {
  const std::lock_guard guard(published_lock_);
  failure_ = "the journal has failed and must be reopened: " + error.message;
  failed_.store(true, std::memory_order_relaxed);
  return {Code::io, failure_};
}

// On success the next batch begins at active_end_ and fits.
Result<> DiskJournal::make_room(std::uint64_t batch_bytes) {
  auto number = take_segment(kBlockBytes + batch_bytes);
  if (!number) {
    return number.error().code == Code::full ? number.error() : fail(number.error());
  }
  auto file = directory_.open(segment_name(*number, SegmentKind::live), OpenMode::write);
  if (!file) return fail(file.error());
  active_ = std::move(*file);
  active_number_ = *number;
  active_end_ = 0;
  const std::lock_guard guard(segments_.lock);
  if (const auto old = segments_.live.find(segments_.active); old != segments_.live.end()) {
    old->second.end = end_;
  }
  active_bytes_ = segments_.live.at(*number).bytes;
  segments_.active = *number;
  segments_.active_used = segments_.active_closed = false;
  return {};
}

// There is no room for another segment, so the one in use is given to keep(): sealed, it is room.
// Not while smaller batches still find room in it.
void DiskJournal::close_active() {
  if (active_ == nullptr || active_end_ <= kBlockBytes) return;
  if (active_bytes_ - active_end_ > kRestBytesMax) return;
  active_ = nullptr;
  const std::lock_guard guard(segments_.lock);
  segments_.live.at(segments_.active).end = end_;
  segments_.active_closed = true;
}

// A blank segment of `bytes`, or of less where they are not to be had, down to `least`; its size.
Result<std::uint64_t> DiskJournal::make_segment(const char* temporary, std::uint64_t bytes,
                                                std::uint64_t least) {
  for (;; bytes = std::max(least, halve(bytes))) {
    auto made = check_free(bytes);
    if (made) made = make_zeros(directory_, temporary, bytes);
    if (made) return bytes;
    if (made.error().code != Code::full || bytes <= least) return made.error();
  }
}

// Code::full unless a segment of `segment_bytes` leaves room for a sealed copy of the largest,
// which may be as large as that: a disk that segments filled to the brim could seal none, and would
// stay full.
Result<> DiskJournal::check_free(std::uint64_t segment_bytes) {
  const auto free = directory_.free_bytes();
  if (!free) return free.error();
  const std::lock_guard guard(segments_.lock);
  const auto kept = std::max(segment_bytes, segments_.largest());
  if (segment_bytes + kept <= *free) return {};
  return Error{Code::full, "no space for another segment in " + directory_.path() + ": " +
                               std::to_string(*free) + " bytes are free, " +
                               std::to_string(segment_bytes) + " are needed and " +
                               std::to_string(kept) + " more to seal"};
}

// The number of a blank, named segment of at least `bytes`.
Result<std::uint64_t> DiskJournal::take_segment(std::uint64_t bytes) {
  const auto fitting_spare = [&]() -> std::uint64_t {
    const auto spare = segments_.spare();
    return spare != 0 && segments_.live.at(spare).bytes >= bytes ? spare : 0;
  };
  {
    const std::lock_guard guard(segments_.lock);
    if (const auto spare = fitting_spare()) return spare;
  }
  if (full_at_ && clock_.monotonic() - *full_at_ < kFullRetry) {
    return Error{Code::full, "no space for the journal in " + directory_.path()};
  }
  full_at_.reset();
  auto made = make_segment(kHurryName, std::max(bytes, options_.segment_bytes_hurry),
                           std::max(bytes, options_.segment_bytes_min));
  if (made) {
    const std::lock_guard guard(segments_.lock);
    // keep() may have come first; a spare that is too small gives way.
    if (const auto spare = fitting_spare()) return spare;
    const auto spare = segments_.spare();
    const auto number = spare != 0 ? spare : segments_.last() + 1;
    if (auto named = name_segment(kHurryName, number, *made); !named) return named.error();
    return number;
  }
  if (made.error().code == Code::full) full_at_ = clock_.monotonic();
  return made.error();
}

// Requires the lock.
Result<> DiskJournal::name_segment(const char* temporary, std::uint64_t number,
                                   std::uint64_t bytes) {
  const auto name = segment_name(number, SegmentKind::live);
  if (auto renamed = directory_.rename(temporary, name); !renamed) {
    static_cast<void>(directory_.remove(temporary));
    return renamed;
  }
  segments_.live.erase(number);
  if (auto synced = directory_.sync(); !synced) {
    static_cast<void>(directory_.remove(name));
    return synced;
  }
  segments_.live[number].bytes = bytes;
  return {};
}

Result<bool> DiskJournal::keep() {
  if (failed_.load(std::memory_order_relaxed)) return false;
  const auto attempt = [&](std::chrono::nanoseconds& not_before,
                           Result<bool> (DiskJournal::*step)()) -> Result<bool> {
    const auto began = clock_.monotonic();
    if (began < not_before) return false;
    const auto done = (this->*step)();
    // Soon, since space may be back; but a step that takes long shall not fill a core with failing.
    const auto now = clock_.monotonic();
    if (!done) not_before = now + std::max<std::chrono::nanoseconds>(kKeepRetry, 4 * (now - began));
    return done;
  };
  const auto prepared = attempt(prepare_not_before_, &DiskJournal::prepare);
  if (prepared && *prepared) return true;
  // On a full disk this is what makes room.
  const auto sealed = attempt(seal_not_before_, &DiskJournal::seal);
  if (sealed && *sealed) return true;
  if (!prepared || !sealed) return prepared ? sealed : prepared;
  // Not urgent, so it does not count as something to do: a step of it each time there is nothing.
  if (auto done = blank_reserve(); !done) return done.error();
  return false;
}

Result<bool> DiskJournal::seal() {
  std::uint64_t number = 0;
  Position end;
  {
    const std::lock_guard guard(segments_.lock);
    number = segments_.full();
    if (number == 0) return false;
    end = segments_.live.at(number).end;
  }
  const auto bytes = seal_segment(directory_, number, end, options_.seal_level);
  if (!bytes) return bytes.error();
  // The copy is durable and was read back; should removing fail, sealing again does no harm.
  if (auto done = retire(number); !done) return done.error();
  {
    const std::lock_guard guard(segments_.lock);
    segments_.live.erase(number);
    segments_.sealed[number] = *bytes;
  }
  sealed_to_.store(end.sequence.value, std::memory_order_release);
  if (auto done = directory_.sync(); !done) return done.error();
  return true;
}

// Keeps the file of a sealed segment for a later one, or removes it.
Result<> DiskJournal::retire(std::uint64_t number) {
  const auto name = segment_name(number, SegmentKind::live);
  std::uint64_t bytes = 0;
  {
    const std::lock_guard guard(segments_.lock);
    bytes = segments_.live.at(number).bytes;
  }
  const auto free = directory_.free_bytes();
  const bool keeps =
      !reserve_.taken() && bytes == options_.segment_bytes && free && bytes <= *free / kFreeShare;
  if (!keeps) return remove_in_steps(directory_, name);
  const auto taken = reserve_.take(directory_, name, kReserveName);
  return taken ? Result<>() : taken.error();
}

Result<> DiskJournal::begin_segment() {
  if (failed_.load(std::memory_order_relaxed)) return Error{Code::io, failure()};
  if (active_ == nullptr || active_end_ <= kBlockBytes) return {};
  return make_room(kBlockBytes);
}

Result<std::uint64_t> DiskJournal::remove_details(std::uint64_t number, const Forget& forget) {
  const auto pruned = prune_segment(directory_, number, forget, options_.seal_level);
  if (!pruned) return pruned.error();
  const std::lock_guard guard(segments_.lock);
  segments_.sealed[number] = pruned->bytes;
  return pruned->records;
}

Result<bool> DiskJournal::wipe() {
  if (!reserve_.taken() || reserve_.blank()) return false;
  if (auto done = blank_reserve(); !done) return done.error();
  return true;
}

Result<> DiskJournal::blank_reserve() {
  if (!reserve_.taken() || reserve_.blank()) return {};
  auto done = reserve_.blank_some();
  if (!done) {
    reserve_.drop();
    static_cast<void>(directory_.remove(kReserveName));
  }
  return done;
}

// Makes the reserve the spare.
Result<> DiskJournal::use_reserve() {
  while (!reserve_.blank()) {
    if (auto done = blank_reserve(); !done) return done;
  }
  const auto bytes = reserve_.bytes();
  reserve_.drop();
  const std::lock_guard guard(segments_.lock);
  return name_segment(kReserveName, segments_.last() + 1, bytes);
}

Result<bool> DiskJournal::prepare() {
  {
    const std::lock_guard guard(segments_.lock);
    if (segments_.spare() != 0 || !segments_.active_used) return false;
  }
  if (reserve_.taken()) {
    if (auto done = use_reserve(); !done) return done.error();
    return true;
  }
  const auto free = directory_.free_bytes();
  if (!free) return free.error();
  auto bytes = options_.segment_bytes;
  while (bytes > options_.segment_bytes_min && bytes > *free / kFreeShare) bytes = halve(bytes);
  const auto made = make_segment(kSpareName, bytes, options_.segment_bytes_min);
  if (!made) return made.error();
  const std::lock_guard guard(segments_.lock);
  if (auto named = name_segment(kSpareName, segments_.last() + 1, *made); !named) {
    return named.error();
  }
  return true;
}

Journal::Sizes DiskJournal::sizes() const {
  const std::lock_guard guard(segments_.lock);
  Sizes sizes;
  for (const auto& [number, segment] : segments_.live) sizes.live_bytes += segment.bytes;
  for (const auto& [number, bytes] : segments_.sealed) sizes.sealed_bytes += bytes;
  sizes.segments = segments_.live.size() + segments_.sealed.size();
  return sizes;
}

Journal::Sealed DiskJournal::sealed() const {
  const std::lock_guard guard(segments_.lock);
  Sealed sealed{.all = segments_.full() == 0};
  for (const auto& [number, bytes] : segments_.sealed) sealed.numbers.push_back(number);
  return sealed;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(Directory& directory, const JournalOptions& options,
                                               const Clock& clock, Entropy& entropy, Position from,
                                               const Replay& replay) {
  ASSERT(options.segment_bytes % kBlockBytes == 0 && options.segment_bytes_min % kBlockBytes == 0);
  ASSERT(options.segment_bytes_hurry % kBlockBytes == 0);
  ASSERT(options.segment_bytes >= options.segment_bytes_hurry &&
         options.segment_bytes_hurry >= options.segment_bytes_min &&
         options.segment_bytes_min >= kSegmentBytesMin);
  auto recovered = recover(directory, from, replay);
  if (!recovered) return recovered.error();
  if (!*recovered) {
    auto created = create_first(directory, options, clock, entropy);
    if (!created) return created.error();
    *recovered = std::move(*created);
  }
  std::unique_ptr<File> active;
  if ((*recovered)->active != 0) {
    auto file =
        directory.open(segment_name((*recovered)->active, SegmentKind::live), OpenMode::write);
    if (!file) return file.error();
    active = std::move(*file);
  }
  return std::unique_ptr<Journal>(
      std::make_unique<DiskJournal>(directory, options, clock, **recovered, std::move(active)));
}

}  // namespace nando
