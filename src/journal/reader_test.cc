#include "journal/reader.h"

#include <thread>

#include "disk/simulated_disk.h"
#include "journal/sealed.h"
#include "journal/test_store.h"

namespace nando {

namespace {

constexpr JournalOptions kSmall{.segment_bytes = 64 << 10,
                                .segment_bytes_hurry = 16 << 10,
                                .segment_bytes_min = 16 << 10,
                                .seal_level = 3};

// A writer of journals, on a simulated disk that nothing happens to.
class JournalReaderTest : public testing::Test {
 protected:
  void open_writer(const JournalOptions& options = kSmall) {
    auto journal = Journal::open(disk_, options, clock_, entropy_, Position{},
                                 [](const BatchView&) { return Result<>(); });
    ASSERT_TRUE(journal) << journal.error().message;
    journal_ = std::move(*journal);
  }
  Position append(std::size_t records, std::size_t detail_bytes) {
    BatchBuilder batch;
    clock_.advance(std::chrono::milliseconds{11});
    const auto now = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
    for (std::size_t i = 0; i < records; ++i) {
      written_.push_back(test_record(written_.size() + 1, now, detail_bytes));
      add_to(batch, written_.back());
    }
    const auto position = journal_->append(batch);
    EXPECT_TRUE(position);
    return position ? *position : Position{};
  }
  void keep_all() {
    while (journal_->keep().value()) {
    }
  }
  void expect_found(JournalReader& reader, std::uint64_t sequence, Sequence up_to) {
    const auto found = reader.find(Sequence{sequence}, up_to);
    ASSERT_TRUE(found) << found.error().message;
    const auto& record = written_[sequence - 1];
    EXPECT_EQ(found->sequence.value, sequence);
    EXPECT_EQ(as_text(found->count), record.count);
    EXPECT_EQ(as_text(found->detail), record.detail);
    EXPECT_EQ(found->kind, record.kind);
    EXPECT_EQ(found->version, record.version);
    EXPECT_EQ(found->mac_key, record.mac_key);
    EXPECT_EQ(found->committed.time_since_epoch().count(), record.committed);
    EXPECT_EQ(found->epoch, journal_->position().epoch);
  }

