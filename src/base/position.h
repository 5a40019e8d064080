// Where a record stands in the journal. Here, below every layer, because receipts, marks and
// cursors speak of it without knowing the journal.
#pragma once

#include <cstdint>

#include "base/hash.h"
#include "base/id.h"

namespace nando {

// Records of a journal are numbered 1, 2, 3, ... without a hole; 0 is before the first.
using Sequence = Id<struct SequenceTag, std::uint64_t>;

// One life of a journal: 128 random bits, renewed by `restore`.
using Epoch = std::array<std::byte, 16>;

// The end of the hash chain after some batch; docs/formats/journal.md says over what.
using Head = Hash256;

// A place that can be believed: a sink holding a mark whose head is not the journal's at that
// sequence is rebuilt.
struct Position {
  Epoch epoch{};
  Sequence sequence;
  Head head{};

  bool operator==(const Position&) const = default;
};

}  // namespace nando
