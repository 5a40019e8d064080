// UrlMemo: which page a URL is, remembered, because most hits bring a URL that was seen a moment
// ago and taking one apart costs more than all else.
//
// Promise
//   - find() parses nothing and allocates nothing.
//   - Memory is fixed: kEntries entries of kUrlBytes; longer URLs are not remembered.
//   - Whoever does not know the key cannot choose URLs that push each other out
//     (docs/GUARANTEES.md, H5), nor two that are taken for one.
//
// Threads: one.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "model/ids.h"
#include "model/site.h"

namespace nando {

class UrlMemo {
 public:
  static constexpr std::size_t kEntries = 4096;
  static constexpr std::size_t kUrlBytes = 512;

  struct Page {
    const Site* site;
    PageKey page;
    std::string_view url;  // As spelled.
  };

  explicit UrlMemo(const Key128& key)
      : key_(key),
        entries_(kEntries),
        texts_(std::make_unique_for_overwrite<char[]>(kEntries * kUrlBytes)) {}

  // `raw` as sent. What it points to is valid until put() or clear().
  std::optional<Page> find(std::string_view raw) {
    if (raw.size() > kUrlBytes) return std::nullopt;
    const auto hash = siphash128(key_, as_bytes(raw));
    const auto set = set_of(hash);
    for (std::size_t i = set; i < set + kWays; ++i) {
      auto& entry = entries_[i];
      if (entry.site == nullptr || !same_bytes(entry.raw, hash)) continue;
      entry.used = ++turn_;
      return Page{entry.site, entry.page, {text_of(i), entry.url_size}};
    }
    return std::nullopt;
  }

  // Replaces what was used longest ago of those that share its place.
  void put(std::string_view raw, const Page& page) {
    if (raw.size() > kUrlBytes || page.url.size() > kUrlBytes) return;
    const auto hash = siphash128(key_, as_bytes(raw));
    const auto set = entries_.begin() + static_cast<std::ptrdiff_t>(set_of(hash));
    const auto oldest = std::min_element(
        set, set + kWays, [](const auto& a, const auto& b) { return a.used < b.used; });
    std::memcpy(text_of(static_cast<std::size_t>(oldest - entries_.begin())), page.url.data(),
                page.url.size());
    *oldest = {.raw = hash,
               .page = page.page,
               .site = page.site,
               .used = ++turn_,
               .url_size = static_cast<std::uint32_t>(page.url.size())};
  }

  // Forgets everything; needed when sites changed.
  void clear() { std::fill(entries_.begin(), entries_.end(), Entry{}); }

 private:
  static constexpr std::size_t kWays = 4;
  static_assert(kEntries % kWays == 0);

  struct Entry {
    Hash128 raw{};
    PageKey page{};
    const Site* site = nullptr;  // Null: nothing is here.
    std::uint64_t used = 0;
    std::uint32_t url_size = 0;
  };

  static std::size_t set_of(const Hash128& hash) {
    return load<std::uint64_t>(hash.data()) % (kEntries / kWays) * kWays;
  }
  char* text_of(std::size_t entry) const { return texts_.get() + entry * kUrlBytes; }

  Key128 key_;
  std::vector<Entry> entries_;
  std::unique_ptr<char[]> texts_;  // Not touched before it is used, so idle memory stays unmapped.
  std::uint64_t turn_ = 0;
};

}  // namespace nando
