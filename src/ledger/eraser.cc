#include "ledger/eraser.h"

#include <algorithm>
#include <utility>

#include "journal/sealed.h"

namespace nando {

Result<> Eraser::note(const BatchView& batch) {
  auto sequence = batch.first;
  for (const auto& record : batch.records) {
    if (is_removal(record.kind)) {
      const auto removal = decode_removal(record);
      if (!removal) return removal.error();
      add(*removal, sequence);
    }
    ++sequence.value;
  }
  return {};
}

void Eraser::add(const RemovalRecord& record, Sequence sequence) {
  const std::lock_guard guard(mutex_);
  waiting_.add(record);
  status_.asked = std::max(status_.asked, sequence);
}

Result<bool> Eraser::step(Journal& journal, Directory& directory) {
  auto done = try_step(journal, directory);
  const std::lock_guard guard(mutex_);
  status_.problem = done ? std::string() : done.error().message;
  return done;
}

Result<bool> Eraser::try_step(Journal& journal, Directory& directory) {
  if (now_.empty() && !begin(journal)) return false;
  if (!left_.empty()) {
    if (auto done = prune(journal, directory, left_.back()); !done) return done.error();
    left_.pop_back();
    const std::lock_guard guard(mutex_);
    ++status_.segments;
    return true;
  }
  const auto wiped = journal.wipe();
  if (!wiped || *wiped) return wiped;
  now_ = {};
  const std::lock_guard guard(mutex_);
  status_.erased = now_asked_;
  return true;
}

// False if there is nothing to do, or not yet: a removal begins a segment, so what it names stands
// in older ones, which will soon be sealed.
bool Eraser::begin(const Journal& journal) {
  // The lock first: a removal that is seen here has begun its segment before.
  const std::lock_guard guard(mutex_);
  const auto sealed = journal.sealed();
  if (waiting_.empty() || !sealed.all) return false;
  now_ = std::exchange(waiting_, {});
  now_asked_ = status_.asked;
  left_ = sealed.numbers;
  status_.segments = 0;
  status_.segments_in_all = left_.size();
  return true;
}

Result<> Eraser::prune(Journal& journal, Directory& directory, std::uint64_t number) {
  const auto index =
      read_sealed_index(directory, number, segment_name(number, SegmentKind::sealed));
  if (!index) return index.error();
  if (!now_.touches(index->header.first, index->last.sequence)) return {};
  const auto removed = journal.remove_details(
      number, [this](const RecordView& record, Sequence sequence, UnixTime committed) {
        return now_.covers(record, {sequence, committed});
      });
  if (!removed) return removed.error();
  const std::lock_guard guard(mutex_);
  status_.records += *removed;
  return {};
}

Eraser::Status Eraser::status() const {
  const std::lock_guard guard(mutex_);
  return status_;
}

}  // namespace nando
