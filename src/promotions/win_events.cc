#include "promotions/win_events.h"

#include <algorithm>

#include "counters/counters.h"
#include "ledger/ledger.h"
#include "registry/fields.h"

namespace nando {

namespace {

constexpr std::string_view kKind = "webhook";
constexpr std::string_view kMarkKind = "webhook_mark";
constexpr std::string_view kPrize = "prize";
// Wins that are taken from the ledger at once.
constexpr std::size_t kWinsMax = 1'000;

// With its time, since after a restore the same prize may be another's.
std::string id_of(const PromotionState& state, const PromotionState::Claim& claim) {
  return state.rules->name + "-" + std::to_string(claim.prize) + "-" +
         std::to_string(claim.at.time_since_epoch().count());
}

std::uint32_t claims_of(const PromotionState& state) {
  return static_cast<std::uint32_t>(state.claims.size());
}

// Oldest first within a promotion, kWinsMax at most: no later one is among the first kWinsMax.
void add_wins(std::vector<PrizeWon>& wins, const PromotionState& state, std::uint32_t mark) {
  for (const auto& [entry, claim] : state.claims) {
    if (claim.prize <= mark || claim.prize > mark + kWinsMax) continue;
    wins.push_back({.id = id_of(state, claim),
                    .promotion = state.rules->name,
                    .site = state.rules->host,
                    .window = state.window_holding(entry),
                    .entry = entry,
                    .prize = claim.prize,
                    .claimed = claim.at});
  }
}

}  // namespace

Result<> WinEvents::open(const std::string& target, Line& line) {
  const auto known = registry_.get(kKind, target);
  if (!known && known.error().code != Code::not_found) return known.error();
  const auto kept = registry_.list(kMarkKind);
  if (!kept) return kept.error();
  const auto prefix = target + "/";
  for (const auto& [id, version, fields] : *kept) {
    if (!id.starts_with(prefix)) continue;
    const auto prize = parse_number<std::uint32_t>(field(fields, kPrize));
    line.marks[id.substr(prefix.size())] = {prize.value_or(0), version};
  }
  std::vector<std::string> told;
  const auto ran = run_([&](Ledger& ledger) {
    for (const auto& state : ledger.counters().entries().all()) {
      auto& mark = line.marks[state->rules->name];
      // A restored journal may be of before what its registry says.
      mark.prize = known ? std::min(mark.prize, claims_of(*state)) : claims_of(*state);
      if (!known && mark.prize > 0) told.push_back(state->rules->name);
    }
  });
  if (!ran) return ran;
  for (const auto& promotion : told) {
    if (auto saved = save(target, promotion, line); !saved) return saved;
  }
  if (!known) {
    if (const auto made = registry_.put(kKind, target, {}, kNoVersion); !made) return made.error();
  }
  line.is_open = true;
  return {};
}

Result<> WinEvents::save(const std::string& target, const std::string& promotion, Line& line) {
  auto& mark = line.marks[promotion];
  const auto version =
      registry_.put(kMarkKind, target + "/" + promotion,
                    {{std::string(kPrize), std::to_string(mark.prize)}}, mark.version);
  if (!version) return version.error();
  mark.version = *version;
  return {};
}

// What comes next, oldest first, as far as kWinsMax go.
Result<> WinEvents::look(Line& line) {
  std::vector<PrizeWon> wins;
  std::uint64_t waiting = 0;
  const auto ran = run_([&](Ledger& ledger) {
    for (const auto& state : ledger.counters().entries().all()) {
      const auto mark = line.marks[state->rules->name].prize;
      if (mark >= claims_of(*state)) continue;
      waiting += claims_of(*state) - mark;
      add_wins(wins, *state, mark);
    }
  });
  if (!ran) return ran;
  std::ranges::sort(wins, [](const PrizeWon& a, const PrizeWon& b) {
    return std::tie(a.claimed, a.promotion, a.prize) > std::tie(b.claimed, b.promotion, b.prize);
  });
  if (wins.size() > kWinsMax) wins.erase(wins.begin(), wins.end() - kWinsMax);
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
  if (!line.is_open) {
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
  line.marks[won.promotion].prize = won.prize;
  if (auto saved = save(target, won.promotion, line); !saved) return saved;
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
