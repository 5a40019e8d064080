// The event "prize.won": which entry of which promotion won which prize, and nothing of who sent
// it: no code, no receipt, no visitor. Fields: docs/reference/webhooks.md.
#pragma once

#include "base/clock.h"
#include "webhooks/event.h"

namespace nando {

struct PrizeWon {
  std::string id;         // Of the event.
  std::string promotion;  // Its name.
  std::string site;       // Its host.
  std::uint32_t window = 0;
  std::uint64_t entry = 0;
  std::uint32_t prize = 0;
  UnixTime claimed{};
};

Event event_of(const PrizeWon& won);

}  // namespace nando
