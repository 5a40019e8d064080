// Judge: who knows which entries win. Above the ledger, since that rests on a seed that is no
// record; asked by the commit that decides a claim.
#pragma once

#include <optional>

#include "base/clock.h"

namespace nando {

struct PromotionState;

// Whether an entry won, as far as that is known at `now`.
struct Verdict {
  enum class Kind : std::uint8_t { won, not_drawn, pending } kind = Kind::pending;
  // When it was, or will be, known; nothing if nobody can tell.
  std::optional<UnixTime> known_at;
};
class Judge {
 public:
  virtual ~Judge() = default;
  // A pure function of what it is given and of the promotion's seed. Requires: `entry` is one.
  // Threads: the committer's.
  virtual Verdict judge(const PromotionState& promotion, std::uint64_t entry, UnixTime entered,
                        UnixTime now) = 0;
};

}  // namespace nando
