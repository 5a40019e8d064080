// Windows and winners: which window an entry is in and who wins in a window, as the rules say.
// Pure: the ledger, the page that publishes and the check of what was published all ask here.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/promotion.h"

namespace nando {

// A window's entries. None: last = first - 1.
struct WindowSpan {
  std::uint64_t first = 1;
  std::uint64_t last = 0;

  std::uint64_t entries() const { return last + 1 - first; }
  bool operator==(const WindowSpan&) const = default;
};

// The number, from 1, of the window of an entry; window_count + 1 for one that comes too late.
std::uint32_t window_of(const Promotion& rules, std::uint64_t entry, UnixTime committed);

// Of windows by entries, when `entries` have been made: what window `number` holds so far.
WindowSpan span_by_entries(const Promotion& rules, std::uint32_t number, std::uint64_t entries);

// The ordinals of the entries that win in a window that is over, rising. `seed` is the window's
// (prizes/seed_chain.h) where the rule draws, and not looked at where it does not.
std::vector<std::uint64_t> winners_of(const Promotion& rules, const WindowSpan& window,
                                      const Hash256& seed);

// The next entry that wins when `entries` have been made, where that can be told beforehand (exact
// and every); nothing where it is drawn, or where none will win any more.
std::optional<std::uint64_t> next_winner(const Promotion& rules, std::uint64_t entries);

}  // namespace nando
