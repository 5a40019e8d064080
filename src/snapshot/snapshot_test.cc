// Merging a snapshot from a journal that no ledger would write: whose chain is whole, and which
// names pages that are not there. That it gives the ledger's own state is in ledger_test.cc.
#include "snapshot/snapshot.h"

#include <gtest/gtest.h>

#include "base/entropy.h"
#include "disk/simulated_disk.h"
#include "journal/journal.h"

namespace nando {
namespace {

constexpr SiteId kSite{1};

class MergeTest : public testing::Test {
 protected:
  template <class... Record>
  Result<> merge(const Record&... records) {
    batch_.clear();
    batch_.committed = clock_.now();
    (add(records), ...);
    const auto end = journal_->append(batch_).value();
    JournalReader reader(disk_);
    return merge_snapshot(data_, reader, Key128{}, end.sequence);
  }
  void add(const HitRecord& hit) {
    add_record(batch_, hit, {Sequence{batch_.records() + 1}, batch_.committed});
  }
  void add(const auto& record) { add_record(batch_, record); }

  static PageRecord page(std::uint32_t id) {
    return {PageId{id}, kSite, PageKey{std::byte{static_cast<unsigned char>(id)}}, false, "a/"};
  }
  static HitRecord hit(std::uint32_t page, std::uint64_t ordinal) {
    return {.site = kSite, .page = PageId{page}, .page_ordinal = ordinal, .site_ordinal = ordinal};
  }

  SimulatedDisk disk_{1}, data_{2};
  ManualClock clock_;
  SeededEntropy entropy_{1};
  std::unique_ptr<Journal> journal_ =
      Journal::open(disk_, {}, clock_, entropy_, Position{}, [](const BatchView&) -> Result<> {
        return {};
      }).value();
  BatchBuilder batch_;
};

TEST_F(MergeTest, AHitOfAPageThatIsNotThere) {
  ASSERT_TRUE(merge(SiteRecord{kSite, "a.example"}, page(1), hit(1, 1)));
  for (const std::uint32_t id : {0U, 2U, ~0U}) {
    const auto merged = merge(hit(id, 2));
    ASSERT_FALSE(merged) << id;
    EXPECT_EQ(merged.error().code, Code::corrupt) << merged.error().message;
  }
}

TEST_F(MergeTest, ARemovalOfAPageThatIsNotThere) {
  ASSERT_TRUE(merge(SiteRecord{kSite, "a.example"}, page(1)));
  for (const std::uint32_t id : {0U, 2U, ~0U}) {
    const auto merged =
        merge(RemovalRecord{.what = Removal::page, .site = kSite, .page = PageId{id}});
    ASSERT_FALSE(merged) << id;
    EXPECT_EQ(merged.error().code, Code::corrupt) << merged.error().message;
  }
}

TEST_F(MergeTest, OldPagesAndNewOnes) {
  ASSERT_TRUE(merge(SiteRecord{kSite, "a.example"}, page(1), hit(1, 1)));
  ASSERT_TRUE(merge(page(2), hit(2, 1), hit(1, 2), hit(2, 3)));
  Counters counters;
  ASSERT_TRUE(read_snapshot(data_, Key128{}, counters));
  EXPECT_EQ(counters.pages().count(PageId{1}), 2U);
  EXPECT_EQ(counters.pages().count(PageId{2}), 3U);
}

}  // namespace
}  // namespace nando
