// What the feed's tests share: a journal on a simulated disk, and a warehouse in a folder of its
// own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "disk/simulated_disk.h"
#include "feed/feed.h"
#include "warehouse/duckdb.h"
#include "warehouse/test_folder.h"

namespace nando {

inline constexpr JournalOptions kSmall{.segment_bytes = 64 << 10,
                                       .segment_bytes_hurry = 16 << 10,
                                       .segment_bytes_min = 16 << 10,
                                       .seal_level = 1};

inline UnixTime time_of(std::string_view text) {
  return *parse_time(text);
}

class FeedTest : public testing::Test {
 protected:
  FeedTest() {
    open_journal(1);
    set_zone("Etc/UTC");
  }

  // Another seed is another journal.
  void open_journal(std::uint64_t seed) {
    journal_.reset();
    disk_ = std::make_unique<SimulatedDisk>(seed);
    SeededEntropy entropy(seed);
    auto opened = Journal::open(*disk_, kSmall, clock_, entropy, {},
                                [](const BatchView&) { return Result<>(); });
    ASSERT_TRUE(opened);
    journal_ = std::move(*opened);
    hits_ = 0;
    add([](BatchBuilder& batch) {
      add_record(batch, SiteRecord{SiteId{1}, "a.example.com"});
      add_record(batch, PageRecord{PageId{1}, SiteId{1}, {}, false, "https://a.example.com/"});
    });
  }
  void add(const std::function<void(BatchBuilder&)>& fill) {
    BatchBuilder batch;
    batch.committed = at_;
    fill(batch);
    ASSERT_TRUE(journal_->append(batch));
  }
  void add_hits(std::size_t batches, std::size_t each = 3) {
    for (std::size_t i = 0; i < batches; ++i) {
      add([&](BatchBuilder& batch) {
        for (std::size_t n = 0; n < each; ++n) add_hit(batch, {});
      });
    }
  }
  void add_hit(BatchBuilder& batch, HitRecord hit) {
    hit.site = SiteId{1};
    hit.page = PageId{1};
    hit.page_ordinal = hit.site_ordinal = ++hits_;
    hit.visitor = VisitorId{5};
    const Sequence sequence{journal_->position().sequence.value + batch.records() + 1};
    add_record(batch, hit, {sequence, at_});
  }
  void set_zone(const char* name) {
    Site site;
    site.id = SiteId{1};
    site.host = "a.example.com";
    site.zone = *Zone::find(name);
    std::vector<Site> sites;
    sites.push_back(std::move(site));
    sites_.publish(SiteTable(std::move(sites)));
  }

  std::unique_ptr<Feed> make_feed() {
    return std::make_unique<Feed>(FeedParts{.journal = *disk_,
                                            .sites = sites_,
                                            .durable_end = [this] { return journal_->position(); },
                                            .path = path_});
  }
  void feed_all(Feed& feed) {
    for (;;) {
      const auto more = feed.step();
      ASSERT_TRUE(more) << more.error().message;
      if (!*more) break;
    }
    EXPECT_EQ(feed.status().loaded, journal_->position().sequence);
    EXPECT_FALSE(feed.status().filling);
  }
  // Every hit of the journal once, and no other.
  void expect_exact(Feed& feed) {
    const auto totals = feed.warehouse()->totals(journal_->position().sequence);
    ASSERT_TRUE(totals) << totals.error().message;
    EXPECT_EQ(totals->kinds[0], hits_);
    if (hits_ == 0) return;
    EXPECT_EQ(totals->pages.at(0).page_views, hits_);
    EXPECT_TRUE(totals->pages.at(0).is_exact());
  }
  bool was_set_aside() const { return std::filesystem::exists(path_ + ".aside"); }

  ManualClock clock_;
  SiteTables sites_{SiteTable({})};
  UnixTime at_ = time_of("2026-03-29T00:59:30Z");
  std::unique_ptr<SimulatedDisk> disk_;
  std::unique_ptr<Journal> journal_;
  std::uint64_t hits_ = 0;
  const TestFolder folder_;
  const std::string path_ = folder_ / "warehouse.duckdb";
};

}  // namespace nando
