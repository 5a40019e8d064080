#include "journal/format.h"

#include <fmt/core.h>

#include <charconv>

#include "base/assert.h"

namespace nando {

namespace {

constexpr std::string_view kSegmentMagic = "NANDOSEG";
constexpr std::string_view kBatchMagic = "NANDOBAT";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kNumberDigits = 12;
constexpr std::size_t kSegmentChecksumAt = kBlockBytes - 8;
constexpr std::size_t kHeaderChecksumAt = kBatchHeaderBytes - 8;

}  // namespace

void encode(const SegmentHeader& header, HeaderBlock& block) {
  block.fill(std::byte{0});
  FieldWriter to(block.data());
  to.begin(kSegmentMagic, kVersion);
  to.segment_fields(header);
  store(block.data() + kSegmentChecksumAt, checksum(Bytes(block).first(kSegmentChecksumAt), 0));
}

std::optional<SegmentHeader> decode_segment_header(Bytes block) {
  if (block.size() < kBlockBytes) return std::nullopt;
  ByteReader from(block);
  if (!begins_with(from, kSegmentMagic, kVersion)) return std::nullopt;
  const auto written = load<std::uint64_t>(block.data() + kSegmentChecksumAt);
  if (checksum(block.first(kSegmentChecksumAt), 0) != written) return std::nullopt;
  return take_segment_fields(from);
}

void encode(const BatchHeader& header, Bytes count_part, Bytes detail_part, std::uint64_t seed,
            BatchHeaderBytes& bytes) {
  FieldWriter to(bytes.data());
  to.begin(kBatchMagic, kVersion);
  to.fixed(header.records);
  to.fixed(header.count_bytes);
  to.fixed(header.detail_bytes);
  to.fixed(header.segment);
  to.fixed(header.first.value);
  to.time(header.committed);
  to.fixed(header.mac_key);
  to.fixed(std::uint32_t{0});
  to.raw(header.epoch);
  to.raw(header.before);
  to.raw(header.count_hash);
  to.raw(header.detail_hash);
  to.raw(header.after);
  const std::array parts{count_part, detail_part};
  to.fixed(checksum(parts, seed));
  to.fixed(checksum(Bytes(bytes).first(kHeaderChecksumAt), seed));
}

std::optional<BatchHeader> decode_batch_header(Bytes bytes, std::uint64_t seed) {
  if (bytes.size() < kBatchHeaderBytes) return std::nullopt;
  ByteReader from(bytes);
  if (!begins_with(from, kBatchMagic, kVersion)) return std::nullopt;
  const auto written = load<std::uint64_t>(bytes.data() + kHeaderChecksumAt);
  if (checksum(bytes.first(kHeaderChecksumAt), seed) != written) return std::nullopt;
  BatchHeader header;
  header.records = from.fixed<std::uint32_t>();
  header.count_bytes = from.fixed<std::uint32_t>();
  header.detail_bytes = from.fixed<std::uint32_t>();
  header.segment = from.fixed<std::uint64_t>();
  header.first.value = from.fixed<std::uint64_t>();
  header.committed = take_time(from);
  header.mac_key = from.fixed<std::uint32_t>();
  const auto reserved = from.fixed<std::uint32_t>();
  take(from, header.epoch);
  take(from, header.before);
  take(from, header.count_hash);
  take(from, header.detail_hash);
  take(from, header.after);
  header.parts_checksum = from.fixed<std::uint64_t>();
  const bool sizes = header.records > 0 && header.records <= kBatchRecordsMax &&
                     std::uint64_t{header.count_bytes} + header.detail_bytes <= kBatchBytesMax;
  if (reserved != 0 || !sizes) return std::nullopt;
  return header;
}

bool all_zero(Bytes bytes) {
  // Every byte equals the next one, and the first is zero: memcmp runs at memory speed.
  return bytes.empty() || (bytes[0] == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::string segment_name(std::uint64_t number, SegmentKind kind) {
  return fmt::format("{:012}.{}", number, kind == SegmentKind::live ? "live" : "sealed");
}

std::optional<SegmentName> parse_segment_name(std::string_view name) {
  if (name.size() <= kNumberDigits) return std::nullopt;
  SegmentName parsed;
  const auto* const end = name.data() + kNumberDigits;
  const auto [stop, error] = std::from_chars(name.data(), end, parsed.number);
  if (error != std::errc{} || stop != end || parsed.number == 0) return std::nullopt;
  const auto extension = name.substr(kNumberDigits);
  if (extension != ".live" && extension != ".sealed") return std::nullopt;
  parsed.kind = extension == ".live" ? SegmentKind::live : SegmentKind::sealed;
  return parsed;
}

}  // namespace nando
