// Places in the journal as texts. A position whole, as `inspect --end` prints it; and a cursor: how
// far somebody has read, to hand back later. Both name the life of the journal, so that one of a
// former life, where the same number was another record, is refused.
#pragma once

#include <charconv>
#include <optional>
#include <sstream>
#include <string>

#include "base/bytes.h"
#include "base/position.h"
#include "base/result.h"

namespace nando {

// "1042 EPOCH HEAD", the latter two in hex, and a newline.
inline std::string position_text(const Position& at) {
  return std::to_string(at.sequence.value) + " " + to_hex(at.epoch) + " " + to_hex(at.head) + "\n";
}

inline std::optional<Position> parse_position(const std::string& text) {
  std::istringstream words(text);
  Position at;
  std::string epoch, head;
  words >> at.sequence.value >> epoch >> head;
  const auto epoch_bytes = from_hex(epoch);
  const auto head_bytes = from_hex(head);
  if (!words || !epoch_bytes || epoch_bytes->size() != sizeof at.epoch || !head_bytes ||
      head_bytes->size() != sizeof at.head) {
    return std::nullopt;
  }
  at.epoch = load<Epoch>(epoch_bytes->data());
  at.head = load<Head>(head_bytes->data());
  return at;
}

inline constexpr std::size_t kCursorEpochBytes = 8;

// "5f0c8a3b9e1d2c47-1042": the beginning of the epoch in hex, and the last record read.
inline std::string cursor_text(const Position& at) {
  return to_hex(Bytes(at.epoch).first(kCursorEpochBytes)) + "-" + std::to_string(at.sequence.value);
}

// Code::invalid for a text that is no cursor, Code::conflict for one of another life or past `end`.
inline Result<Sequence> parse_cursor(std::string_view text, const Position& end) {
  const auto dash = text.find('-');
  Sequence sequence;
  const auto* const last = text.data() + text.size();
  const auto number = dash == std::string_view::npos ? last : text.data() + dash + 1;
  const auto [stop, error] = std::from_chars(number, last, sequence.value);
  if (dash != 2 * kCursorEpochBytes || error != std::errc() || stop != last) {
    return Error{Code::invalid, "'" + std::string(text) +
                                    "' is no cursor; it is what --as-of of an "
                                    "earlier export said"};
  }
  if (text.substr(0, dash) != to_hex(Bytes(end.epoch).first(kCursorEpochBytes)) ||
      sequence > end.sequence) {
    return Error{Code::conflict,
                 "the cursor is of another journal, or of this one before it was restored; export "
                 "without --since"};
  }
  return sequence;
}

}  // namespace nando
