// Scrub: reads sealed history again, a segment at a time and around the clock, so that rot is found
// while there still is a backup to restore. What a start reads is checked at the start; this is for
// the rest.
//
// Threads: step() from one; status() from any.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/position.h"
#include "base/result.h"
#include "disk/file.h"

namespace nando {

class Scrub {
 public:
  Scrub(Directory& journal, const Clock& clock) : journal_(journal), clock_(clock) {}

  // Checks the next sealed segment, or begins again with the first. False always: nothing is
  // urgent.
  [[nodiscard]] Result<bool> step();

  struct Status {
    std::uint64_t segments = 0;         // Checked in the pass that is under way.
    std::optional<UnixTime> last_pass;  // When the last whole pass ended.
    std::string damage;  // What the last pass or this one found; empty if all is well.
  };
  Status status() const;

 private:
  Result<std::uint64_t> next_segment() const;
  Result<> check(std::uint64_t number);

  Directory& journal_;
  const Clock& clock_;
  std::uint64_t last_ = 0;       // The segment checked last; 0: a pass begins.
  std::optional<Position> end_;  // Of that segment.
  bool found_ = false;           // Damage, in the pass that is under way.

  mutable std::mutex mutex_;  // Held for a copy.
  Status status_;
};

}  // namespace nando
