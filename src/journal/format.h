// The fixed bytes of a live segment: the header block at its start and the header of each batch.
// Encoding and decoding only; what makes a batch valid beyond its own bytes is live.h's business.
// Bytes: docs/formats/journal.md.
#pragma once

#include <optional>

#include "journal/batch.h"

namespace nando {

// A batch begins on a block of its own, so tearing one cannot touch a sector of another.
inline constexpr std::uint64_t kBlockBytes = 4096;
// What a disk writes whole.
inline constexpr std::uint64_t kSectorBytes = 512;
inline constexpr std::size_t kBatchHeaderBytes = 216;
inline constexpr std::uint64_t kSegmentBytesMin = 2 * kBlockBytes;

constexpr std::uint64_t round_up_to_block(std::uint64_t bytes) {
  return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
}

// What all segments of one journal share.
struct JournalKeys {
  Key128 hash_key{};
  std::uint64_t seed = 0;  // Of batch checksums: secret, so no visitor's text can hold a batch.

  bool operator==(const JournalKeys&) const = default;
};

struct SegmentHeader {
  std::uint64_t number = 0;
  std::uint64_t segment_bytes = 0;  // Of the whole live file, prepared space included.
  Epoch epoch{};
  std::uint32_t node = 0;
  Sequence first;  // That the first record of this segment has, or will have.
  Head before{};
  UnixTime created;
  JournalKeys keys;
};

using HeaderBlock = std::array<std::byte, kBlockBytes>;
void encode(const SegmentHeader& header, HeaderBlock& block);
// Nothing if magic, version or checksum is wrong.
std::optional<SegmentHeader> decode_segment_header(Bytes block);

struct BatchHeader {
  std::uint32_t records = 0;
  std::uint32_t count_bytes = 0;
  std::uint32_t detail_bytes = 0;
  std::uint32_t mac_key = 0;
  std::uint64_t segment = 0;
  Sequence first;
  UnixTime committed;
  Epoch epoch{};
  Head before{};
  Hash256 count_hash{};
  Hash256 detail_hash{};
  Head after{};
  std::uint64_t parts_checksum = 0;  // Set by encode().

  // Header, parts, and zeros up to a whole block.
  std::uint64_t bytes_on_disk() const {
    return round_up_to_block(kBatchHeaderBytes + std::uint64_t{count_bytes} + detail_bytes);
  }
};

using BatchHeaderBytes = std::array<std::byte, kBatchHeaderBytes>;
// With its two checksums: of the parts, then of the header itself.
void encode(const BatchHeader& header, Bytes count_part, Bytes detail_part, std::uint64_t seed,
            BatchHeaderBytes& bytes);
// Nothing if magic, version, a size or the checksum of the header is wrong. Looks at
// kBatchHeaderBytes only.
std::optional<BatchHeader> decode_batch_header(Bytes bytes, std::uint64_t seed);

bool all_zero(Bytes bytes);

enum class SegmentKind { live, sealed };
std::string segment_name(std::uint64_t number, SegmentKind kind);
struct SegmentName {
  std::uint64_t number = 0;
  SegmentKind kind = SegmentKind::live;
};
// Nothing if `name` is not one that segment_name() makes.
std::optional<SegmentName> parse_segment_name(std::string_view name);

// Writes fields one after the other. Requires: there is room.
class FieldWriter {
 public:
  explicit FieldWriter(std::byte* to) : to_(to) {}

  template <class T>
  void fixed(T value) {
    store(to_, value);
    to_ += sizeof value;
  }
  void raw(Bytes bytes) {
    std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
  }
  void time(UnixTime time) { fixed<std::int64_t>(time.time_since_epoch().count()); }
  void begin(std::string_view magic, std::uint32_t version) {
    raw(as_bytes(magic));
    fixed(version);
  }
  // What live and sealed headers have in common: 108 bytes.
  void segment_fields(const SegmentHeader& header) {
    fixed(header.node);
    fixed(header.number);
    fixed(header.segment_bytes);
    raw(header.epoch);
    fixed(header.first.value);
    raw(header.before);
    time(header.created);
    raw(header.keys.hash_key);
    fixed(header.keys.seed);
  }

 private:
  std::byte* to_;
};

inline bool begins_with(ByteReader& from, std::string_view magic, std::uint32_t version) {
  return as_text(from.raw(magic.size())) == magic && from.fixed<std::uint32_t>() == version;
}

template <std::size_t n>
void take(ByteReader& from, std::array<std::byte, n>& into) {
  const auto bytes = from.raw(n);
  if (bytes.size() == n) std::memcpy(into.data(), bytes.data(), n);
}

inline UnixTime take_time(ByteReader& from) {
  return UnixTime{std::chrono::milliseconds{from.fixed<std::int64_t>()}};
}

inline SegmentHeader take_segment_fields(ByteReader& from) {
  SegmentHeader header;
  header.node = from.fixed<std::uint32_t>();
  header.number = from.fixed<std::uint64_t>();
  header.segment_bytes = from.fixed<std::uint64_t>();
  take(from, header.epoch);
  header.first.value = from.fixed<std::uint64_t>();
  take(from, header.before);
  header.created = take_time(from);
  take(from, header.keys.hash_key);
  header.keys.seed = from.fixed<std::uint64_t>();
  return header;
}

}  // namespace nando
