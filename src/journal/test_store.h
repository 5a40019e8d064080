// What the journal's tests share: small batches that can be told apart, and readers of whole
// journals.
#pragma once

#include <gtest/gtest.h>

#include "disk/simulated_disk.h"
#include "journal/journal.h"
#include "journal/reader.h"

namespace nando {

// One record as a test remembers it.
struct TestRecord {
  std::uint8_t kind = 0;
  std::uint8_t version = 0;
  std::string count;
  std::string detail;
  std::int64_t committed = 0;
  std::uint32_t mac_key = 0;

  bool operator==(const TestRecord&) const = default;
};
using TestRecords = std::vector<TestRecord>;

// The record that a test writes as number `sequence`: its text says so, its length varies.
inline TestRecord test_record(std::uint64_t sequence, std::uint64_t committed,
                              std::size_t detail_bytes) {
  return {static_cast<std::uint8_t>(1 + sequence % 3),
          static_cast<std::uint8_t>(1 + sequence % 2),
          "count " + std::to_string(sequence),
          std::string(detail_bytes, static_cast<char>('a' + sequence % 26)),
          static_cast<std::int64_t>(committed),
          static_cast<std::uint32_t>(committed / 1000)};
}

inline void add_to(BatchBuilder& batch, const TestRecord& record) {
  batch.committed = UnixTime{std::chrono::milliseconds{record.committed}};
  batch.mac_key = record.mac_key;
  batch.add(record.kind, record.version, as_bytes(record.count), as_bytes(record.detail));
}

inline void remember(const BatchView& batch, TestRecords& into) {
  for (const auto& record : batch.records) {
    into.push_back({record.kind, record.version, std::string(as_text(record.count)),
                    std::string(as_text(record.detail)), batch.committed.time_since_epoch().count(),
                    batch.mac_key});
  }
}

inline Replay remember_in(TestRecords& records) {
  return [&records](const BatchView& batch) -> Result<> {
    remember(batch, records);
    return {};
  };
}

// A directory whose files forgive: a sync that fails is said to have worked.
class ForgivingDirectory final : public Directory {
 public:
  explicit ForgivingDirectory(Directory& inner) : inner_(inner) {}

  Result<std::unique_ptr<File>> open(std::string_view name, OpenMode mode) override {
    auto file = inner_.open(name, mode);
    if (!file) return file;
    return std::unique_ptr<File>(std::make_unique<ForgivingFile>(std::move(*file)));
  }
  Result<> rename(std::string_view from, std::string_view to) override {
    return inner_.rename(from, to);
  }
  Result<> remove(std::string_view name) override { return inner_.remove(name); }
  Result<> sync() override { return inner_.sync(); }
  Result<std::vector<std::string>> list() override { return inner_.list(); }
  Result<std::uint64_t> free_bytes() override { return inner_.free_bytes(); }
  std::string path() const override { return inner_.path(); }

 private:
  class ForgivingFile final : public File {
   public:
    explicit ForgivingFile(std::unique_ptr<File> inner) : inner_(std::move(inner)) {}
    Result<> write_at(std::uint64_t offset, std::span<const Bytes> parts) override {
      return inner_->write_at(offset, parts);
    }
    Result<> sync() override {
      static_cast<void>(inner_->sync());
      return {};
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
      return inner_->read_at(offset, into);
    }
    Result<std::uint64_t> size() const override { return inner_->size(); }
    Result<> allocate(std::uint64_t bytes) override { return inner_->allocate(bytes); }
    Result<> truncate(std::uint64_t bytes) override { return inner_->truncate(bytes); }

   private:
    std::unique_ptr<File> inner_;
  };

  Directory& inner_;
};

inline constexpr JournalOptions kTiny{.segment_bytes = 16 << 10,
                                      .segment_bytes_hurry = 8 << 10,
                                      .segment_bytes_min = 8 << 10,
                                      .seal_level = 1};

// One journal on one disk, and what its user was told.
class Store {
 public:
  Store(Directory& directory, std::uint64_t seed)
      : directory_(directory), entropy_(seed), chance_(seed ^ 0x5eed) {}

  // Reopens and holds what comes back against what was promised. Empty if all is well.
  std::string open() {
    journal_.reset();
    TestRecords seen;
    auto opened = Journal::open(directory_, kTiny, clock_, entropy_, Position{}, remember_in(seen));
    if (!opened) {
      refusal_ = opened.error().message;
      return opened.error().code == Code::corrupt ? "damaged: " + refusal_ : "";
    }
    auto promised = promised_;
    if (seen != promised) promised.insert(promised.end(), in_doubt_.begin(), in_doubt_.end());
    if (seen != promised) {
      return "replayed " + std::to_string(seen.size()) + " records, promised " +
             std::to_string(promised_.size()) + ", in doubt " + std::to_string(in_doubt_.size());
    }
    seen_.in_doubt_kept += seen.size() > promised_.size();
    seen_.cuts += (*opened)->recovery().bytes_cut > 0;
    seen_.sealed += (*opened)->sizes().sealed_bytes > 0;
    seen_.several_segments += (*opened)->sizes().segments > 2;
    // What an open journal shows is promised from now on.
    promised_ = seen;
    in_doubt_.clear();
    journal_ = std::move(*opened);
    if (journal_->position().sequence.value != seen.size()) return "position and records differ";
    return "";
  }

