#include "counters/page_table.h"

namespace nando {

PageTable::PageTable()
    : chunks_(std::make_unique<std::atomic<Entry*>[]>(kPagesMax / kChunk + 1)),
      locks_(ShardedIndex::kShards) {}

PageTable::~PageTable() = default;

std::optional<PageId> PageTable::find_unlocked(const PageKey& key) const {
  const auto slot = index_.find(
      hash_of(key), [&](std::uint32_t s) { return same_bytes(at(PageId{s + 1}).key, key); });
  if (!slot) return std::nullopt;
  return PageId{*slot + 1};
}

std::optional<PageId> PageTable::find(const PageKey& key) const {
  const std::lock_guard lock(locks_[ShardedIndex::shard_of(hash_of(key))]);
  return find_unlocked(key);
}

// Nobody finds it yet.
PageTable::Entry& PageTable::append(const PageKey& key, SiteId site) {
  const auto slot = size_.load(std::memory_order_relaxed);
  ASSERT(slot < kPagesMax);
  if (slot % kChunk == 0 && chunks_[slot / kChunk].load(std::memory_order_relaxed) == nullptr) {
    owned_.push_back(std::make_unique<Entry[]>(kChunk));
    chunks_[slot / kChunk].store(owned_.back().get(), std::memory_order_release);
  }
  auto& entry = at(PageId{slot + 1});
  entry.key = key;
  entry.count.store(0, std::memory_order_relaxed);
  entry.site = site.value;
  entry.scratch = 0;
  return entry;
}

PageId PageTable::add(const PageKey& key, SiteId site) {
  append(key, site);
  const auto slot = size_.load(std::memory_order_relaxed);
  {
    const std::lock_guard lock(locks_[ShardedIndex::shard_of(hash_of(key))]);
    index_.insert(hash_of(key), slot, [this](std::uint32_t s) { return hash_of_slot(s); });
  }
  size_.store(slot + 1, std::memory_order_release);
  return PageId{slot + 1};
}

void PageTable::add_all(std::span<const Row> rows) {
  const auto first = size_.load(std::memory_order_relaxed);
  std::vector<std::uint64_t> hashes;
  hashes.reserve(rows.size());
  for (const auto& row : rows) {
    auto& entry = append(row.key, row.site);
    entry.count.store(row.count, std::memory_order_relaxed);
    if (row.nameless) entry.site |= kNameless;
    hashes.push_back(hash_of(row.key));
    size_.fetch_add(1, std::memory_order_release);
  }
  index_.insert_all(hashes, first, [this](std::uint32_t s) { return hash_of_slot(s); });
}

void PageTable::remove_last() {
  const auto slot = size_.load(std::memory_order_relaxed) - 1;
  const auto hash = hash_of_slot(slot);
  size_.store(slot, std::memory_order_release);
  const std::lock_guard lock(locks_[ShardedIndex::shard_of(hash)]);
  index_.erase(hash, slot, [this](std::uint32_t s) { return hash_of_slot(s); });
}

}  // namespace nando
