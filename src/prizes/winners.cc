#include "prizes/winners.h"

#include <algorithm>

#include "base/assert.h"
#include "prizes/draw.h"

namespace nando {

namespace {

// An entry's ordinal is one more than the ordinals before its window, and a position counts within
// the window. Those beyond the entries of a window that was not filled win nothing.
std::vector<std::uint64_t> drawn(const WindowSpan& window, std::uint64_t n, std::uint32_t winners,
                                 const Hash256& seed) {
  auto ordinals = draw(seed, n, winners);
  for (auto& ordinal : ordinals) ordinal += window.first - 1;
  std::erase_if(ordinals, [&](auto ordinal) { return ordinal > window.last; });
  return ordinals;
}

}  // namespace

std::uint32_t window_of(const Promotion& rules, std::uint64_t entry, UnixTime committed) {
  switch (rules.windows) {
    case WindowKind::whole:
      return 1;
    case WindowKind::entries:
      return static_cast<std::uint32_t>(
          std::min<std::uint64_t>((entry - 1) / rules.window_entries, rules.window_count) + 1);
    case WindowKind::times: {
      const auto end = std::ranges::upper_bound(rules.window_ends, committed);
      return static_cast<std::uint32_t>(end - rules.window_ends.begin()) + 1;
    }
  }
  ASSERT(false);
}

WindowSpan span_by_entries(const Promotion& rules, std::uint32_t number, std::uint64_t entries) {
  const auto before = (number - std::uint64_t{1}) * rules.window_entries;
  return {before + 1, std::clamp(entries, before, before + rules.window_entries)};
}

std::vector<std::uint64_t> winners_of(const Promotion& rules, const WindowSpan& window,
                                      const Hash256& seed) {
  switch (rules.rule) {
    case WinRule::exact: {
      std::vector<std::uint64_t> within;
      std::ranges::copy_if(rules.ordinals, std::back_inserter(within), [&](auto ordinal) {
        return ordinal >= window.first && ordinal <= window.last;
      });
      return within;
    }
    case WinRule::every:
      if (window.entries() < rules.window_entries) return {};
      return {window.last};
    case WinRule::instant:
    case WinRule::sealed: {
      const bool by_entries = rules.windows == WindowKind::entries;
      return drawn(window, by_entries ? rules.window_entries : window.entries(), rules.winners,
                   seed);
    }
  }
  ASSERT(false);
}

std::optional<std::uint64_t> next_winner(const Promotion& rules, std::uint64_t entries) {
  if (entries >= entries_max(rules)) return std::nullopt;
  if (rules.rule == WinRule::exact) return *std::ranges::upper_bound(rules.ordinals, entries);
  if (rules.rule != WinRule::every) return std::nullopt;
  return entries - entries % rules.window_entries + rules.window_entries;
}

}  // namespace nando
