// What the files of this layer share to lay a record out and to take it apart.
#pragma once

#include <fmt/core.h>

#include "base/result.h"
#include "journal/batch.h"
#include "records/records.h"

namespace nando::codec {

inline constexpr std::uint8_t kVersion = 1;

// A record that is not on the path of a hit: its parts are written by two functions.
template <class Count, class Detail>
void add_small(BatchBuilder& batch, RecordKind kind, Count count, Detail detail) {
  Buffer count_bytes;
  Buffer detail_bytes;
  ByteWriter count_writer(count_bytes);
  count(count_writer);
  detail(detail_bytes);
  batch.add(static_cast<std::uint8_t>(kind), kVersion, count_bytes, detail_bytes);
}
inline void no_detail(Buffer&) {}

inline Result<> check(const RecordView& record, RecordKind kind) {
  if (record.kind != static_cast<std::uint8_t>(kind)) {
    return Error{Code::corrupt, fmt::format("a record of kind {} stands where {} is wanted",
                                            record.kind, name_of(kind))};
  }
  if (record.version != kVersion) {
    return Error{
        Code::invalid,
        fmt::format("a {} record has version {}; this program reads version {}: use the newer one",
                    name_of(kind), record.version, kVersion)};
  }
  return {};
}

inline Error damaged(RecordKind kind) {
  return {Code::corrupt, fmt::format("a {} record does not end where it should", name_of(kind))};
}

}  // namespace nando::codec
