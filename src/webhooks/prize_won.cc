#include "webhooks/prize_won.h"

#include <fmt/core.h>

#include "base/assert.h"
#include "model/day.h"

namespace nando {

namespace {

// Ids, names of promotions and hosts have no character that JSON would want escaped.
std::string quoted(const std::string& text) {
  ASSERT(text.find_first_of("\"\\\n\r\t") == std::string::npos);
  return '"' + text + '"';
}

}  // namespace

Event event_of(const PrizeWon& won) {
  auto body = fmt::format(
      R"({{"event":"prize.won","id":{},"promotion":{},"site":{},"window":{},"entry":{},)"
      R"("prize":{},"claimed":"{}"}})",
      quoted(won.id), quoted(won.promotion), quoted(won.site), won.window, won.entry, won.prize,
      to_string(won.claimed));
  return {.id = won.id, .body = std::move(body)};
}

}  // namespace nando
