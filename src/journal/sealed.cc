#include "journal/sealed.h"

#include <zstd.h>

#include <algorithm>

#include "base/assert.h"

namespace nando {

namespace {

constexpr std::string_view kHeaderMagic = "NANDOSLD";
constexpr std::string_view kFooterMagic = "NANDOEND";
constexpr std::uint32_t kVersion = 1;
// A frame holds one batch more than it needs at most, and a few bytes a batch beside the parts.
constexpr std::uint64_t kPlainBytesMax = 2 * std::uint64_t{kBatchBytesMax};

Error damage(const SealedIndex& index, std::uint64_t offset, const std::string& what) {
  return {Code::corrupt, index.path + " at " + std::to_string(offset) + ": " + what};
}

std::uint64_t unzigzag(std::uint64_t value) {
  return (value >> 1) ^ (~(value & 1) + 1);
}

std::optional<SegmentHeader> decode_header(Bytes bytes) {
  const auto checked = bytes.first(kSealedHeaderBytes - 8);
  if (checksum(checked, 0) != load<std::uint64_t>(bytes.data() + checked.size())) {
    return std::nullopt;
  }
  ByteReader from(checked);
  if (!begins_with(from, kHeaderMagic, kVersion)) return std::nullopt;
  return take_segment_fields(from);
}

std::optional<SealedFooter> decode_footer(Bytes bytes, std::uint64_t seed) {
  const auto checked = bytes.first(kSealedFooterBytes - 8);
  if (checksum(checked, seed) != load<std::uint64_t>(bytes.data() + checked.size())) {
    return std::nullopt;
  }
  ByteReader from(checked);
  if (!begins_with(from, kFooterMagic, kVersion)) return std::nullopt;
  SealedFooter footer;
  footer.frames = from.fixed<std::uint32_t>();
  footer.index_offset = from.fixed<std::uint64_t>();
  footer.batches = from.fixed<std::uint64_t>();
  footer.last.value = from.fixed<std::uint64_t>();
  take(from, footer.after);
  footer.committed = take_time(from);
  footer.index_checksum = from.fixed<std::uint64_t>();
  return footer;
}

FrameEntry take_entry(ByteReader& from) {
  FrameEntry entry;
  entry.first.value = from.fixed<std::uint64_t>();
  entry.offset = from.fixed<std::uint64_t>();
  entry.count_stored = from.fixed<std::uint32_t>();
  entry.count_plain = from.fixed<std::uint32_t>();
  entry.detail_stored = from.fixed<std::uint32_t>();
  entry.detail_plain = from.fixed<std::uint32_t>();
  entry.batches = from.fixed<std::uint32_t>();
  entry.mac_key = from.fixed<std::uint32_t>();
  entry.committed = take_time(from);
  take(from, entry.before);
  entry.checksum = from.fixed<std::uint64_t>();
  return entry;
}

// The frames must lie end to end between header and index, and their records run on.
Result<> take_frames(ByteReader from, const SealedFooter& footer, SealedIndex& index) {
  auto offset = std::uint64_t{kSealedHeaderBytes};
  for (std::uint32_t i = 0; i < footer.frames; ++i) {
    const auto entry = take_entry(from);
    const auto plain = std::uint64_t{entry.count_plain} + entry.detail_plain;
    const bool runs_on = index.frames.empty() ? entry.first == index.header.first &&
                                                    entry.before == index.header.before
                                              : entry.first > index.frames.back().first;
    if (entry.offset != offset || !runs_on || entry.batches == 0 || plain > kPlainBytesMax ||
        entry.first > footer.last) {
      return damage(index, footer.index_offset + i * kFrameEntryBytes, "an impossible frame");
    }
    offset += entry.stored();
    index.frames.push_back(entry);
  }
  if (offset == footer.index_offset && from.done()) return {};
  return damage(index, footer.index_offset, "the index does not fit the file");
}

Result<Buffer> read_exactly(const File& file, const SealedIndex& index, std::uint64_t offset,
                            std::uint64_t bytes) {
  Buffer buffer(bytes);
  const auto got = file.read_at(offset, buffer);
  if (!got) return got.error();
  if (*got != bytes) return damage(index, offset + *got, "the file ends early");
  return buffer;
}

// The table of a frame's batches, in columns.
struct BatchRow {
  std::uint32_t records = 0;
  UnixTime committed;
  std::uint32_t mac_key = 0;
  bool details_removed = false;
  Hash256 detail_hash{};
};

bool take_table(ByteReader& from, const FrameEntry& entry, std::vector<BatchRow>& rows) {
  if (entry.batches > from.rest().size()) return false;
  rows.resize(entry.batches);
  for (auto& row : rows) {
    const auto records = from.varint();
    if (records == 0 || records > kBatchRecordsMax) return false;
    row.records = static_cast<std::uint32_t>(records);
  }
  auto committed = static_cast<std::uint64_t>(entry.committed.time_since_epoch().count());
  for (auto& row : rows) {
    committed += unzigzag(from.varint());
    row.committed = UnixTime{std::chrono::milliseconds{static_cast<std::int64_t>(committed)}};
  }
  auto mac_key = std::uint64_t{entry.mac_key};
  for (auto& row : rows) {
    mac_key += unzigzag(from.varint());
    row.mac_key = static_cast<std::uint32_t>(mac_key);
  }
  for (auto& row : rows) {
    const auto flags = from.varint();
    if (flags > kDetailsRemoved) return false;
    row.details_removed = flags == kDetailsRemoved;
  }
  for (auto& row : rows) {
    if (row.details_removed) take(from, row.detail_hash);
  }
  return from.ok();
}

}  // namespace

void encode(const SegmentHeader& header, SealedHeaderBytes& bytes) {
  FieldWriter to(bytes.data());
  to.begin(kHeaderMagic, kVersion);
  to.segment_fields(header);
  to.fixed(checksum(Bytes(bytes).first(kSealedHeaderBytes - 8), 0));
}

void encode(const FrameEntry& entry, Buffer& index) {
  index.resize(index.size() + kFrameEntryBytes);
  FieldWriter to(index.data() + index.size() - kFrameEntryBytes);
  to.fixed(entry.first.value);
  to.fixed(entry.offset);
  to.fixed(entry.count_stored);
  to.fixed(entry.count_plain);
  to.fixed(entry.detail_stored);
  to.fixed(entry.detail_plain);
  to.fixed(entry.batches);
  to.fixed(entry.mac_key);
  to.time(entry.committed);
  to.raw(entry.before);
  to.fixed(entry.checksum);
}

void encode(const SealedFooter& footer, std::uint64_t seed, SealedFooterBytes& bytes) {
  FieldWriter to(bytes.data());
  to.begin(kFooterMagic, kVersion);
  to.fixed(footer.frames);
  to.fixed(footer.index_offset);
  to.fixed(footer.batches);
  to.fixed(footer.last.value);
  to.raw(footer.after);
  to.time(footer.committed);
  to.fixed(footer.index_checksum);
  to.fixed(checksum(Bytes(bytes).first(kSealedFooterBytes - 8), seed));
}

std::size_t SealedIndex::frame_of(Sequence sequence) const {
  const auto after = std::upper_bound(
      frames.begin(), frames.end(), sequence,
      [](Sequence wanted, const FrameEntry& entry) { return wanted < entry.first; });
  ASSERT(after != frames.begin() && sequence <= last.sequence);
  return static_cast<std::size_t>(after - frames.begin()) - 1;
}

Result<SealedIndex> read_sealed_index(Directory& directory, std::uint64_t number,
                                      std::string_view name) {
  const auto file = directory.open(name, OpenMode::read);
  if (!file) return file.error();
  return read_sealed_index(**file, number, directory.path() + "/" + std::string(name));
}

Result<SealedIndex> read_sealed_index(const File& file, std::uint64_t number, std::string path) {
  const auto size = file.size();
  if (!size) return size.error();
  SealedIndex index;
  index.path = std::move(path);
  index.bytes = *size;
  if (*size < kSealedHeaderBytes + kSealedFooterBytes) {
    return damage(index, *size, "the file ends early");
  }
  const auto head = read_exactly(file, index, 0, kSealedHeaderBytes);
  if (!head) return head.error();
  const auto header = decode_header(*head);
  if (!header || header->number != number) return damage(index, 0, "the header is damaged");
  index.header = *header;

  const auto footer_at = *size - kSealedFooterBytes;
  const auto foot = read_exactly(file, index, footer_at, kSealedFooterBytes);
  if (!foot) return foot.error();
  const auto footer = decode_footer(*foot, header->keys.seed);
  if (!footer || footer->index_offset > footer_at) {
    return damage(index, footer_at, "the footer is damaged");
  }
  const auto entries =
      read_exactly(file, index, footer->index_offset, footer_at - footer->index_offset);
  if (!entries) return entries.error();
  if (checksum(*entries, header->keys.seed) != footer->index_checksum) {
    return damage(index, footer->index_offset, "the index is damaged");
  }
  index.checksum = footer->index_checksum;
  index.batches = footer->batches;
  index.last = {header->epoch, footer->last, footer->after};
  if (auto done = take_frames(ByteReader(*entries), *footer, index); !done) return done.error();
  return index;
}

FrameReader::FrameReader() : context_(ZSTD_createDCtx()) {
  ASSERT(context_ != nullptr);
}
FrameReader::~FrameReader() = default;
void FrameReader::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

Result<> FrameReader::read(const File& file, const SealedIndex& index, std::size_t number,
                           Frame& into) {
  const auto& entry = index.frames[number];
  stored_.resize(entry.stored());
  const auto got = file.read_at(entry.offset, stored_);
  if (!got) return got.error();
  if (*got != stored_.size() || checksum(stored_, index.header.keys.seed) != entry.checksum) {
    return damage(index, entry.offset, "the frame is damaged");
  }
  into.count.resize(entry.count_plain);
  into.detail.resize(entry.detail_plain);
  const auto inflate = [&](Buffer& to, std::size_t at, std::size_t bytes) {
    return ZSTD_decompressDCtx(context_.get(), to.data(), to.size(), stored_.data() + at, bytes) ==
           to.size();
  };
  if (!inflate(into.count, 0, entry.count_stored) ||
      !inflate(into.detail, entry.count_stored, entry.detail_stored)) {
    return damage(index, entry.offset, "the frame does not decompress");
  }
  return unpack(index, number, into);
}

// Cuts the streams into batches and records, and computes the chain again.
Result<> FrameReader::unpack(const SealedIndex& index, std::size_t number, Frame& into) {
  const auto& entry = index.frames[number];
  const auto malformed = [&] { return damage(index, entry.offset, "the frame is malformed"); };
  ByteReader count(into.count);
  std::vector<BatchRow> rows;
  if (!take_table(count, entry, rows)) return malformed();

  std::size_t records = 0;
  for (const auto& row : rows) records += row.records;
  if (records > into.count.size()) return malformed();
  into.records.clear();
  into.records.reserve(records);  // The views of batches point into it.
  into.batches.clear();
  into.parts.clear();
  ByteReader detail(into.detail);
  auto first = entry.first;
  auto head = entry.before;
  for (const auto& row : rows) {
    const auto count_from = count.rest();
    const auto detail_from = detail.rest();
    const auto at = into.records.size();
    if (!take_records(count, detail, row.records, into.records)) return malformed();
    const auto count_part = count_from.first(count_from.size() - count.rest().size());
    const auto detail_part = detail_from.first(detail_from.size() - detail.rest().size());
    const auto detail_hash = row.details_removed ? row.detail_hash : blake2b(detail_part);
    into.parts.push_back({head, count_part, detail_part, detail_hash});
    head = next_head(head, first, row.records, row.committed, row.mac_key, blake2b(count_part),
                     detail_hash);
    into.batches.push_back({first, row.committed, row.mac_key, index.header.epoch, head,
                            row.details_removed, std::span(into.records).subspan(at, row.records)});
    first.value += row.records;
  }
  const bool is_last = number + 1 == index.frames.size();
  const auto& after = is_last ? index.last.head : index.frames[number + 1].before;
  const auto next = is_last ? index.last.sequence.value + 1 : index.frames[number + 1].first.value;
  if (!count.done() || !detail.done()) return malformed();
  if (head != after || first.value != next) {
    return damage(index, entry.offset, "the hash chain does not hold over the frame");
  }
  return {};
}

}  // namespace nando
