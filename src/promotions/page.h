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

Proof make_proof(const PromotionState& promotion, const PageMoment& moment, DrawJudge& judge,
                 const SigningKey& key);

}  // namespace nando
