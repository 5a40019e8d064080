// What is published of a promotion, for strangers to check: rules, chain, windows that are over,
// their seeds and winners, under a signature.
#pragma once

#include "base/position.h"
#include "counters/entries.h"
#include "prizes/proof.h"
#include "promotions/judge.h"

namespace nando {

// Where the journal stood.
struct PageMoment {
  Position position;
  UnixTime committed{};
};

// Whether there is more to publish at `now` than at `then`, though nobody entered or claimed.
bool has_time_decided(const PromotionState& promotion, UnixTime then, UnixTime now);

// What becomes of it at `now`; the words of the page and of `promotion list`.
PromotionStatus status_of(const PromotionState& promotion, UnixTime now);

Proof make_proof(const PromotionState& promotion, const PageMoment& moment, DrawJudge& judge,
                 const SigningKey& key);

}  // namespace nando
