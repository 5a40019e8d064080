#include "snapshot/promotions_part.h"

#include <algorithm>

namespace nando {

namespace {

template <class List, class Item>
void put_list(SnapshotWriter& out, const List& list, Item item) {
  out.put(static_cast<std::uint64_t>(list.size()));
  for (const auto& each : list) item(each);
}

// False where `item` says so, or the bytes end. A count that is wrong costs no more than these: it
// is not known to be right before the checksum at the end was read.
template <class Item>
bool each_of(SnapshotReader& in, Item item) {
  const auto count = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!item() || !in.ok()) return false;
  }
  return in.ok();
}

// In the order of keys: a map has none of its own.
std::vector<std::pair<std::uint64_t, std::uint32_t>> sorted(
    const PromotionState::Entrants& entrants) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> rows(entrants.begin(), entrants.end());
  std::ranges::sort(rows);
  return rows;
}

void put_one(SnapshotWriter& out, const PromotionState& state) {
  out.put(state.id.value);
  out.put(state.site.value);
  out.put_text(state.text);
  out.put(state.intake);
  out.put(state.opened_at);
  out.put(state.closed_at);
  out.put(state.entries);
  out.put(state.link);
  put_list(out, state.ended, [&](const auto& end) {
    out.put(end.last);
    out.put(end.link);
  });
  put_list(out, sorted(state.entrants), [&](const auto& row) {
    out.put(row.first);
    out.put(row.second);
  });
  out.put(static_cast<std::uint8_t>(state.outside ? 1 : 0));
  out.put_text(state.outside.value_or(""));
  out.put(state.revealed_at);
  put_list(out, state.claims, [&](const auto& claim) {
    out.put(claim.first);
    out.put(claim.second.prize);
    out.put(claim.second.at);
  });
}

bool get_one(SnapshotReader& in, PromotionState& state) {
  state.id.value = in.get<std::uint32_t>();
  state.site.value = in.get<std::uint32_t>();
  state.text = in.get_text(kRulesTextBytesMax);
  state.intake = in.get<Intake>();
  state.opened_at = in.get<UnixTime>();
  state.closed_at = in.get<UnixTime>();
  state.entries = in.get<std::uint64_t>();
  state.link = in.get<Hash256>();
  bool good = each_of(in, [&] {
    const auto last = in.get<std::uint64_t>();
    state.ended.push_back({last, in.get<Hash256>()});
    return true;
  });
  std::uint64_t last_key = 0;  // No key is 0.
  good = good && each_of(in, [&] {
           const auto key = in.get<std::uint64_t>();
           const bool follows = key > last_key;
           last_key = key;
           return state.entrants.emplace(key, in.get<std::uint32_t>()).second && follows;
         });
  const auto has_outside = in.get<std::uint8_t>();
  auto outside = in.get_text(kOutsideBytesMax);
  good = good && has_outside == (outside.empty() ? 0 : 1);
  if (has_outside != 0) state.outside = std::move(outside);
  state.revealed_at = in.get<UnixTime>();
  good = good && each_of(in, [&] {
           const auto entry = in.get<std::uint64_t>();
           const auto prize = in.get<std::uint32_t>();
           const bool follows = state.claims.empty() || entry > state.claims.rbegin()->first;
           state.claims[entry] = {prize, in.get<UnixTime>()};
           return follows;
         });
  if (!good || state.intake > Intake::closed) return false;
  auto rules = parse_rules(state.text);
  if (!rules || state.ended.size() > rules->window_count) return false;
  state.rules = std::make_shared<const Promotion>(std::move(*rules));
  return true;
}

}  // namespace

void put_promotions(SnapshotWriter& out, const Entries& entries) {
  put_list(out, entries.all(), [&](const auto& state) { put_one(out, *state); });
}

bool get_promotions(SnapshotReader& in, Entries& into) {
  std::uint32_t id = 0;
  return each_of(in, [&] {
    PromotionState state;
    const bool good = get_one(in, state) && state.id.value == ++id;
    if (good) into.load(std::move(state));
    return good;
  });
}

}  // namespace nando
