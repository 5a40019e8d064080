#include "store/retention.h"

#include <gtest/gtest.h>

#include "disk/simulated_disk.h"

namespace nando {

namespace {

constexpr JournalOptions kSmall{.segment_bytes = 64 << 10,
                                .segment_bytes_hurry = 16 << 10,
                                .segment_bytes_min = 16 << 10,
                                .seal_level = 1};

UnixTime at(int milliseconds) {
  return UnixTime{std::chrono::milliseconds{milliseconds}};
}

// Batches of three records, ten milliseconds apart, the first at 1000; some of them sealed.
TEST(LastBefore, FindsTheLastRecordOfTheBatchesBeforeATime) {
  constexpr int kBatches = 200;
  SimulatedDisk disk(1);
  SeededEntropy entropy(1);
  ManualClock clock;
  auto journal =
      Journal::open(disk, kSmall, clock, entropy, {}, [](const BatchView&) { return Result<>(); });
  ASSERT_TRUE(journal);
  BatchBuilder batch;
  for (int i = 0; i < kBatches; ++i) {
    batch.clear();
    batch.committed = at(1000 + 10 * i);
    for (int n = 0; n < 3; ++n) batch.add(7, 1, {}, {});
    ASSERT_TRUE((*journal)->append(batch));
  }
  while ((*journal)->keep().value()) {
  }
  ASSERT_GT((*journal)->sizes().sealed_bytes, 0U);
  const Sequence end{3 * kBatches};
  JournalReader reader(disk);
  EXPECT_EQ(last_before(reader, end, at(0))->value, 0U);
  EXPECT_EQ(last_before(reader, end, at(1000))->value, 0U) << "not before itself";
  EXPECT_EQ(last_before(reader, end, at(1001))->value, 3U);
  EXPECT_EQ(last_before(reader, end, at(99'999))->value, end.value);
  for (int i = 1; i < kBatches; ++i) {
    EXPECT_EQ(last_before(reader, end, at(1000 + 10 * i))->value, 3U * static_cast<unsigned>(i));
  }
  EXPECT_EQ(last_before(reader, Sequence{}, at(99'999))->value, 0U) << "an empty journal";
}

}  // namespace

}  // namespace nando
