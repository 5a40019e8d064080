// ShardedIndex: finds a 32-bit slot by a 64-bit hash. It holds slots only (four bytes each); what a
// slot means, its hash, and whether it is the wanted one are the owner's to say. 256 shards, so
// that growing moves one part in 256 and no commit waits for a whole rehash.
//
// Requires hashes that visitors cannot steer: keyed ones.
// Threads: none of its own; the owner may let others read one shard under a lock of that shard.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/assert.h"

namespace nando {

class ShardedIndex {
 public:
  static constexpr std::size_t kShards = 256;
  static std::size_t shard_of(std::uint64_t hash) { return hash >> 56; }

  // The slot for which `is_wanted` holds, among those with this hash.
  template <class IsWanted>
  std::optional<std::uint32_t> find(std::uint64_t hash, IsWanted is_wanted) const {
    const auto& cells = shards_[shard_of(hash)].cells;
    if (cells.empty()) return std::nullopt;
    const auto mask = cells.size() - 1;
    for (auto at = hash & mask; cells[at] != kEmpty; at = (at + 1) & mask) {
      if (is_wanted(cells[at])) return cells[at];
    }
    return std::nullopt;
  }

  // Where a search for this hash begins, into the cache.
  void prefetch(std::uint64_t hash) const {
    if (const auto* cell = first_cell(hash)) __builtin_prefetch(cell);
  }
  // The slot that a search for this hash looks at first, if there is one.
  std::optional<std::uint32_t> first(std::uint64_t hash) const {
    const auto* cell = first_cell(hash);
    if (cell == nullptr || *cell == kEmpty) return std::nullopt;
    return *cell;
  }

  // Requires: the slot is not in yet. `hash_of(slot)` gives the hash of any slot that is.
  template <class HashOf>
  void insert(std::uint64_t hash, std::uint32_t slot, HashOf hash_of) {
    ASSERT(slot != kEmpty);
    auto& shard = shards_[shard_of(hash)];
    if ((shard.used + 1) * 4 > shard.cells.size() * 3) grow(shard, hash_of);
    place(shard.cells, hash, slot);
    ++shard.used;
  }

  // Room for `slots` in all, evenly spread, so that filling it moves nothing. Requires: empty.
  void reserve(std::size_t slots) {
    std::size_t cells = kCellsMin;
    // An eighth more, because no shard gets exactly its share.
    while (cells * 3 < (slots / kShards + slots / kShards / 8) * 4) cells *= 2;
    for (auto& shard : shards_) shard.cells.assign(cells, kEmpty);
  }

  // Requires: the slot is in. Closes the gap, so that nothing is ever marked as deleted.
  template <class HashOf>
  void erase(std::uint64_t hash, std::uint32_t slot, HashOf hash_of) {
    auto& shard = shards_[shard_of(hash)];
    auto& cells = shard.cells;
    const auto mask = cells.size() - 1;
    auto gap = hash & mask;
    while (cells[gap] != slot) {
      ASSERT(cells[gap] != kEmpty);
      gap = (gap + 1) & mask;
    }
    for (auto next = (gap + 1) & mask; cells[next] != kEmpty; next = (next + 1) & mask) {
      const auto home = hash_of(cells[next]) & mask;
      if (((next - home) & mask) >= ((next - gap) & mask)) {
        cells[gap] = cells[next];
        gap = next;
      }
    }
    cells[gap] = kEmpty;
    --shard.used;
  }

 private:
  static constexpr std::uint32_t kEmpty = 0xffffffff;
  static constexpr std::size_t kCellsMin = 16;
  struct Shard {
    std::vector<std::uint32_t> cells;
    std::size_t used = 0;
  };

  const std::uint32_t* first_cell(std::uint64_t hash) const {
    const auto& cells = shards_[shard_of(hash)].cells;
    return cells.empty() ? nullptr : &cells[hash & (cells.size() - 1)];
  }

  static void place(std::vector<std::uint32_t>& cells, std::uint64_t hash, std::uint32_t slot) {
    const auto mask = cells.size() - 1;
    auto at = hash & mask;
    while (cells[at] != kEmpty) at = (at + 1) & mask;
    cells[at] = slot;
  }

  template <class HashOf>
  static void grow(Shard& shard, HashOf hash_of) {
    std::vector<std::uint32_t> bigger(shard.cells.empty() ? kCellsMin : shard.cells.size() * 2,
                                      kEmpty);
    for (const auto slot : shard.cells) {
      if (slot != kEmpty) place(bigger, hash_of(slot), slot);
    }
    shard.cells = std::move(bigger);
  }

  std::vector<Shard> shards_ = std::vector<Shard>(kShards);
};

}  // namespace nando
