#include "journal/journal.h"

#include <filesystem>
#include <thread>

#include "journal/recovery.h"
#include "journal/test_store.h"

namespace nando {

namespace {

TEST_F(JournalTest, WhatWasAppendedIsReplayedInOrderAfterReopening) {
  Position last;
  {
    auto journal = open();
    EXPECT_EQ(journal->position().sequence.value, 0U);
    for (std::size_t i = 0; i < 40; ++i) last = append(*journal, 1 + i % 5, i * 30);
    EXPECT_EQ(last.sequence.value, written_.size());
    EXPECT_EQ(journal->position(), last);
  }
  auto journal = open();
  EXPECT_TRUE(replayed_ == written_);
  EXPECT_EQ(journal->position(), last);
  EXPECT_EQ(journal->recovery().last, last);
  EXPECT_EQ(journal->recovery().batches_replayed, 40U);
  EXPECT_EQ(journal->recovery().bytes_cut, 0U);
  append(*journal, 3);
  journal = open();
  EXPECT_TRUE(replayed_ == written_);
}

TEST_F(JournalTest, WorksTheSameOnARealDisk) {
  const auto path = testing::TempDir() + "/journal_test";
  std::filesystem::remove_all(path);
  const auto real = *open_directory(path, IfMissing::create);
  directory_ = real.get();
  auto journal = open();
  for (std::size_t i = 0; i < 30; ++i) {
    append(*journal, 1 + i % 4, 400);
    keep_all(*journal);
  }
  EXPECT_GT(journal->sizes().sealed_bytes, 0U);
  journal = open();
  EXPECT_TRUE(replayed_ == written_);
  journal.reset();
  std::filesystem::remove_all(path);
}

TEST_F(JournalTest, ReplayBeginsAfterTheMarkInLiveAndInSealedSegments) {
  std::vector<std::pair<Position, std::size_t>> marks;
  auto journal = open();
  marks.emplace_back(journal->position(), 0);
  for (int i = 0; i < 30; ++i) {
    const auto mark = append(*journal, 3, 1000);
    marks.emplace_back(mark, written_.size());
  }
  for (const bool sealed : {false, true}) {
    if (sealed) keep_all(*journal);
    EXPECT_EQ(journal->sizes().sealed_bytes > 0, sealed);
    for (const auto& [mark, records] : marks) {
      journal = open(mark);
      EXPECT_TRUE(replayed_ ==
                  TestRecords(written_.begin() + static_cast<long>(records), written_.end()));
    }
  }
}

TEST_F(JournalTest, AMarkOfAnotherLifeIsAConflict) {
  Position middle;
  {
    auto journal = open();
    for (int i = 0; i < 30; ++i) {
      const auto mark = append(*journal, 3, 1000);
      if (i == 11) middle = mark;
    }
    keep_all(*journal);
  }
  auto other_head = middle;
  other_head.head[0] ^= std::byte{1};
  auto other_epoch = middle;
  other_epoch.epoch[0] ^= std::byte{1};
  auto inside_a_batch = middle;
  inside_a_batch.sequence.value -= 1;
  auto past_the_end = middle;
  past_the_end.sequence.value = written_.size() + 1;
  for (const auto& mark : {other_head, other_epoch, inside_a_batch, past_the_end}) {
    EXPECT_EQ(refusal(mark), Code::conflict);
    EXPECT_TRUE(replayed_.empty());
  }
  SimulatedDisk empty(2);
  directory_ = &empty;
  EXPECT_EQ(refusal(middle), Code::conflict);
}

TEST_F(JournalTest, AnErrorOfTheReplayEndsItAndIsReturned) {
  append(*open(), 3);
  const auto refuse = [](const BatchView&) -> Result<> { return Error{Code::invalid, "enough"}; };
  const auto opened = Journal::open(disk_, kSmall, clock_, entropy_, Position{}, refuse);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "enough");
}

TEST_F(JournalTest, ABatchMayBeAsBigAsTheLimitAndNoBigger) {
  auto journal = open();
  append(*journal, 1);
  append(*journal, kBatchRecordsMax, 0);
  const auto at_limit = std::string(kRecordBytesMax - 1, 'x');
  batch_.clear();
  while (batch_.bytes() + kRecordBytesMax + 8 <= kBatchBytesMax) {
    batch_.add(1, 1, as_bytes("c"), as_bytes(at_limit));
  }
  EXPECT_TRUE(journal->append(batch_));
  EXPECT_DEATH(batch_.add(1, 1, as_bytes("cc"), as_bytes(at_limit)), "kRecordBytesMax");
  batch_.add(1, 1, {}, as_bytes(at_limit));
  EXPECT_DEATH(static_cast<void>(journal->append(batch_)), "kBatchBytesMax");
  fill(kBatchRecordsMax + 1, 0);
  EXPECT_DEATH(static_cast<void>(journal->append(batch_)), "kBatchRecordsMax");
  batch_.clear();
  EXPECT_DEATH(static_cast<void>(journal->append(batch_)), "records");
  keep_all(*journal);
  EXPECT_EQ(open()->position().sequence.value, 1 + kBatchRecordsMax + 511);
}

TEST_F(JournalTest, OneAppendIsOneWriteAndOneSync) {
  auto journal = open();
  append(*journal, 1);
  const auto before = disk_.calls();
  append(*journal, 5, 100);
  EXPECT_EQ(disk_.calls() - before, 2U);
}

TEST_F(JournalTest, AFullDiskIsSaidAndForgottenWhenThereIsSpaceAgain) {
  auto journal = open();
  append(*journal, 1, 10'000);
  disk_.set_capacity(0);
  EXPECT_EQ(try_append(*journal, 1, 10'000).error().code, Code::full);
  EXPECT_EQ(journal->failure(), "");
  // The disk is left alone for a while, then asked again.
  const auto calls = disk_.calls();
  EXPECT_EQ(journal->append(batch_).error().code, Code::full);
  EXPECT_EQ(disk_.calls(), calls);
  clock_.advance(std::chrono::milliseconds{50});
  EXPECT_EQ(journal->append(batch_).error().code, Code::full);
  EXPECT_GT(disk_.calls(), calls);

  disk_.set_capacity(1 << 20);
  append(*journal, 1, 10'000);
  EXPECT_EQ(disk_.image().count("hurry.tmp"), 0U);
  expect_replay();
}

TEST_F(JournalTest, TheNextSegmentIsPreparedInGoodTimeAndSmallerWhenSpaceIsShort) {
  auto journal = open();
  EXPECT_FALSE(journal->keep().value());  // Nothing is used yet.
  append(*journal, 1);
  EXPECT_TRUE(journal->keep().value());
  EXPECT_EQ(journal->sizes().live_bytes, (16U << 10) + (64U << 10));
  EXPECT_FALSE(journal->keep().value());

  append(*journal, 1, 15'000);
  disk_.set_capacity(200 << 10);  // 120 KiB are free: a quarter is less than 32 KiB.
  EXPECT_TRUE(journal->keep().value());
  EXPECT_EQ(disk_.image().at("000000000003.live").size(), 16U << 10);
}

TEST_F(JournalTest, TheFileOfASealedSegmentBecomesALaterOneUnlessSpaceIsShort) {
  auto journal = open();
  const auto has = [&](const char* name) { return disk_.image().count(name) == 1; };
  for (int i = 0; i < 6; ++i) append(*journal, 1, 12'000);  // 16 KiB each: the first size.
  append(*journal, 5, 12'000);                              // The first of 64 KiB.
  keep_all(*journal);
  EXPECT_FALSE(has("reserve.tmp"));  // None of the sealed ones has the size of a prepared one.
  append(*journal, 1, 12'000);
  keep_all(*journal);
  ASSERT_TRUE(has("reserve.tmp"));
  EXPECT_EQ(disk_.image().at("reserve.tmp"), Buffer(64 << 10));

  const auto spare = journal->sizes().segments;
  append(*journal, 5, 12'000);
  EXPECT_TRUE(journal->keep().value());  // It is the next spare.
  EXPECT_FALSE(has("reserve.tmp"));
  EXPECT_EQ(journal->sizes().segments, spare + 1);

  const auto used = journal->sizes().live_bytes + journal->sizes().sealed_bytes;
  disk_.set_capacity(used + (100 << 10));  // A quarter of what is free is less than a segment.
  keep_all(*journal);
  EXPECT_FALSE(has("reserve.tmp"));
  journal = open();
  EXPECT_TRUE(replayed_ == written_);
}

TEST_F(JournalTest, OnAFullDiskSealingGoesOnAndMakesRoom) {
  auto journal = open();
  for (int i = 0; i < 8; ++i) append(*journal, 1, 12'000);
  EXPECT_EQ(journal->sizes().sealed_bytes, 0U);
  disk_.set_capacity((8 * 16 + 8) << 10);  // Room for a copy, not for another segment.
  EXPECT_TRUE(journal->keep().value());
  EXPECT_TRUE(journal->keep().value());
  EXPECT_GT(journal->sizes().sealed_bytes, 0U);
  append(*journal, 1, 12'000);
  keep_all(*journal);
  expect_replay();
}

TEST_F(JournalTest, SegmentsThatFillADiskLeaveRoomToSealThem) {
  disk_.set_capacity((10 * 16 + 9) << 10);  // For ten, and less than a copy.
  auto journal = open();
  for (int i = 0; i < 9; ++i) append_noise(*journal, 12'000);
  EXPECT_EQ(try_append(*journal, 1, 12'000).error().code, Code::full);  // The disk would hold it.
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(journal->keep().value());
  append(*journal, 1, 12'000);
  keep_all(*journal);
  expect_replay();
}

TEST_F(JournalTest, TheSegmentInUseIsSealedWhereThereIsNoRoomForAnother) {
  disk_.set_capacity(36 << 10);
  auto journal = open();
  append(*journal, 1, 12'000);
  EXPECT_EQ(try_append(*journal, 1, 12'000).error().code,
            Code::full);  // 20 KiB free, 16 + 8 are needed.
  EXPECT_TRUE(journal->keep().value());
  EXPECT_EQ(journal->sizes().live_bytes, 0U);
  journal = open();  // Nothing but sealed segments.
  EXPECT_TRUE(replayed_ == written_);
  append(*journal, 1, 12'000);
  expect_replay();
}

// One that is left more than 64 KiB, where a batch larger than that finds no room, is kept for
// smaller ones; one with 64 KiB is given away, and sealed it is room.
TEST_F(JournalTest, ASegmentThatSmallBatchesFitInIsKeptForThem) {
  constexpr std::size_t kSegment = 128 << 10;
  constexpr std::size_t kRest = 64 << 10;
  options_.segment_bytes = options_.segment_bytes_hurry = options_.segment_bytes_min = kSegment;
  for (const auto rest : {kRest, kRest + kBlockBytes}) {
    SimulatedDisk disk(1);
    directory_ = &disk;
    written_.clear();
    auto journal = open();
    const auto batches = (kSegment - rest) / kBlockBytes - 1;  // A block each, and the header's.
    for (std::size_t i = 0; i < batches; ++i) append(*journal, 1);
    disk.set_capacity(kSegment);
    EXPECT_EQ(try_append(*journal, 2, 40'000).error().code, Code::full);
    const bool is_kept = rest > kRest;
    EXPECT_EQ(try_append(*journal, 1, 40).has_value(), is_kept) << rest;
    disk.set_capacity(2 * kSegment - kBlockBytes);  // For a copy, not for another segment.
    static_cast<void>(journal->keep());
    EXPECT_EQ(journal->sizes().sealed_bytes == 0, is_kept) << rest;
    expect_replay();
  }
}

TEST_F(JournalTest, AStepOfHousekeepingThatFailedIsLeftAloneForASecond) {
  auto journal = open();
  append(*journal, 1);
  disk_.set_capacity(16 << 10);
  EXPECT_EQ(journal->keep().error().code, Code::full);
  EXPECT_EQ(disk_.image().count("spare.tmp"), 0U);
  const auto calls = disk_.calls();
  EXPECT_FALSE(journal->keep().value());
  EXPECT_EQ(disk_.calls(), calls);
  clock_.advance(std::chrono::seconds{1});
  EXPECT_EQ(journal->keep().error().code, Code::full);
  disk_.set_capacity(1 << 20);
  clock_.advance(std::chrono::seconds{1});
  EXPECT_TRUE(journal->keep().value());
}

TEST_F(JournalTest, APreparedSegmentTooSmallForABatchGivesWay) {
  auto journal = open();
  append(*journal, 1);
  EXPECT_TRUE(journal->keep().value());
  append(*journal, 2, 50'000);
  EXPECT_EQ(journal->sizes().segments, 2U);
  keep_all(*journal);
  journal = open();
  EXPECT_TRUE(replayed_ == written_);
}

TEST_F(JournalTest, ASegmentThatNoBatchFitsIsPassedOver) {
  auto journal = open();
  append(*journal, 1, 60'000);
  append(*journal, 1, 60'000);
  keep_all(*journal);
  EXPECT_TRUE(disk_.image().count("000000000001.sealed"));
  journal = open();
  EXPECT_TRUE(replayed_ == written_);
  const auto segments = JournalReader(disk_).segments().value();
  EXPECT_EQ(segments[0].batches, 0U);
  EXPECT_EQ(segments[0].last.value, 0U);
  EXPECT_EQ(segments[1].first.value, 1U);
}

TEST_F(JournalTest, TornLastBatchIsCutAndReportedAndEarlierBatchesStay) {
  {
    auto journal = open();
    append(*journal, 2);
    append(*journal, 2, 3000);
  }
  auto image = disk_.image();
  image.at("000000000001.live")[8192 + 300] ^= std::byte{1};
  SimulatedDisk torn(1, image);
  directory_ = &torn;
  auto journal = open();
  written_.resize(2);
  EXPECT_TRUE(replayed_ == written_);
  EXPECT_EQ(journal->recovery().bytes_cut, 8192U);
  EXPECT_EQ(journal->recovery().cut_from, "disk/000000000001.live at 8192");
  append(*journal, 1);
  journal = open();
  EXPECT_TRUE(replayed_ == written_);
  EXPECT_EQ(journal->recovery().bytes_cut, 0U);
}

TEST_F(JournalTest, AMissingSegmentIsDamage) {
  auto journal = open();
  for (int i = 0; i < 12; ++i) append(*journal, 1, 10'000);
  for (const std::string gone : {"000000000002", "000000000003"}) {
    for (const bool sealed : {false, true}) {
      if (sealed) keep_all(*journal);
      auto image = disk_.image();
      image.erase(gone + ".live");
      image.erase(gone + ".sealed");
      SimulatedDisk holed(1, image);
      directory_ = &holed;
      const auto opened = try_open();
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().code, Code::corrupt);
      EXPECT_NE(opened.error().message.find(gone), std::string::npos);
      directory_ = &disk_;
    }
  }
}

// The worked example of docs/formats/journal.md, byte by byte.
TEST_F(JournalTest, BytesAreAsTheFormatPageShowsThem) {
  auto journal = open();
  batch_.clear();
  batch_.committed = UnixTime{std::chrono::milliseconds{1'700'000'000'123}};
  batch_.mac_key = 7;
  batch_.add(4, 1, as_bytes("count"), as_bytes("detail"));
  batch_.add(7, 1, as_bytes("p"), {});
  ASSERT_TRUE(journal->append(batch_));
  const auto file = disk_.image().at("000000000001.live");
  EXPECT_EQ(to_hex(Bytes(file).first(120)),
            "4e414e444f534547010000000000000001000000000000000040000000000000"
            "c1675e0bb980a575a89661fec08aa83b01000000000000000000000000000000"
            "00000000000000000000000000000000000000000000000000989a206f010000"
            "63f1ee08469ccdac9ff735ab278a84ba6d1c170cf5c1183c");
  EXPECT_TRUE(all_zero(Bytes(file).subspan(120, 4088 - 120)));
  EXPECT_EQ(to_hex(Bytes(file).subspan(4088, 8)), "bda00f3bf0e06846");
  EXPECT_EQ(to_hex(Bytes(file).subspan(4096, 236)),
            "4e414e444f42415401000000020000000c000000080000000100000000000000"
            "01000000000000007b68e5cf8b0100000700000000000000c1675e0bb980a575"
            "a89661fec08aa83b000000000000000000000000000000000000000000000000"
            "0000000000000000978737fa25cce70ea0114e349da509757595f98ca354a81e"
            "c753a8a07bfb97e283c6465ae6c83992917b6c1d3b1b5796a69c6f0187be5452"
            "125a1eea4d3e4cfb411ce481c971d4f4c1b489c6c9c7a66b80f93c54d07fb8b1"
            "93226ab0131cc4f0e8324f0a5c5a5a923fb60905e5262ad4040105636f756e74"
            "070101700664657461696c00");
  EXPECT_TRUE(all_zero(Bytes(file).subspan(4096 + 236)));
}

// Every finding has one decision: decide() itself insists on exactly one row.
TEST(JournalRecoveryTable, OnlyATailThatNothingFollowsIsCut) {
  for (const auto spot : {Spot::end, Spot::blank, Spot::bytes, Spot::stray, Spot::no_header}) {
    for (const auto rest : {Rest::blank, Rest::bytes, Rest::batch}) {
      for (const auto later : {Later::blank, Later::used}) {
        const bool sound = spot == Spot::end || (spot == Spot::blank && rest == Rest::blank);
        const bool torn = !sound && spot != Spot::stray && rest != Rest::batch;
        const auto expected = sound   ? later == Later::used ? Decision::onward : Decision::clean
                              : !torn ? Decision::damage
                              : later == Later::used ? Decision::damage
                                                     : Decision::cut;
        EXPECT_EQ(decide(spot, rest, later), expected);
      }
    }
  }
}

// Every row of the table, on a disk. Segment 1 has blocks 1 and 2 for batches, segment 2 one to
// three; each batch takes a block.
struct Scene {
  const char* name;
  int batches;
  std::function<void(Buffer& one, Buffer& two)> spoil;
  Decision decision;  // Of the whole start: damage, cut, or clean.
};

TEST_F(JournalTest, EveryRowOfTheRecoveryTableIsMetOnADisk) {
  const auto block = [](Buffer& file, std::size_t number) {
    return std::span(file).subspan(number * kBlockBytes, kBlockBytes);
  };
  const auto dirt = [&](std::size_t number) {
    return [=](Buffer& file) { block(file, number)[100] ^= std::byte{5}; };
  };
  const auto wipe = [&](std::size_t number) {
    return [=](Buffer& file) { std::ranges::fill(block(file, number), std::byte{0}); };
  };
  const std::vector<Scene> scenes = {
      {"end, nothing later", 3, [](auto&, auto&) {}, Decision::clean},
      {"end, used later", 4, [](auto&, auto&) {}, Decision::clean},
      {"blank, nothing later", 2, [](auto&, auto&) {}, Decision::clean},
      {"blank, bytes behind", 2,
       [&](auto& one, auto&) {
         dirt(3)(one);
         wipe(2)(one);
       },
       Decision::cut},
      {"blank, bytes behind, used later", 4,
       [&](auto& one, auto&) {
         dirt(3)(one);
         wipe(2)(one);
       },
       Decision::damage},
      {"blank, batch behind", 3, [&](auto& one, auto&) { wipe(2)(one); }, Decision::damage},
      {"bytes", 3, [&](auto& one, auto&) { dirt(3)(one); }, Decision::cut},
      {"bytes, used later", 4, [&](auto& one, auto&) { dirt(3)(one); }, Decision::damage},
      {"bytes, batch behind", 3, [&](auto& one, auto&) { dirt(2)(one); }, Decision::damage},
      {"stray", 3,
       [&](auto& one, auto&) { std::ranges::copy(block(one, 2), block(one, 3).begin()); },
       Decision::damage},
      {"header of the first", 2, [&](auto& one, auto&) { dirt(0)(one); }, Decision::damage},
      {"header of another, torn", 4, [&](auto&, auto& two) { dirt(0)(two); }, Decision::cut},
      {"header of another, blank", 4, [&](auto&, auto& two) { wipe(0)(two); }, Decision::cut},
      {"header of another, batches behind", 5, [&](auto&, auto& two) { dirt(0)(two); },
       Decision::damage},
      {"header of another, used later", 7, [&](auto&, auto& two) { dirt(0)(two); },
       Decision::damage},
  };
  for (const auto& scene : scenes) {
    SimulatedDisk disk(1);
    directory_ = &disk;
    written_.clear();
    auto journal = open();
    for (int i = 0; i < scene.batches; ++i) append(*journal, 1, 3000);
    journal.reset();
    auto image = disk.image();
    Buffer none(2 * kBlockBytes);
    scene.spoil(image.at("000000000001.live"),
                scene.batches > 3 ? image.at("000000000002.live") : none);
    SimulatedDisk spoilt(1, image);
    directory_ = &spoilt;
    const auto opened = try_open();
    const auto decision = !opened                               ? Decision::damage
                          : (*opened)->recovery().bytes_cut > 0 ? Decision::cut
                                                                : Decision::clean;
    EXPECT_EQ(decision, scene.decision) << scene.name;
    if (!opened) {
      EXPECT_EQ(opened.error().code, Code::corrupt) << scene.name;
    }
  }
}

}  // namespace

}  // namespace nando
