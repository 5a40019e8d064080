// PageTable: every page that was ever counted, by id and by key, with its ordinal. No text: 32
// bytes a page and about 7 of index, so 10 million pages are under 400 MiB.
//
// Threads: one writer (the committer), which takes a lock only to add a page; find() and count()
// from any thread.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "counters/sharded_index.h"
#include "model/ids.h"

namespace nando {

class PageTable {
 public:
  static constexpr std::uint32_t kPagesMax = ShardedIndex::kSlotsMax;

  PageTable();
  ~PageTable();

  // Any thread.
  std::optional<PageId> find(const PageKey& key) const;
  std::uint64_t count(PageId page) const { return at(page).count.load(std::memory_order_acquire); }
  SiteId site(PageId page) const { return SiteId{at(page).site & ~kNameless}; }

  // The writer.
  std::optional<PageId> find_unlocked(const PageKey& key) const;
  PageId add(const PageKey& key, SiteId site);
  void reserve(std::uint32_t pages) { index_.reserve(pages); }  // Before the first page.
  // The same for many, with all that is known of them. Before anybody reads.
  struct Row {
    PageKey key{};
    std::uint64_t count = 0;
    SiteId site;
    bool nameless = false;
  };
  void add_all(std::span<const Row> rows);
  void remove_last();  // Takes back the last add().
  void set_count(PageId page, std::uint64_t count) {
    at(page).count.store(count, std::memory_order_release);
  }
  // Whether its URL was removed and not told again.
  bool is_nameless(PageId page) const { return (at(page).site & kNameless) != 0; }
  void drop_name(PageId page) { at(page).site |= kNameless; }
  void give_name(PageId page) { at(page).site &= ~kNameless; }
  const PageKey& key(PageId page) const { return at(page).key; }
  // A number beside the page that lasts one commit; 0 between commits.
  std::uint32_t& scratch(PageId page) { return at(page).scratch; }

  std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  bool contains(PageId page) const { return page.value >= 1 && page.value <= size(); }

 private:
  struct Entry {
    PageKey key;
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint32_t> site{0};  // And kNameless.
    std::uint32_t scratch = 0;
  };
  static_assert(sizeof(Entry) == 32);
  static constexpr std::uint32_t kNameless = 1U << 31;
  static constexpr std::uint32_t kChunk = 1U << 15;  // Entries; a MiB that never moves.

  Entry& append(const PageKey& key, SiteId site);
  Entry& at(PageId page) const {
    const auto slot = page.value - 1;
    return chunks_[slot / kChunk].load(std::memory_order_acquire)[slot % kChunk];
  }
  static std::uint64_t hash_of(const PageKey& key) { return load<std::uint64_t>(key.data()); }
  std::uint64_t hash_of_slot(std::uint32_t slot) const { return hash_of(at(PageId{slot + 1}).key); }

  std::unique_ptr<std::atomic<Entry*>[]> chunks_;
  std::vector<std::unique_ptr<Entry[]>> owned_;  // What chunks_ points to; the writer's.
  ShardedIndex index_;
  mutable std::vector<std::mutex> locks_;  // One a shard of the index.
  std::atomic<std::uint32_t> size_{0};
};

}  // namespace nando
