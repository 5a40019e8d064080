#include "store/scrub.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "disk/simulated_disk.h"
#include "journal/journal.h"

namespace nando {

namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr JournalOptions kSmall{.segment_bytes = 16 << 10,
                                .segment_bytes_hurry = 8 << 10,
                                .segment_bytes_min = 8 << 10,
                                .seal_level = 1};

class ScrubTest : public testing::Test {
 protected:
  ScrubTest() {
    SeededEntropy entropy(1);
    auto journal = Journal::open(disk_, kSmall, clock_, entropy, {},
                                 [](const BatchView&) { return Result<>(); });
    EXPECT_TRUE(journal);
    for (int i = 0; i < 40; ++i) {
      BatchBuilder batch;
      batch.committed = clock_.now();
      batch.add(1, 1, as_bytes("count"), as_bytes(std::string(1000, 'd')));
      EXPECT_TRUE((*journal)->append(batch));
      while ((*journal)->keep().value()) {
      }
    }
    sealed_ = 0;
    for (const auto& [name, bytes] : disk_.image()) sealed_ += name.ends_with(".sealed");
  }
  void flip(const std::string& name, std::size_t at) {
    auto file = disk_.open(name, OpenMode::write).value();
    std::byte byte{};
    ASSERT_TRUE(file->read_at(at, {&byte, 1}));
    byte ^= std::byte{4};
    ASSERT_TRUE(file->write_at(at, Bytes(&byte, 1)));
  }
  // To the end of the pass.
  void pass() {
    for (std::uint64_t i = 0; i <= sealed_; ++i) ASSERT_FALSE(scrub_.step().value());
  }

  SimulatedDisk disk_{1};
  ManualClock clock_;
  Scrub scrub_{disk_, clock_};
  std::uint64_t sealed_ = 0;
};

TEST_F(ScrubTest, ReadsEverySealedSegmentAndBeginsAgain) {
  ASSERT_GT(sealed_, 3U);
  ASSERT_FALSE(scrub_.step().value());
  EXPECT_EQ(scrub_.status().segments, 1U);
  EXPECT_EQ(scrub_.status().last_pass, std::nullopt);
  for (std::uint64_t i = 1; i <= sealed_; ++i) ASSERT_FALSE(scrub_.step().value());
  EXPECT_EQ(scrub_.status().segments, 0U);
  EXPECT_EQ(scrub_.status().last_pass, clock_.now());
  EXPECT_THAT(scrub_.status().damage, IsEmpty());
}

TEST_F(ScrubTest, EachBitThatRotsIsFoundAndToldUntilAPassFindsItMended) {
  const auto whole = disk_.image().at("000000000002.sealed");
  for (std::size_t at = 0; at < whole.size(); at += 13) {
    flip("000000000002.sealed", at);
    pass();
    EXPECT_THAT(scrub_.status().damage, HasSubstr("000000000002.sealed at ")) << at;
    flip("000000000002.sealed", at);
    pass();
    EXPECT_THAT(scrub_.status().damage, IsEmpty()) << at;
  }
}

TEST_F(ScrubTest, ASegmentOfAnotherHistoryIsFound) {
  ASSERT_TRUE(disk_.remove("000000000003.sealed"));
  --sealed_;
  pass();
  EXPECT_THAT(scrub_.status().damage, HasSubstr("000000000004.sealed at 0: it does not continue"));
}

}  // namespace

}  // namespace nando
