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

}  // namespace nando