  SimulatedDisk disk_{1};
  ManualClock clock_;
  SeededEntropy entropy_{1};
  std::unique_ptr<Journal> journal_;
  TestRecords written_;
};

TEST_F(JournalReaderTest, SeesWhatIsDurableWhileTheWriterGoesOnAndSeals) {
  open_writer();
  JournalReader reader(disk_);
  TestRecords seen;
  Position before;
  for (std::size_t i = 0; i < 60; ++i) {
    const auto position = append(1 + i % 4, 300 + i % 7 * 900);
    if (i % 3 == 0) keep_all();
    const auto scanned = reader.scan(before.sequence, position.sequence, remember_in(seen));
    ASSERT_TRUE(scanned) << scanned.error().message;
    ASSERT_TRUE(seen == written_);
    before = position;
  }
  keep_all();
  EXPECT_GT(journal_->sizes().sealed_bytes, 0U);
  for (std::uint64_t i = 1; i <= written_.size(); ++i) expect_found(reader, i, before.sequence);
  for (std::uint64_t i = written_.size(); i > 0; i -= i > 3 ? 3 : 1) {
    expect_found(reader, i, before.sequence);
  }
  EXPECT_EQ(reader.hash_key().value(), journal_->hash_key());
  EXPECT_EQ(reader.end().value(), before);
}

TEST_F(JournalReaderTest, ARecordPastTheDurableEndIsNotFound) {
  open_writer();
  const auto first = append(3, 10);
  append(2, 10);
  JournalReader reader(disk_);
  EXPECT_EQ(reader.find(Sequence{0}, first.sequence).error().code, Code::not_found);
  EXPECT_EQ(reader.find(Sequence{4}, first.sequence).error().code, Code::not_found);
  EXPECT_TRUE(reader.find(Sequence{3}, first.sequence));
  TestRecords seen;
  EXPECT_TRUE(reader.scan(Sequence{0}, first.sequence, remember_in(seen)));
  EXPECT_EQ(seen.size(), 3U);
  // A batch is passed on whole or not at all.
  EXPECT_TRUE(reader.scan(first.sequence, Sequence{4}, remember_in(seen)));
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(JournalReaderTest, WhatWasPromisedAndIsNotThereIsDamage) {
  open_writer();
  const auto last = append(3, 10);
  JournalReader reader(disk_);
  TestRecords seen;
  const auto past = Sequence{last.sequence.value + 1};
  const auto scanned = reader.scan(Sequence{0}, past, remember_in(seen));
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().code, Code::corrupt);
  EXPECT_NE(scanned.error().message.find("disk/000000000001.live at 8192"), std::string::npos);
  EXPECT_EQ(reader.find(past, past).error().code, Code::corrupt);
  SimulatedDisk empty(1);
  EXPECT_EQ(JournalReader(empty).segments().error().code, Code::not_found);
}

TEST_F(JournalReaderTest, AnErrorOfTheVisitorIsReturnedWhateverItsCode) {
  open_writer();
  const auto last = append(1, 1);
  JournalReader reader(disk_);
  for (const auto code : {Code::not_found, Code::corrupt, Code::invalid}) {
    const auto scanned = reader.scan(Sequence{0}, last.sequence, [&](const BatchView&) {
      return Result<>(Error{code, "enough"});
    });
    ASSERT_FALSE(scanned);
    EXPECT_EQ(scanned.error().message, "enough");
  }
}

TEST_F(JournalReaderTest, SegmentsAreListedWithTheirRecords) {
  open_writer();
  for (int i = 0; i < 8; ++i) append(2, 4000);
  keep_all();
  append(2, 4000);
  keep_all();
  const auto segments = JournalReader(disk_).segments().value();
  ASSERT_GT(segments.size(), 3U);
  EXPECT_EQ(segments[0].name, "000000000001.sealed");
  EXPECT_EQ(segments.back().first.value, 0U);  // The spare.
  std::uint64_t records = 0;
  std::uint64_t batches = 0;
  for (const auto& segment : segments) {
    if (!segment.first) continue;
    EXPECT_EQ(segment.first.value, records + 1);
    records = segment.last.value;
    batches += segment.batches;
  }
  EXPECT_EQ(records, written_.size());
  EXPECT_EQ(batches, 9U);
}

// Of the two segments being read the file of one is kept and made blank, that of the other removed
// step by step.
TEST_F(JournalReaderTest, AReaderInsideASegmentThatIsSealedMeanwhileGoesOnInTheCopy) {
  constexpr std::uint64_t kBytes = 1 << 20;  // More than a reader looks ahead.
  open_writer({.segment_bytes = kBytes,
               .segment_bytes_hurry = kBytes,
               .segment_bytes_min = kBytes,
               .seal_level = 1});
  std::vector<Sequence> ends;
  // A batch takes a block, so the first look ahead ends between two of them.
  for (std::size_t i = 0; i < 520; ++i) ends.push_back(append(2, 1'500).sequence);
  const auto written = written_;
  ASSERT_EQ(disk_.image().count("000000000003.live"), 1U);
  const auto in_second = Sequence{JournalReader(disk_).segments().value()[1].first.value - 1};

  JournalReader reader(disk_);
  JournalReader other(disk_);
  TestRecords seen, seen_by_other;
  const auto seal = [&](const BatchView& batch) -> Result<> {
    if (seen_by_other.empty()) {
      keep_all();
      for (int i = 0; i < 3; ++i) EXPECT_FALSE(journal_->keep().value());
      EXPECT_EQ(disk_.image().count("000000000001.live"), 0U);
      EXPECT_EQ(disk_.image().count("000000000002.live"), 0U);
      EXPECT_EQ(disk_.image().at("reserve.tmp"), Buffer(kBytes));
      for (int i = 0; i < 700; ++i) {  // Into that file as well.
        append(2, 1'500);
        keep_all();
      }
    }
    remember(batch, seen_by_other);
    return {};
  };
  const auto read_other = [&](const BatchView& batch) -> Result<> {
    if (seen.empty()) {
      const auto scanned = other.scan(in_second, ends.back(), seal);
      EXPECT_TRUE(scanned) << scanned.error().message;
    }
    remember(batch, seen);
    return {};
  };
  const auto scanned = reader.scan(Sequence{}, ends.back(), read_other);
  ASSERT_TRUE(scanned) << scanned.error().message;
  EXPECT_TRUE(seen == written);
  EXPECT_EQ(seen_by_other.size(), written.size() - in_second.value);
}

// Writer, keeper and two readers at once; for TSan above all.
TEST_F(JournalReaderTest, WriterKeeperAndReadersGoOnTogether) {
  open_writer();
  constexpr int kBatches = 150;
  std::atomic<bool> done = false;
  std::thread keeper([&] {
    while (!done) EXPECT_TRUE(journal_->keep());
  });
  const auto read = [&] {
    JournalReader reader(disk_);
    Sequence after;
    SeededEntropy chance(5);
    for (;;) {
      const bool last_look = done;
      const auto up_to = journal_->position().sequence;
      const auto scanned = reader.scan(after, up_to, [&](const BatchView& batch) -> Result<> {
        EXPECT_EQ(batch.first.value, after.value + 1);
        after = batch.last();
        return {};
      });
      ASSERT_TRUE(scanned) << scanned.error().message;
      ASSERT_EQ(after, up_to);
      if (up_to) {
        const auto wanted = 1 + chance.below(up_to.value);
        const auto found = reader.find(Sequence{wanted}, up_to);
        ASSERT_TRUE(found) << found.error().message;
        ASSERT_EQ(as_text(found->count), "count " + std::to_string(wanted));
      }
      static_cast<void>(journal_->sizes());
      if (last_look) return;
    }
  };
  std::thread one(read);
  std::thread two(read);
  for (std::size_t i = 0; i < kBatches; ++i) append(1 + i % 5, i * 53 % 3000);
  done = true;
  one.join();
  two.join();
  keeper.join();
  EXPECT_EQ(journal_->position().sequence.value, written_.size());
}

// Of every second record.
Result<bool> forget_even(const RecordView&, Sequence sequence, UnixTime) {
  return sequence.value % 2 == 0;
}

class RemovedDetailsTest : public JournalReaderTest {
 protected:
  // Segment 1 and some more, sealed.
  void write_segments() {
    open_writer();
    for (int i = 0; i < 30; ++i) append(1 + static_cast<std::size_t>(i % 4), 900);
    ASSERT_TRUE(journal_->begin_segment());
    append(3, 900);
    keep_all();
  }
  std::uint64_t remove_from_all(const Forget& forget) {
    std::uint64_t removed = 0;
    for (const auto& name : disk_.list().value()) {
      const auto parsed = parse_segment_name(name);
      if (parsed && parsed->kind == SegmentKind::sealed) {
        removed += journal_->remove_details(parsed->number, forget).value();
      }
    }
    return removed;
  }
  // Everything there is, each detail as written or, where it may be, gone. Returns how many are.
  std::uint64_t expect_whole(JournalReader& reader) {
    TestRecords seen;
    const auto scanned = reader.scan(Sequence{0}, journal_->position().sequence, remember_in(seen));
    EXPECT_TRUE(scanned) << scanned.error().message;
    EXPECT_EQ(seen.size(), written_.size());
    std::uint64_t gone = 0;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      auto expected = written_[i];
      if (seen[i].detail.empty() && (i + 1) % 2 == 0) {
        expected.detail.clear();
        ++gone;
      }
      EXPECT_TRUE(seen[i] == expected) << "record " << i + 1;
    }
    return gone;
  }
};

TEST_F(RemovedDetailsTest, LeaveTheChainAndEverythingElseWhole) {
  write_segments();
  const auto removed = remove_from_all(forget_even);
  EXPECT_GT(removed, 30U);
  JournalReader reader(disk_);
  EXPECT_EQ(expect_whole(reader), removed);
  EXPECT_EQ(remove_from_all(forget_even), 0U) << "there is nothing left to remove";
  TestRecords replayed;
  journal_.reset();
  EXPECT_TRUE(Journal::open(disk_, kSmall, clock_, entropy_, {}, remember_in(replayed)));
  EXPECT_EQ(replayed.size(), written_.size());
}

TEST_F(RemovedDetailsTest, AreGoneFromTheFile) {
  write_segments();
  const auto detail_bytes = [&] {
    JournalReader reader(disk_);
    std::uint64_t bytes = 0;
    EXPECT_TRUE(reader.scan({}, journal_->position().sequence, [&](const BatchView& batch) {
      for (const auto& record : batch.records) bytes += record.detail.size();
      return Result<>();
    }));
    return bytes;
  };
  const auto before = detail_bytes();
  remove_from_all([](const RecordView&, Sequence, UnixTime) { return Result<bool>(true); });
  EXPECT_GT(before, 50'000U);
  EXPECT_EQ(detail_bytes(), 3 * 900U) << "of the segment that is not sealed";
}

TEST_F(RemovedDetailsTest, AreWipedFromFilesThatAreKept) {
  open_writer({.segment_bytes = 3 << 20,
               .segment_bytes_hurry = 3 << 20,
               .segment_bytes_min = 3 << 20,
               .seal_level = 3});
  for (int i = 0; i < 50; ++i) append(4, 20'000);
  keep_all();
  const auto traces = [&] {
    std::size_t files = 0;
    for (const auto& [name, content] : disk_.image()) {
      if (!name.ends_with(".tmp")) continue;
      for (char letter = 'a'; letter <= 'z'; ++letter) {
        files += as_text(content).find(std::string(2000, letter)) != std::string_view::npos ? 1 : 0;
      }
    }
    return files;
  };
  EXPECT_GT(traces(), 0U) << "what the test is about";
  while (journal_->wipe().value()) {
  }
  EXPECT_EQ(traces(), 0U);
}

TEST_F(RemovedDetailsTest, AReaderThatKnowsTheOldFileGoesOnInTheNewOne) {
  write_segments();
  JournalReader reader(disk_);
  const auto end = journal_->position().sequence;
  ASSERT_TRUE(reader.find(Sequence{1}, end));
  ASSERT_TRUE(reader.find(Sequence{40}, end));
  remove_from_all(forget_even);
  for (std::uint64_t i = 1; i <= written_.size(); ++i) {
    EXPECT_TRUE(reader.find(Sequence{i}, end)) << i;
  }
  EXPECT_GT(expect_whole(reader), 30U);
}

TEST_F(RemovedDetailsTest, DamageIsStillDamage) {
  write_segments();
  JournalReader reader(disk_);
  ASSERT_TRUE(reader.find(Sequence{1}, journal_->position().sequence));
  const auto file = disk_.open("000000000002.sealed", OpenMode::write).value();
  ASSERT_TRUE(file->write_at(kSealedHeaderBytes + 20, as_bytes("rot")));
  const auto scanned =
      reader.scan({}, journal_->position().sequence, [](const BatchView&) { return Result<>(); });
  ASSERT_FALSE(scanned);
  EXPECT_EQ(scanned.error().code, Code::corrupt);
  EXPECT_FALSE(journal_->remove_details(2, forget_even));
}

// Removing is stopped at every call to the disk, by a failure or a power cut: every record is there
// afterwards, with its details or without, and removing again ends it.
TEST_F(RemovedDetailsTest, NothingIsLostWhereverItStops) {
  write_segments();
  const auto image = disk_.image();
  const auto end = journal_->position().sequence;
  const auto written = written_;
  bool went_through = false;
  for (std::uint64_t call = 1; !went_through; ++call) {
    for (const bool power_cut : {false, true}) {
      SimulatedDisk disk(call, image);
      if (power_cut) disk.stop_at_call(call);
      if (!power_cut) disk.fail_call(call, call % 2 == 0 ? Code::io : Code::full);
      const auto pruned = prune_segment(disk, 2, forget_even, 1);
      went_through = pruned && disk.calls() < call;
      if (power_cut) disk.power_cut();
      if (!power_cut) disk.kill();
      TestRecords seen;
      ASSERT_TRUE(JournalReader(disk).scan({}, end, remember_in(seen))) << call;
      ASSERT_EQ(seen.size(), written.size()) << call;
      for (std::size_t i = 0; i < seen.size(); ++i) {
        ASSERT_EQ(seen[i].count, written[i].count);
        ASSERT_TRUE(seen[i].detail == written[i].detail || seen[i].detail.empty());
      }
      ASSERT_TRUE(prune_segment(disk, 2, forget_even, 1)) << call;
    }
  }
}

}  // namespace

}  // namespace nando
