// SiteCounts: every site's ordinal, base and number of pages, by site id; and the bases of pages,
// which few have.
//
// Threads: one writer (the committer); count(), base() and page_base() from any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/position.h"
#include "model/ids.h"

namespace nando {

class SiteCounts {
 public:
  static constexpr std::uint32_t kSitesMax = 1U << 16;

  // Any thread; 0 for a site that was never counted.
  std::uint64_t count(SiteId site) const;
  std::uint64_t base(SiteId site) const;
  std::uint64_t page_base(PageId page) const;

  // The writer. An entry is made by the site's record and never goes.
  struct Entry {
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint64_t> base{0};
    std::uint32_t pages = 0;    // Introduced so far, "(other)" not counted.
    PageId other;               // The page "(other)"; 0 until it is needed.
    std::uint32_t scratch = 0;  // A number that lasts one commit; 0 between commits.
    std::string host;           // As introduced; empty once the site was removed.
    Sequence expired_to;        // Records up to here keep no details.
    bool removed = false;       // Its hits, should some be under way, keep none.
  };
  Entry* find(SiteId site) { return slot(site).get(); }
  const Entry* find(SiteId site) const { return slot(site).get(); }
  Entry& add(SiteId site, std::string_view host);
  void remove(SiteId site);  // Takes back an add() whose record was not written.
  void set_page_base(PageId page, std::uint64_t base);

  // In the order of ids.
  template <class Visit>
  void each(Visit visit) const {
    for (std::uint32_t id = 1; id < kSitesMax; ++id) {
      if (const auto* entry = find(SiteId{id})) visit(SiteId{id}, *entry);
    }
  }
  std::map<PageId, std::uint64_t> page_bases() const;

 private:
  using Slot = std::unique_ptr<Entry>;
  const Slot& slot(SiteId site) const {
    ASSERT(site.value < kSitesMax);
    return entries_[site.value];
  }

  std::vector<Slot> entries_{kSitesMax};
  std::vector<std::atomic<const Entry*>> published_{kSitesMax};
  std::vector<Slot> retired_;  // Of refused batches; a full disk makes few of them.
  std::atomic<bool> any_page_base_{false};
  mutable std::mutex page_base_mutex_;
  std::map<PageId, std::uint64_t> page_bases_;
};

}  // namespace nando
