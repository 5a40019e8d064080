// Recovery and reading from bytes that no writer made. The first byte says what the rest is: the
// second segment of a journal as it is, the same with its checksums made good, or the two streams
// of records alone.
#include <cstdlib>

#include "disk/simulated_disk.h"
#include "journal/journal.h"
#include "journal/reader.h"
#include "journal/sealed.h"

namespace nando {

namespace {

constexpr JournalOptions kTiny{.segment_bytes = 16 << 10,
                               .segment_bytes_hurry = 8 << 10,
                               .segment_bytes_min = 8 << 10,
                               .seal_level = 1};

void require(bool holds) {
  if (!holds) std::abort();
}

Replay ignore() {
  return [](const BatchView&) -> Result<> { return {}; };
}

// A journal with one full segment and one in use.
SimulatedDisk::Image sound_image() {
  SimulatedDisk disk(1);
  ManualClock clock;
  SeededEntropy entropy(1);
  auto opened = Journal::open(disk, kTiny, clock, entropy, Position{}, ignore());
  const auto journal = std::move(*opened);
  BatchBuilder batch;
  for (int i = 0; i < 3; ++i) {
    batch.clear();
    batch.add(1, 1, as_bytes("count"), as_bytes("detail"));
    require(journal->append(batch).has_value());
    static_cast<void>(journal->keep());
  }
  return disk.image();
}

// Whatever the bytes are: a start that works can be repeated and read, and one that does not names
// its reason.
void start_twice(const SimulatedDisk::Image& image) {
  SimulatedDisk disk(1, image);
  ManualClock clock;
  SeededEntropy entropy(1);
  Position end;
  {
    const auto opened = Journal::open(disk, kTiny, clock, entropy, Position{}, ignore());
    if (!opened) return require(opened.error().code == Code::corrupt);
    end = (*opened)->position();
  }
  const auto again = Journal::open(disk, kTiny, clock, entropy, Position{}, ignore());
  require(again.has_value() && (*again)->position() == end && !(*again)->recovery().bytes_cut);
  JournalReader reader(disk);
  require(reader.end().value() == end);
  require(reader.scan(Sequence{0}, end.sequence, ignore()).has_value());
}

void overlay(std::span<std::byte> file, Bytes bytes) {
  std::copy_n(bytes.begin(), std::min(bytes.size(), file.size()), file.begin());
}

// Makes the checksums of whatever stands at each block good, so that what lies behind is reached.
void mend_checksums(Buffer& file, const JournalKeys& keys) {
  for (std::size_t at = kBlockBytes; at + kBatchHeaderBytes <= file.size(); at += kBlockBytes) {
    auto bytes = std::span(file).subspan(at);
    store(bytes.data() + kBatchHeaderBytes - 8,
          checksum(Bytes(bytes).first(kBatchHeaderBytes - 8), keys.seed));
    auto header = decode_batch_header(bytes, keys.seed);
    if (!header) continue;
    const auto parts = Bytes(bytes).subspan(kBatchHeaderBytes);
    if (header->count_bytes + std::uint64_t{header->detail_bytes} > parts.size()) continue;
    BatchHeaderBytes made;
    encode(*header, parts.first(header->count_bytes),
           parts.subspan(header->count_bytes, header->detail_bytes), keys.seed, made);
    std::copy(made.begin(), made.end(), bytes.begin());
  }
}

void read_records(Bytes bytes) {
  ByteReader count(bytes.first(bytes.size() / 2));
  ByteReader detail(bytes.subspan(bytes.size() / 2));
  std::vector<RecordView> records;
  if (!take_records(count, detail, 16, records)) return;
  require(records.size() == 16);
}

}  // namespace

}  // namespace nando

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nando;
  static const auto image = sound_image();
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
  if (data[0] % 4 == 3) {
    read_records(bytes);
    return 0;
  }
  auto spoilt = image;
  const auto name = data[0] % 4 == 2 ? "000000000001.sealed" : "000000000002.live";
  auto& file = spoilt.at(name);
  if (data[0] % 4 == 1) {
    overlay(std::span(file).subspan(kBlockBytes), bytes);
    mend_checksums(file, decode_segment_header(file)->keys);
  } else {
    overlay(file, bytes);
  }
  start_twice(spoilt);
  return 0;
}
