// ShardedIndex: finds a 27-bit slot by a 64-bit hash. It holds slots, and beside each five bits of
// its hash (four bytes in all); what a slot means, its hash, and whether it is the wanted one are
// the owner's to say. 256 shards, so that growing moves one part in 256 and no commit waits for a
// whole rehash.
//
// Requires hashes that visitors cannot steer: keyed ones.
// Threads: none of its own; the owner may let others read one shard under a lock of that shard.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace nando {

class ShardedIndex {
 public:
  static constexpr std::size_t kShards = 256;
  static constexpr unsigned kSlotBits = 27;
  static constexpr std::uint32_t kSlotsMax = (1U << kSlotBits) - 1;
  static std::size_t shard_of(std::uint64_t hash) { return hash >> 56; }

  // The slot for which `is_wanted` holds, among those with this hash. One that is not has the same
  // five bits once in 32 cases only, so that the owner's memory is seldom looked at in vain.
  template <class IsWanted>
  std::optional<std::uint32_t> find(std::uint64_t hash, IsWanted is_wanted) const {
    const auto& cells = shards_[shard_of(hash)].cells;
    if (cells.empty()) return std::nullopt;
    const auto mask = cells.size() - 1;
    for (auto at = hash & mask; cells[at] != kEmpty; at = (at + 1) & mask) {
      if (may_be(cells[at], hash) && is_wanted(slot_in(cells[at]))) return slot_in(cells[at]);
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
    if (cell == nullptr || *cell == kEmpty || !may_be(*cell, hash)) return std::nullopt;
    return slot_in(*cell);
  }

  // Requires: the slot is not in yet. `hash_of(slot)` gives the hash of any slot that is.
  template <class HashOf>
  void insert(std::uint64_t hash, std::uint32_t slot, HashOf hash_of) {
    ASSERT(slot < kSlotsMax);
    auto& shard = shards_[shard_of(hash)];
    if ((shard.used + 1) * 4 > shard.cells.size() * 3) grow(shard, hash_of);
    place(shard.cells, hash, slot);
    ++shard.used;
  }

  // The same for the slots `first`, `first` + 1, ... with these hashes, shard by shard: where there
  // are many, each shard stays in the cache while it is filled.
  template <class HashOf>
  void insert_all(std::span<const std::uint64_t> hashes, std::uint32_t first, HashOf hash_of) {
    std::array<std::size_t, kShards + 1> ends{};
    for (const auto hash : hashes) ++ends[shard_of(hash) + 1];
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    std::vector<std::pair<std::uint64_t, std::uint32_t>> sorted(hashes.size());
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      sorted[ends[shard_of(hashes[i])]++] = {hashes[i], first + static_cast<std::uint32_t>(i)};
    }
    for (const auto& [hash, slot] : sorted) insert(hash, slot, hash_of);
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
    while (slot_in(cells[gap]) != slot) {
      ASSERT(cells[gap] != kEmpty);
      gap = (gap + 1) & mask;
    }
    for (auto next = (gap + 1) & mask; cells[next] != kEmpty; next = (next + 1) & mask) {
      const auto home = hash_of(slot_in(cells[next])) & mask;
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

  // Bits that say neither the shard nor, in any shard of kSlotsMax, the cell.
  static std::uint32_t tag_of(std::uint64_t hash) { return hash >> 51 & 0x1f; }
  static std::uint32_t cell_of(std::uint64_t hash, std::uint32_t slot) {
    return slot | tag_of(hash) << kSlotBits;
  }
  static std::uint32_t slot_in(std::uint32_t cell) { return cell & kSlotsMax; }
  static bool may_be(std::uint32_t cell, std::uint64_t hash) {
    return cell >> kSlotBits == tag_of(hash);
  }

  const std::uint32_t* first_cell(std::uint64_t hash) const {
    const auto& cells = shards_[shard_of(hash)].cells;
    return cells.empty() ? nullptr : &cells[hash & (cells.size() - 1)];
  }

  static void place(std::vector<std::uint32_t>& cells, std::uint64_t hash, std::uint32_t slot) {
    const auto mask = cells.size() - 1;
    auto at = hash & mask;
    while (cells[at] != kEmpty) at = (at + 1) & mask;
    cells[at] = cell_of(hash, slot);
  }

  template <class HashOf>
  static void grow(Shard& shard, HashOf hash_of) {
    std::vector<std::uint32_t> bigger(shard.cells.empty() ? kCellsMin : shard.cells.size() * 2,
                                      kEmpty);
    for (const auto cell : shard.cells) {
      if (cell != kEmpty) place(bigger, hash_of(slot_in(cell)), slot_in(cell));
    }
    shard.cells = std::move(bigger);
  }

  std::vector<Shard> shards_ = std::vector<Shard>(kShards);
};

}  // namespace nando
