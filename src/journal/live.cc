#include "journal/live.h"

#include <algorithm>

#include "base/assert.h"

namespace nando {

namespace {

constexpr std::uint64_t kWindowBytes = 256 << 10;
// Zeros are written and synced in steps, so that filling a segment does not stand in the way of
// commits for long: not of their turn on the processor, which a kernel without preemption gives up
// between two writes only, and not of their turn on the disk.
constexpr std::uint64_t kFillBytes = 64 << 10;
constexpr std::uint64_t kFillSyncBytes = 4 << 20;
constexpr std::uint64_t kBlankBytes = 1 << 20;
constexpr std::uint64_t kRemoveBytes = 1 << 20;

Result<> write_zeros(File& file, std::uint64_t from, std::uint64_t to) {
  static const Buffer zeros(kFillBytes);
  for (auto at = from; at < to; at += kFillBytes) {
    const auto piece = Bytes(zeros).first(std::min(to - at, kFillBytes));
    if (auto done = file.write_at(at, piece); !done) return done;
  }
  return file.sync();
}

Result<> fill_with_zeros(File& file, std::uint64_t bytes) {
  if (auto done = file.allocate(bytes); !done) return done;
  for (std::uint64_t at = 0; at < bytes; at += kFillSyncBytes) {
    const auto to = std::min(bytes, at + kFillSyncBytes);
    if (auto done = write_zeros(file, at, to); !done) return done;
  }
  return {};
}

}  // namespace

Result<> remove_if_there(Directory& directory, const std::string& name) {
  auto removed = directory.remove(name);
  if (!removed && removed.error().code == Code::not_found) return {};
  return removed;
}

Result<> remove_in_steps(Directory& directory, const std::string& name) {
  const auto file = directory.open(name, OpenMode::write);
  if (!file) return file.error();
  const auto bytes = (*file)->size();
  if (!bytes) return bytes.error();
  if (auto done = directory.remove(name); !done) return done;
  // It has no name any more: what a step that fails leaves behind goes when the file is closed.
  for (auto left = *bytes; left > 0;) {
    left -= std::min(left, kRemoveBytes);
    if (!(*file)->truncate(left)) break;
  }
  return {};
}

Result<bool> Reserve::take(Directory& directory, const std::string& name,
                           const std::string& reserve_name) {
  ASSERT(!taken());
  if (auto done = directory.rename(name, reserve_name); !done) return done.error();
  auto file = directory.open(reserve_name, OpenMode::write);
  const auto bytes = file ? (*file)->size() : Result<std::uint64_t>(file.error());
  if (!bytes) {
    if (auto done = directory.remove(reserve_name); !done) return done.error();
    return false;
  }
  file_ = std::move(*file);
  bytes_ = *bytes;
  zeroed_ = 0;
  return true;
}

Result<> Reserve::blank_some() {
  ASSERT(taken() && !blank());
  const auto to = std::min(bytes_, zeroed_ + kBlankBytes);
  if (auto done = write_zeros(*file_, zeroed_, to); !done) return done;
  zeroed_ = to;
  return {};
}

Result<> make_zeros(Directory& directory, const std::string& name, std::uint64_t bytes) {
  if (auto done = remove_if_there(directory, name); !done) return done;
  auto file = directory.open(name, OpenMode::create_new);
  if (!file) return file.error();
  auto filled = fill_with_zeros(**file, bytes);
  if (!filled) {
    file->reset();
    // What stays behind is removed by the next attempt or the next open().
    static_cast<void>(directory.remove(name));
  }
  return filled;
}

Result<LiveFile> LiveFile::open(Directory& directory, std::uint64_t number) {
  const auto name = segment_name(number, SegmentKind::live);
  auto file = directory.open(name, OpenMode::read);
  if (!file) return file.error();
  const auto bytes = (*file)->size();
  if (!bytes) return bytes.error();
  LiveFile live(std::move(*file), *bytes, directory.path() + "/" + name);
  // Its size was durable before it had its name.
  if (*bytes < kSegmentBytesMin || *bytes % kBlockBytes != 0) {
    return Error{Code::corrupt, live.place(*bytes) + ": the file ends early"};
  }
  return live;
}

std::string LiveFile::place(std::uint64_t offset) const {
  return path_ + " at " + std::to_string(offset);
}

Result<std::optional<SegmentHeader>> LiveFile::header() {
  const auto block = peek(0, kBlockBytes);
  if (!block) return block.error();
  if (block->size() < kBlockBytes) return std::optional<SegmentHeader>();  // Being removed.
  return decode_segment_header(*block);
}

Result<Found> LiveFile::read(std::uint64_t offset, const Expected& expected, Check check,
                             LiveBatch& into) {
  if (offset + kBlockBytes > bytes_) return Found::end;
  const auto block = peek(offset, kBlockBytes);
  if (!block) return block.error();
  if (block->size() < kBlockBytes) return Found::end;  // Being removed.
  const auto header = decode_batch_header(*block, expected.seed);
  if (!header) return all_zero(*block) ? Found::blank : Found::bytes;
  if (header->segment != expected.segment || header->epoch != expected.epoch ||
      header->first != expected.first || header->before != expected.before ||
      header->bytes_on_disk() > bytes_ - offset) {
    return Found::stray;
  }
  const auto plain_bytes =
      kBatchHeaderBytes + std::uint64_t{header->count_bytes} + header->detail_bytes;
  const auto batch = peek(offset, plain_bytes);
  if (!batch) return batch.error();
  const auto parts = batch->subspan(std::min(kBatchHeaderBytes, batch->size()));
  if (batch->size() != plain_bytes || checksum(parts, expected.seed) != header->parts_checksum) {
    return Found::bytes;
  }
  const auto count_part = parts.first(header->count_bytes);
  const auto detail_part = parts.subspan(header->count_bytes);
  ByteReader count(count_part);
  ByteReader detail(detail_part);
  records_.clear();
  if (!take_records(count, detail, header->records, records_) || !count.done() || !detail.done()) {
    return Found::stray;
  }
  if (check == Check::chain) {
    const bool holds =
        blake2b(count_part) == header->count_hash && blake2b(detail_part) == header->detail_hash &&
        next_head(header->before, header->first, header->records, header->committed,
                  header->mac_key, header->count_hash, header->detail_hash) == header->after;
    if (!holds) return Found::stray;
  }
  into.offset = offset;
  into.header = *header;
  into.view = {header->first, header->committed, header->mac_key, header->epoch, header->after,
               false,         records_};
  into.count_part = count_part;
  into.detail_part = detail_part;
  return Found::batch;
}

Result<std::uint64_t> LiveFile::end_of_bytes(std::uint64_t offset) {
  auto end = offset;
  for (auto at = offset; at < bytes_; at += kWindowBytes) {
    const auto bytes = peek(at, kWindowBytes);
    if (!bytes) return bytes.error();
    if (all_zero(*bytes)) continue;
    for (std::uint64_t block = 0; block < bytes->size(); block += kBlockBytes) {
      const auto size = std::min<std::uint64_t>(kBlockBytes, bytes->size() - block);
      if (!all_zero(bytes->subspan(block, size))) end = at + block + size;
    }
  }
  return end;
}

Result<bool> LiveFile::holds_header(std::uint64_t offset, std::uint64_t seed) {
  for (auto at = offset; at + kBatchHeaderBytes <= bytes_; at += kSectorBytes) {
    const auto bytes = peek(at, kBatchHeaderBytes);
    if (!bytes) return bytes.error();
    if (decode_batch_header(*bytes, seed)) return true;
  }
  return false;
}

Result<Bytes> LiveFile::peek(std::uint64_t offset, std::uint64_t bytes) {
  ASSERT(offset <= bytes_);
  const auto window_end = window_at_ + window_bytes_;
  const auto wanted_end = std::min(offset + bytes, bytes_);
  if (offset >= window_at_ && wanted_end <= window_end) {
    return Bytes(window_).subspan(offset - window_at_, wanted_end - offset);
  }
  const auto size = std::min(std::max(bytes, kWindowBytes), bytes_ - std::min(offset, bytes_));
  if (window_.size() < size) window_.resize(size);
  window_bytes_ = 0;
  const auto got = file_->read_at(offset, std::span(window_).first(size));
  if (!got) return got.error();
  window_at_ = offset;
  window_bytes_ = *got;
  return Bytes(window_).first(std::min<std::uint64_t>(*got, bytes));
}

Expected expect_first(const SegmentHeader& header) {
  return {header.number, header.keys.seed, header.epoch, header.first, header.before};
}

Expected expect_after(const BatchHeader& header, std::uint64_t seed) {
  return {header.segment, seed, header.epoch, Sequence{header.first.value + header.records},
          header.after};
}

}  // namespace nando
