// What the journal's tests share: small batches that can be told apart, and readers of whole
// journals.
#pragma once

#include <gtest/gtest.h>

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

}  // namespace nando
