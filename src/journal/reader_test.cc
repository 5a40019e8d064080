#include "journal/reader.h"

#include <zstd.h>

#include <thread>

#include "disk/simulated_disk.h"
#include "journal/sealed.h"
#include "journal/test_store.h"

namespace nando {

namespace {

constexpr JournalOptions kSmall{
    .segment_bytes = 64 << 10, .segment_bytes_min = 16 << 10, .seal_level = 3};

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
  open_writer({.segment_bytes = kBytes, .segment_bytes_min = kBytes, .seal_level = 1});
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

Buffer packed(Bytes plain) {
  Buffer bytes(ZSTD_compressBound(plain.size()));
  bytes.resize(ZSTD_compress(bytes.data(), bytes.size(), plain.data(), plain.size(), 3));
  return bytes;
}

// What a later version will do to forget people: the only frame of a sealed segment, again, without
// its detail stream.
Buffer without_details(const SealedIndex& index, const File& file) {
  FrameReader reader;
  Frame frame;
  EXPECT_TRUE(reader.read(file, index, 0, frame));
  auto entry = index.frames.at(0);
  ByteReader table(frame.count);
  for (std::uint32_t i = 0; i < entry.batches * 3; ++i) table.varint();
  Buffer count(frame.count.begin(), frame.count.end() - static_cast<long>(table.rest().size()));
  const auto count_parts = table.rest().subspan(entry.batches);
  count.insert(count.end(), entry.batches, std::byte{kDetailsRemoved});
  for (const auto& batch : frame.batches) {
    Buffer detail_part;
    for (const auto& record : batch.records) ByteWriter(detail_part).sized(record.detail);
    ByteWriter(count).raw(blake2b(detail_part));
  }
  ByteWriter(count).raw(count_parts);
  const auto count_stored = packed(count);
  const auto detail_stored = packed({});
  entry.count_plain = static_cast<std::uint32_t>(count.size());
  entry.detail_plain = 0;
  entry.count_stored = static_cast<std::uint32_t>(count_stored.size());
  entry.detail_stored = static_cast<std::uint32_t>(detail_stored.size());
  Buffer out(kSealedHeaderBytes);
  SealedHeaderBytes header;
  encode(index.header, header);
  std::copy(header.begin(), header.end(), out.begin());
  ByteWriter(out).raw(count_stored);
  ByteWriter(out).raw(detail_stored);
  const auto seed = index.header.keys.seed;
  entry.checksum = checksum(Bytes(out).subspan(kSealedHeaderBytes), seed);
  SealedFooter footer{.frames = 1, .index_offset = out.size(), .batches = index.batches};
  footer.last = index.last.sequence;
  footer.after = index.last.head;
  Buffer entries;
  encode(entry, entries);
  footer.index_checksum = checksum(entries, seed);
  ByteWriter(out).raw(entries);
  SealedFooterBytes foot;
  encode(footer, seed, foot);
  ByteWriter(out).raw(foot);
  return out;
}

TEST_F(JournalReaderTest, DetailsThatWereRemovedLeaveTheChainWhole) {
  open_writer();
  for (int i = 0; i < 6; ++i) append(2, 4000);
  keep_all();
  const auto last = journal_->position();
  auto image = disk_.image();
  const std::string name = "000000000002.sealed";
  const auto index = read_sealed_index(disk_, 2, name).value();
  image.at(name) = without_details(index, *disk_.open(name, OpenMode::read).value());
  SimulatedDisk pruned(1, image);
  TestRecords seen;
  bool removed = false;
  JournalReader reader(pruned);
  const auto scanned =
      reader.scan(Sequence{0}, last.sequence, [&](const BatchView& batch) -> Result<> {
        removed |= batch.details_removed;
        remember(batch, seen);
        return {};
      });
  ASSERT_TRUE(scanned) << scanned.error().message;
  EXPECT_TRUE(removed);
  ASSERT_EQ(seen.size(), written_.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].count, written_[i].count);
    const bool gone = i + 1 >= index.header.first.value && i + 1 <= index.last.sequence.value;
    EXPECT_EQ(seen[i].detail, gone ? "" : written_[i].detail);
  }
  EXPECT_TRUE(Journal::open(pruned, kSmall, clock_, entropy_, Position{}, remember_in(seen)));
}

}  // namespace

}  // namespace nando
