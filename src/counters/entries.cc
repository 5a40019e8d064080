#include "counters/entries.h"

#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"
#include "model/day.h"
#include "prizes/entry_chain.h"
#include "prizes/winners.h"

namespace nando {

namespace {

// Each key of an entrant with the most it may be seen in a window.
template <class Visit>
void each_key(const Entrant& who, const EntryLimits& limits, Visit visit) {
  visit(who.visitor, limits.visitor);
  visit(who.v4_24, limits.v4_24);
  visit(who.v6_64, limits.v6_64);
  visit(who.v6_56, limits.v6_56);
  visit(who.v6_48, limits.v6_48);
}

// Keys that no limit asks for are neither written nor remembered.
Entrant what_counts(const Entrant& who, const EntryLimits& limits) {
  const auto kept = [](std::uint64_t key, std::uint32_t limit) { return limit == 0 ? 0 : key; };
  return {.visitor = kept(who.visitor, limits.visitor),
          .v4_24 = kept(who.v4_24, limits.v4_24),
          .v6_64 = kept(who.v6_64, limits.v6_64),
          .v6_56 = kept(who.v6_56, limits.v6_56),
          .v6_48 = kept(who.v6_48, limits.v6_48)};
}

void count_in(PromotionState::Entrants& entrants, const Entrant& who) {
  each_key(who, {}, [&](std::uint64_t key, std::uint32_t) {
    if (key != 0) ++entrants[key];
  });
}

void count_out(PromotionState::Entrants& entrants, const Entrant& who) {
  each_key(who, {}, [&](std::uint64_t key, std::uint32_t) {
    if (key == 0) return;
    const auto found = entrants.find(key);
    if (--found->second == 0) entrants.erase(found);
  });
}

// The next number of a window, as far as that goes by entries alone.
bool is_full(const PromotionState& state) {
  const auto& rules = *state.rules;
  return rules.windows == WindowKind::entries &&
         state.entries == (state.ended.size() + 1) * rules.window_entries;
}

// What strangers are told, and hash, byte for byte.
bool is_one_line(std::string_view text) {
  return is_utf8(text) && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

}  // namespace

bool PromotionState::is_over(UnixTime now) const {
  return intake == Intake::closed || now >= rules->closes || entries >= entries_max(*rules);
}

bool PromotionState::takes_entries(UnixTime now) const {
  return intake == Intake::taking && now >= rules->opens && !is_over(now);
}

std::uint32_t PromotionState::window_of(std::uint64_t entry, UnixTime committed) const {
  return nando::window_of(*rules, entry, committed);
}

std::uint32_t PromotionState::windows_begun(UnixTime now) const {
  const auto open = rules->windows == WindowKind::times
                        ? window_of(entries, now)
                        : static_cast<std::uint32_t>(ended.size()) + 1;
  return std::min(open, rules->window_count);
}

std::uint32_t PromotionState::window_holding(std::uint64_t entry) const {
  const auto end = std::ranges::lower_bound(ended, entry, {}, &WindowEnd::last);
  return static_cast<std::uint32_t>(end - ended.begin()) + 1;
}

Window PromotionState::window(std::uint32_t number, UnixTime now) const {
  ASSERT(number >= 1 && number <= rules->window_count);
  const auto ends_at =
      rules->windows == WindowKind::times ? rules->window_ends[number - 1] : rules->closes;
  Window window{.number = number, .over_at = ends_at};
  if (intake == Intake::closed) window.over_at = std::min(closed_at, ends_at);
  if (number <= ended.size()) {
    window.first = number == 1 ? 1 : ended[number - 2].last + 1;
    window.last = ended[number - 1].last;
    window.link = ended[number - 1].link;
    window.is_over = true;
    return window;
  }
  const bool is_open = number == ended.size() + 1;
  window.first = is_open ? (ended.empty() ? 1 : ended.back().last + 1) : entries + 1;
  window.last = entries;
  window.link = link;
  window.is_over = is_over(now) || now >= ends_at;
  return window;
}

Result<> check_opening(const Entries& entries, SiteId site, const Promotion& rules, UnixTime now) {
  if (auto good = check_rules(rules); !good) return good;
  if (rules.closes <= now) return Error{Code::invalid, "closes: that is past already"};
  if (entries.find(rules.name) != nullptr) {
    return Error{Code::conflict, "there is a promotion " + rules.name +
                                     " already; a name is used once, so that nobody takes one "
                                     "draw for another"};
  }
  for (const auto& other : entries.all()) {
    if (other->site != site || other->is_over(now) || !overlap(*other->rules, rules)) continue;
    return Error{Code::conflict, "promotion " + other->rules->name +
                                     " has some of these pages; at most one has a page at a time "
                                     "(nandolytics promotion close " +
                                     other->rules->name + ")"};
  }
  return {};
}

Result<> check_change(const PromotionState& state, const PromotionRecord& record, UnixTime now) {
  const auto no = [&](const std::string& why) {
    return Error{Code::conflict, "promotion " + state.rules->name + " " + why};
  };
  switch (record.act) {
    case PromotionAct::paused:
      if (state.is_over(now)) return no("is over");
      if (state.intake != Intake::taking) return no("is paused already");
      return {};
    case PromotionAct::resumed:
      if (state.is_over(now)) return no("is over");
      if (state.intake != Intake::paused) return no("is not paused");
      return {};
    case PromotionAct::closed:
      if (state.intake == Intake::closed) return no("is closed already");
      return {};
    case PromotionAct::revealed:
      if (state.rules->rule != WinRule::sealed) return no("is not sealed: nothing is mixed in");
      if (state.outside) return no("has its value: " + *state.outside);
      if (!state.is_over(now)) return no("takes entries still: close it, or wait");
      if (now < state.rules->outside_at)
        return no("names a value that is not known before " + to_string(state.rules->outside_at));
      if (record.text.empty()) return no("wants the value that its rules name");
      if (record.text.size() > kOutsideBytesMax) return no("wants a shorter value");
      if (!is_one_line(record.text)) return no("wants a value of one line of UTF-8");
      return {};
    case PromotionAct::opened:
      break;
  }
  return no("is open already");
}

const PromotionState* Entries::find(PromotionId promotion) const {
  const auto at = promotion.value - 1;
  return at < all_.size() ? all_[at].get() : nullptr;
}

const PromotionState* Entries::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(all_, [&](const auto& state) { return state->rules->name == name; });
  return found == all_.end() ? nullptr : found->get();
}

PromotionState* Entries::state_of(PromotionId promotion) {
  return const_cast<PromotionState*>(find(promotion));
}

bool Entries::open(const PromotionRecord& record, UnixTime committed) {
  auto rules = parse_rules(record.text);
  if (record.promotion.value != all_.size() + 1 || !rules || find(rules->name) != nullptr) {
    return false;
  }
  auto state = std::make_unique<PromotionState>();
  state->id = record.promotion;
  state->site = record.site;
  state->text = record.text;
  state->rules = std::make_shared<const Promotion>(std::move(*rules));
  state->opened_at = committed;
  state->link = first_link(sha256(as_bytes(record.text)));
  state->shown = std::make_shared<std::atomic<std::uint64_t>>(0);
  all_.push_back(std::move(state));
  return true;
}

bool Entries::add(const PromotionRecord& record, UnixTime committed) {
  if (record.act == PromotionAct::opened) return open(record, committed);
  auto* state = state_of(record.promotion);
  if (state == nullptr || !check_change(*state, record, committed)) return false;
  switch (record.act) {
    case PromotionAct::paused:
      state->intake = Intake::paused;
      break;
    case PromotionAct::resumed:
      state->intake = Intake::taking;
      break;
    case PromotionAct::closed:
      state->intake = Intake::closed;
      state->closed_at = committed;
      break;
    case PromotionAct::revealed:
      state->outside = record.text;
      state->revealed_at = committed;
      break;
    case PromotionAct::opened:
      break;
  }
  return true;
}

std::optional<EntryRecord> Entries::earned(PromotionId promotion, SiteId site, const Entrant& who,
                                           UnixTime committed) const {
  const auto* state = find(promotion);
  if (state == nullptr || state->site != site || !state->takes_entries(committed)) {
    return std::nullopt;
  }
  const auto& rules = *state->rules;
  // Of a window that is over by time, nobody is left.
  const bool is_fresh = rules.windows == WindowKind::times &&
                        state->window_of(state->entries, committed) > state->ended.size() + 1;
  bool may = true;
  if (!is_fresh) {
    each_key(who, rules.limits, [&](std::uint64_t key, std::uint32_t limit) {
      if (key == 0 || limit == 0 || !may) return;
      const auto found = state->entrants.find(key);
      may = found == state->entrants.end() || found->second < limit;
    });
  }
  if (!may) return std::nullopt;
  return EntryRecord{.promotion = promotion,
                     .ordinal = state->entries + 1,
                     .entrant = what_counts(who, rules.limits)};
}

bool Entries::add(const EntryRecord& record, UnixTime committed) {
  auto* state = state_of(record.promotion);
  if (state == nullptr || record.ordinal != state->entries + 1 ||
      !state->takes_entries(committed)) {
    return false;
  }
  auto& undo = undo_for(*state);
  end_windows(*state, committed);
  ++state->entries;
  state->link = next_link(state->link, {.entry = record.ordinal,
                                        .committed = committed,
                                        .id_digest = record.id_digest,
                                        .secret_hash = record.secret_hash});
  count_in(state->entrants, record.entrant);
  if (!undo.entrants) undo.entered.push_back(record.entrant);
  if (is_full(*state)) end_window(*state);
  return true;
}

bool Entries::add(const ClaimRecord& record, UnixTime committed) {
  auto* state = state_of(record.promotion);
  if (state == nullptr || record.entry == 0 || record.entry > state->entries ||
      record.prize != state->claims.size() + 1) {
    return false;
  }
  if (!state->claims.emplace(record.entry, PromotionState::Claim{record.prize, committed}).second) {
    return false;
  }
  undo_for(*state).claimed.push_back(record.entry);
  return true;
}

// Those that are over by time.
void Entries::end_windows(PromotionState& state, UnixTime now) {
  if (state.rules->windows != WindowKind::times) return;
  const auto begun = state.windows_begun(now);
  while (state.ended.size() + 1 < begun) end_window(state);
}

void Entries::end_window(PromotionState& state) {
  auto& undo = undo_for(state);
  state.ended.push_back({state.entries, state.link});
  if (!undo.entrants) undo.entrants = std::move(state.entrants);
  state.entrants = {};
}

Entries::Undo& Entries::undo_for(PromotionState& state) {
  const auto found = std::ranges::find(undo_, &state, &Undo::state);
  if (found != undo_.end()) return *found;
  return undo_.emplace_back(
      Undo{&state, state.entries, state.link, state.ended.size(), {}, {}, {}});
}

void Entries::begin() {
  undo_.clear();
}

void Entries::publish() {
  for (const auto& undo : undo_) undo.state->shown->store(undo.state->entries);
  undo_.clear();
}

void Entries::take_back() {
  for (auto& undo : undo_) {
    auto& state = *undo.state;
    state.entries = undo.entries;
    state.link = undo.link;
    state.ended.resize(undo.ended);
    if (undo.entrants) state.entrants = std::move(*undo.entrants);
    for (const auto& who : undo.entered) count_out(state.entrants, who);
    for (const auto entry : undo.claimed) state.claims.erase(entry);
  }
  undo_.clear();
}

PromotionTable Entries::table(UnixTime now) const {
  PromotionTable table;
  for (const auto& state : all_) {
    if (state->intake != Intake::taking || state->is_over(now)) continue;
    table.running.push_back({state->id, state->site, state->rules, state->shown});
  }
  return table;
}

void Entries::load(PromotionState state) {
  state.shown = std::make_shared<std::atomic<std::uint64_t>>(state.entries);
  all_.push_back(std::make_unique<PromotionState>(std::move(state)));
}

}  // namespace nando
