#include "counters/retry_window.h"

namespace nando {

void IdTimes::note(Sequence sequence, UnixTime committed) {
  if (marks_.empty() || committed >= marks_.back().at + kMarkEvery)
    marks_.push_back({sequence, committed});
}

void IdTimes::forget(Sequence sequence) {
  if (!marks_.empty() && marks_.back().first == sequence) marks_.pop_back();
}

Sequence IdTimes::expire(UnixTime committed) {
  Sequence first_kept;
  while (!marks_.empty() && marks_.front().at + kMarkEvery + kRetryHours < committed) {
    marks_.pop_front();
    first_kept = marks_.empty() ? Sequence{~std::uint64_t{0}} : marks_.front().first;
  }
  return first_kept;
}

std::optional<UnixTime> RetryWindow::horizon() const {
  if (times_.marks().empty()) return std::nullopt;
  return times_.marks().front().at;
}

void RetryWindow::add(std::uint64_t fingerprint, Sequence sequence, UnixTime committed) {
  place({fingerprint, sequence});
  times_.note(sequence, committed);
}

void RetryWindow::place(const Id& id) {
  ASSERT(!full());
  const auto slot = (first_ + size_) % kSlots;
  auto& chunk = chunks_[slot / kChunk];
  if (chunk == nullptr) chunk = std::make_unique<Id[]>(kChunk);
  chunk[slot % kChunk] = id;
  index_.insert(id.fingerprint, slot, [this](std::uint32_t s) { return at(s).fingerprint; });
  ++size_;
}

void RetryWindow::remove_last() {
  ASSERT(size_ > 0);
  const auto slot = (first_ + size_ - 1) % kSlots;
  index_.erase(at(slot).fingerprint, slot, [this](std::uint32_t s) { return at(s).fingerprint; });
  times_.forget(at(slot).sequence);
  --size_;
}

void RetryWindow::expire(UnixTime committed) {
  const auto first_kept = times_.expire(committed);
  while (size_ > 0 && at(first_).sequence < first_kept) {
    index_.erase(at(first_).fingerprint, first_,
                 [this](std::uint32_t s) { return at(s).fingerprint; });
    const auto next = (first_ + 1) % kSlots;
    if (next % kChunk == 0) chunks_[first_ / kChunk].reset();
    first_ = next;
    --size_;
  }
}

}  // namespace nando
