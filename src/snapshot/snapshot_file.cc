#include "snapshot/snapshot_file.h"

#include <algorithm>

namespace nando {

namespace {

constexpr std::size_t kBufferBytes = 1 << 20;
constexpr std::uint64_t kSeed =
    0x4e414e444f534e50;  // "NANDOSNP": another seed than any other checksum here.

}  // namespace

SnapshotWriter::SnapshotWriter(File& file) : file_(file), buffer_(kBufferBytes), checksum_(kSeed) {}

void SnapshotWriter::put_text(std::string_view text) {
  put(static_cast<std::uint32_t>(text.size()));
  for (const char c : text) put(c);
}

void SnapshotWriter::flush() {
  const auto bytes = Bytes(buffer_).first(used_);
  checksum_.add(bytes);
  if (status_) status_ = file_.write_at(offset_, bytes);
  offset_ += used_;
  used_ = 0;
}

Result<> SnapshotWriter::finish() {
  flush();
  put(checksum_.value());
  if (status_) status_ = file_.write_at(offset_, Bytes(buffer_).first(used_));
  if (!status_) return status_;
  return file_.sync();
}

SnapshotReader::SnapshotReader(const File& file)
    : file_(file), buffer_(kBufferBytes), checksum_(kSeed) {}

void SnapshotReader::drop_used() {
  checksum_.add(Bytes(buffer_).first(used_));
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(used_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= used_;
  used_ = 0;
}

bool SnapshotReader::fill(std::size_t at_least) {
  if (!ok_) return false;
  drop_used();
  const auto got = file_.read_at(offset_, std::span(buffer_).subspan(end_));
  if (got) {
    end_ += *got;
    offset_ += *got;
  }
  ok_ = got && end_ >= at_least;
  return ok_;
}

std::string SnapshotReader::get_text(std::size_t bytes_max) {
  const auto size = get<std::uint32_t>();
  if (size > bytes_max) ok_ = false;
  std::string text;
  for (std::uint32_t i = 0; ok_ && i < size; ++i) text += get<char>();
  return text;
}

bool SnapshotReader::finish() {
  if (!ok_) return false;
  drop_used();
  const auto expected = checksum_.value();
  std::array<std::byte, sizeof expected + 1> rest;
  std::size_t size = std::min(end_, rest.size());
  std::copy_n(buffer_.begin(), size, rest.begin());
  const auto got = file_.read_at(offset_, std::span(rest).subspan(size));
  if (got) size += *got;
  ok_ = got && size == sizeof expected && load<std::uint64_t>(rest.data()) == expected;
  return ok_;
}

}  // namespace nando
