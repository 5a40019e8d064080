#include "store/scrub.h"

#include "journal/format.h"
#include "journal/sealed.h"
#include "telemetry/log.h"

namespace nando {

Result<bool> Scrub::step() {
  const auto number = next_segment();
  if (!number) return number.error();
  if (*number == 0) {
    const std::lock_guard guard(mutex_);
    if (last_ != 0) status_.last_pass = clock_.now();
    if (!found_) status_.damage.clear();
    status_.segments = 0;
    last_ = 0;
    end_.reset();
    found_ = false;
    return false;
  }
  const auto checked = check(*number);
  last_ = *number;
  const std::lock_guard guard(mutex_);
  ++status_.segments;
  if (checked) return false;
  found_ = true;
  if (status_.damage != checked.error().message) {
    log_error("sealed history is damaged: {}; restore a backup", checked.error().message);
  }
  status_.damage = checked.error().message;
  return false;
}

// The first sealed one after the last; 0 if there is none.
Result<std::uint64_t> Scrub::next_segment() const {
  const auto names = journal_.list();
  if (!names) return names.error();
  for (const auto& name : *names) {
    const auto parsed = parse_segment_name(name);
    if (parsed && parsed->kind == SegmentKind::sealed && parsed->number > last_) {
      return parsed->number;
    }
  }
  return std::uint64_t{0};
}

Result<> Scrub::check(std::uint64_t number) {
  const auto before = end_;
  end_.reset();
  const auto span = check_sealed(journal_, number);
  if (!span) return span.error();
  end_ = span->last;
  const bool follows =
      !before || (before->sequence == span->before.sequence && before->head == span->before.head);
  if (follows) return {};
  return Error{Code::corrupt, journal_.path() + "/" + segment_name(number, SegmentKind::sealed) +
                                  " at 0: it does not continue the segment before it"};
}

Scrub::Status Scrub::status() const {
  const std::lock_guard guard(mutex_);
  return status_;
}

}  // namespace nando