  bool is_open() const { return journal_ != nullptr; }
  const std::string& refusal() const { return refusal_; }
  void close() { journal_.reset(); }
  Journal& journal() { return *journal_; }
  const TestRecords& promised() const { return promised_; }

  // How often what the tests are about came to pass.
  struct Seen {
    int cuts = 0;
    int sealed = 0;
    int full = 0;
    int in_doubt_kept = 0;
    int several_segments = 0;
  };
  Seen& seen() { return seen_; }

  // Appends a few records. Empty if the journal kept to its word.
  std::string append(std::size_t records, std::size_t detail_bytes) {
    batch_.clear();
    clock_.advance(std::chrono::milliseconds{60});
    const auto now = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
    TestRecords added;
    for (std::size_t i = 0; i < records; ++i) {
      added.push_back(test_record(promised_.size() + i + 1, now, detail_bytes));
      add_to(batch_, added.back());
    }
    const bool failed = !journal_->failure().empty();
    const auto position = journal_->append(batch_);
    if (failed) return position ? "acknowledged after a failure" : "";
    if (position) {
      promised_.insert(promised_.end(), added.begin(), added.end());
      return position->sequence.value == promised_.size() ? "" : "a wrong sequence number";
    }
    if (position.error().code == Code::full) {
      ++seen_.full;
      return "";
    }
    if (position.error().code != Code::io || journal_->failure().empty()) return "no failure";
    in_doubt_ = added;
    return "";
  }
  std::string append_any() {
    const auto records = 1 + chance_.below(4);
    const auto size = chance_.below(8) == 0 ? chance_.below(3000) : chance_.below(60);
    return append(records, size);
  }

 private:
  Directory& directory_;
  SeededEntropy entropy_;
  SeededEntropy chance_;
  ManualClock clock_;
  BatchBuilder batch_;
  std::unique_ptr<Journal> journal_;
  TestRecords promised_;
  TestRecords in_doubt_;
  Seen seen_;
  std::string refusal_;  // Of the last open() that failed.
};

inline constexpr JournalOptions kSmall{.segment_bytes = 64 << 10,
                                       .segment_bytes_hurry = 16 << 10,
                                       .segment_bytes_min = 16 << 10,
                                       .seal_level = 3};

// A journal on a simulated disk that nothing happens to.
class JournalTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Journal>> try_open(Position from = {}) {
    replayed_.clear();
    return Journal::open(*directory_, options_, clock_, entropy_, from, remember_in(replayed_));
  }
  std::unique_ptr<Journal> open(Position from = {}) {
    auto journal = try_open(from);
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? std::move(*journal) : nullptr;
  }
  Code refusal(Position from) {
    auto journal = try_open(from);
    EXPECT_FALSE(journal);
    return journal ? Code::invalid : journal.error().code;
  }

  void fill(std::size_t records, std::size_t detail_bytes) {
    clock_.advance(std::chrono::milliseconds{60});
    const auto now = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
    filled_.clear();
    for (std::size_t i = 1; i <= records; ++i) {
      filled_.push_back(test_record(written_.size() + i, now, detail_bytes));
    }
    lay();
  }
  void lay() {
    batch_.clear();
    for (const auto& record : filled_) add_to(batch_, record);
  }
  Result<Position> append_filled(Journal& journal) {
    auto position = journal.append(batch_);
    if (position) written_.insert(written_.end(), filled_.begin(), filled_.end());
    return position;
  }
  Result<Position> try_append(Journal& journal, std::size_t records, std::size_t detail_bytes) {
    fill(records, detail_bytes);
    return append_filled(journal);
  }
  Position append(Journal& journal, std::size_t records, std::size_t detail_bytes = 40) {
    const auto position = try_append(journal, records, detail_bytes);
    EXPECT_TRUE(position) << position.error().message;
    return position ? *position : Position{};
  }
  void expect_replay() {
    open();
    EXPECT_TRUE(replayed_ == written_);
  }
  // A record that no copy makes smaller.
  void append_noise(Journal& journal, std::size_t detail_bytes) {
    fill(1, detail_bytes);
    entropy_.fill(std::as_writable_bytes(std::span(filled_[0].detail)));
    lay();
    EXPECT_TRUE(append_filled(journal));
  }
  void keep_all(Journal& journal) {
    while (journal.keep().value()) {
    }
  }

  SimulatedDisk disk_{1};
  Directory* directory_ = &disk_;
  JournalOptions options_ = kSmall;
  ManualClock clock_;
  SeededEntropy entropy_{1};
  BatchBuilder batch_;
  TestRecords filled_;  // In batch_.
  TestRecords written_;
  TestRecords replayed_;
};

}  // namespace nando
