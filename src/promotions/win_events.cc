#include "promotions/win_events.h"

#include <algorithm>

#include "counters/counters.h"
#include "ledger/ledger.h"
#include "registry/fields.h"

namespace nando {

namespace {

constexpr std::string_view kKind = "webhook";

// Wins that are taken from the ledger at once.
constexpr std::size_t kWinsMax = 1'000;

std::string id_of(const PromotionState& state, std::uint32_t prize) {
  return state.rules->name + "-" + std::to_string(prize);
}

}  // namespace

Result<> WinEvents::open(const std::string& target, Line& line) {
  const auto document = registry_.get(kKind, target);
  if (!document && document.error().code != Code::not_found) return document.error();
  if (document) {
    line.version = document->version;
    for (const auto& [promotion, prize] : document->fields) {
      line.marks[promotion] = parse_number<std::uint32_t>(prize).value_or(0);
    }
    return {};
  }
  const auto ran = run_([&](Ledger& ledger) {
    for (const auto& state : ledger.counters().entries().all()) {
      line.marks[state->rules->name] = static_cast<std::uint32_t>(state->claims.size());
    }
  });
  return ran ? save(target, line) : ran;
}

Result<> WinEvents::save(const std::string& target, Line& line) {
  Fields fields;
  for (const auto& [promotion, prize] : line.marks) fields[promotion] = std::to_string(prize);
  const auto version = registry_.put(kKind, target, fields, line.version);
  if (!version) return version.error();
  line.version = *version;
  return {};
}

// What comes next, oldest first within a promotion, as far as kWinsMax go.
Result<> WinEvents::look(Line& line) {
  std::vector<PrizeWon> wins;
  std::uint64_t waiting = 0;
  const auto ran = run_([&](Ledger& ledger) {
    for (const auto& state : ledger.counters().entries().all()) {
      const auto mark = line.marks[state->rules->name];
      const auto unsent = state->claims.size() - std::min<std::size_t>(mark, state->claims.size());
      waiting += unsent;
      if (unsent == 0 || wins.size() >= kWinsMax) continue;
      for (const auto& [entry, claim] : state->claims) {
        if (claim.prize <= mark || claim.prize > mark + kWinsMax) continue;
        wins.push_back({.id = id_of(*state, claim.prize),
                        .promotion = state->rules->name,
                        .site = state->rules->host,
                        .window = state->window_holding(entry),
                        .entry = entry,
                        .prize = claim.prize,
                        .claimed = claim.at});
      }
    }
  });
  if (!ran) return ran;
  std::ranges::sort(wins, [](const PrizeWon& a, const PrizeWon& b) {
    return std::tie(a.claimed, a.promotion, a.prize) > std::tie(b.claimed, b.promotion, b.prize);
  });
  const std::lock_guard lock(mutex_);
  line.wins = std::move(wins);
  line.waiting = waiting;
  return {};
}

Result<std::optional<Event>> WinEvents::next(const std::string& target) {
  auto& line = [&]() -> Line& {
    const std::lock_guard lock(mutex_);
    return lines_[target];
  }();
  if (line.version == kNoVersion) {
    if (auto opened = open(target, line); !opened) return opened.error();
  }
  if (line.wins.empty()) {
    if (auto looked = look(line); !looked) return looked.error();
  }
  if (line.wins.empty()) return std::optional<Event>();
  return std::optional(event_of(line.wins.back()));
}

Result<> WinEvents::sent(const std::string& target, const Event& event) {
  auto& line = lines_.find(target)->second;
  if (line.wins.empty() || line.wins.back().id != event.id) return {};
  const auto& won = line.wins.back();
  line.marks[won.promotion] = won.prize;
  if (auto saved = save(target, line); !saved) return saved;
  const std::lock_guard lock(mutex_);
  line.wins.pop_back();
  --line.waiting;
  return {};
}

std::uint64_t WinEvents::waiting(const std::string& target) const {
  const std::lock_guard lock(mutex_);
  const auto found = lines_.find(target);
  return found == lines_.end() ? 0 : found->second.waiting;
}

}  // namespace nando
