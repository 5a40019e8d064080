#include "journal/journal.h"

#include <filesystem>

#include "journal/format.h"
#include "journal/test_store.h"

namespace nando {

namespace {

constexpr JournalOptions kSmall{.segment_bytes = 64 << 10, .segment_bytes_min = 16 << 10};

// A journal in a directory of its own on the real disk.
class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    std::filesystem::remove_all(path_);
    directory_ = std::move(*open_directory(path_, IfMissing::create));
  }
  ~JournalTest() override { std::filesystem::remove_all(path_); }

  std::unique_ptr<Journal> open(Position from = {}) {
    replayed_.clear();
    auto journal =
        Journal::open(*directory_, kSmall, clock_, entropy_, from, remember_in(replayed_));
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? std::move(*journal) : nullptr;
  }
  Position append(Journal& journal, std::size_t records, std::size_t detail_bytes = 40) {
    batch_.clear();
    clock_.advance(std::chrono::milliseconds{7});
    const auto now = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
    for (std::size_t i = 0; i < records; ++i) {
      written_.push_back(test_record(written_.size() + 1, now, detail_bytes));
      add_to(batch_, written_.back());
    }
    const auto position = journal.append(batch_);
    EXPECT_TRUE(position) << position.error().message;
    return position ? *position : Position{};
  }

  const std::string path_ = testing::TempDir() + "/journal_test";
  std::unique_ptr<Directory> directory_;
  ManualClock clock_;
  SeededEntropy entropy_{1};
  BatchBuilder batch_;
  TestRecords written_;
  TestRecords replayed_;
};

TEST_F(JournalTest, WhatWasAppendedIsReplayedInOrderAfterReopening) {
  Position last;
  {
    auto journal = open();
    EXPECT_EQ(journal->position().sequence.value, 0U);
    for (int i = 0; i < 40; ++i) last = append(*journal, 1 + i % 5, i * 30);
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

TEST_F(JournalTest, ReplayBeginsAfterTheMark) {
  Position mark;
  {
    auto journal = open();
    for (int i = 0; i < 30; ++i) {
      const auto position = append(*journal, 3);
      if (i == 17) mark = position;
    }
  }
  open(mark);
  EXPECT_TRUE(replayed_ == TestRecords(written_.begin() + 18 * 3, written_.end()));
}

TEST_F(JournalTest, ReaderSeesWhatIsDurableWhileTheWriterGoesOn) {
  auto journal = open();
  JournalReader reader(*directory_);
  TestRecords seen;
  Position before;
  for (int i = 0; i < 60; ++i) {
    const auto position = append(*journal, 1 + i % 4, 300);
    ASSERT_TRUE(journal->keep());
    auto scanned = reader.scan(before.sequence, position.sequence, remember_in(seen));
    ASSERT_TRUE(scanned) << scanned.error().message;
    ASSERT_TRUE(seen == written_);
    before = position;
  }
  for (std::uint64_t i = 1; i <= written_.size(); i += 7) {
    const auto record = reader.find(Sequence{i}, before.sequence);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_EQ(as_text(record->count), written_[i - 1].count);
    EXPECT_EQ(as_text(record->detail), written_[i - 1].detail);
  }
  EXPECT_EQ(reader.find(Sequence{written_.size() + 1}, before.sequence).error().code,
            Code::not_found);
  EXPECT_EQ(reader.hash_key().value(), journal->hash_key());
  EXPECT_EQ(reader.end().value(), before);
}

}  // namespace

}  // namespace nando
