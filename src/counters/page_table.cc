#include "counters/page_table.h"

namespace nando {

PageTable::PageTable()
    : chunks_(std::make_unique<std::atomic<Entry*>[]>(kPagesMax / kChunk)),
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

PageId PageTable::add(const PageKey& key, SiteId site) {
  const auto slot = size_.load(std::memory_order_relaxed);
  ASSERT(slot < kPagesMax);
  if (slot % kChunk == 0 && chunks_[slot / kChunk].load(std::memory_order_relaxed) == nullptr) {
    owned_.push_back(std::make_unique<Entry[]>(kChunk));
    chunks_[slot / kChunk].store(owned_.back().get(), std::memory_order_release);
  }
  const PageId page{slot + 1};
  auto& entry = at(page);
  entry.key = key;
  entry.count.store(0, std::memory_order_relaxed);
  entry.site = site.value;
  entry.scratch = 0;
  {
    const std::lock_guard lock(locks_[ShardedIndex::shard_of(hash_of(key))]);
    index_.insert(hash_of(key), slot, [this](std::uint32_t s) { return hash_of_slot(s); });
  }
  size_.store(slot + 1, std::memory_order_release);
  return page;
}

void PageTable::remove_last() {
  const auto slot = size_.load(std::memory_order_relaxed) - 1;
  const auto hash = hash_of_slot(slot);
  size_.store(slot, std::memory_order_release);
  const std::lock_guard lock(locks_[ShardedIndex::shard_of(hash)]);
  index_.erase(hash, slot, [this](std::uint32_t s) { return hash_of_slot(s); });
}

}  // namespace nando
