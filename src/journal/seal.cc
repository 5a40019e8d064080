#include <zstd.h>

#include "base/assert.h"
#include "journal/live.h"
#include "journal/sealed.h"

namespace nando {

namespace {

// Synced in steps, so that a long sync does not stand in the way of commits.
constexpr std::uint64_t kSealSyncBytes = 512 << 10;

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

Buffer join(std::span<const Bytes> parts) {
  Buffer joined;
  for (const auto part : parts) joined.insert(joined.end(), part.begin(), part.end());
  return joined;
}

// A batch to be stored. `before` and `after`: the heads around it.
struct BatchToSeal {
  Sequence first;
  std::uint32_t records = 0;
  UnixTime committed;
  std::uint32_t mac_key = 0;
  Head before{};
  Head after{};
  Bytes count_part;
  Bytes detail_part;
  std::optional<Hash256> removed;  // Where details are missing: the hash of all of them.
};

BatchToSeal to_seal(const LiveBatch& batch) {
  const auto& header = batch.header;
  return {header.first, header.records,   header.committed,  header.mac_key, header.before,
          header.after, batch.count_part, batch.detail_part, std::nullopt};
}

// Gathers batches into frames and writes them to a file, one after the other.
class Sealer {
 public:
  Sealer(File& file, const SegmentHeader& header, int level)
      : file_(file), header_(header), level_(level), context_(ZSTD_createCCtx()) {
    ASSERT(context_ != nullptr);
    footer_.last.value = header.first.value - 1;
    footer_.after = header.before;
    clear();
  }

  Result<> begin() {
    SealedHeaderBytes bytes;
    encode(header_, bytes);
    return write(bytes);
  }
  Result<> add(const BatchToSeal& batch);
  // Writes what is left, the index and the footer, and syncs. Returns the bytes of the file.
  Result<std::uint64_t> finish();

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };

  void clear();
  Result<> flush();
  Buffer deflate(Bytes plain);
  Result<> write(Bytes bytes);

  File& file_;
  SegmentHeader header_;
  int level_;
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  std::uint64_t offset_ = 0;
  std::uint64_t synced_ = 0;
  FrameEntry entry_;
  // The columns of the frame's table.
  Buffer records_;
  Buffer committed_;
  Buffer mac_keys_;
  Buffer flags_;
  Buffer removed_;
  Buffer count_;
  Buffer detail_;
  std::uint32_t last_mac_key_ = 0;
  Buffer index_;
  SealedFooter footer_;
};

void Sealer::clear() {
  entry_ = FrameEntry{};
  for (auto* buffer : {&records_, &committed_, &mac_keys_, &flags_, &removed_, &count_, &detail_})
    buffer->clear();
}

Result<> Sealer::add(const BatchToSeal& batch) {
  if (entry_.batches == 0) {
    entry_.first = batch.first;
    entry_.committed = footer_.committed = batch.committed;
    entry_.mac_key = last_mac_key_ = batch.mac_key;
    entry_.before = batch.before;
  }
  ByteWriter(records_).varint(batch.records);
  ByteWriter(committed_).varint(zigzag((batch.committed - footer_.committed).count()));
  ByteWriter(mac_keys_).varint(zigzag(std::int64_t{batch.mac_key} - std::int64_t{last_mac_key_}));
  ByteWriter(flags_).varint(batch.removed ? kDetailsRemoved : 0);
  if (batch.removed) ByteWriter(removed_).raw(*batch.removed);
  ByteWriter(count_).raw(batch.count_part);
  ByteWriter(detail_).raw(batch.detail_part);
  ++entry_.batches;
  ++footer_.batches;
  footer_.committed = batch.committed;
  last_mac_key_ = batch.mac_key;
  footer_.last = Sequence{batch.first.value + batch.records - 1};
  footer_.after = batch.after;
  if (count_.size() + detail_.size() < kFrameBytes) return {};
  return flush();
}

Result<> Sealer::flush() {
  if (entry_.batches == 0) return {};
  const std::array<Bytes, 6> columns{records_, committed_, mac_keys_, flags_, removed_, count_};
  const auto count_plain = join(columns);
  const auto count = deflate(count_plain);
  const auto detail = deflate(detail_);
  const std::array<Bytes, 2> streams{count, detail};
  entry_.offset = offset_;
  entry_.count_stored = static_cast<std::uint32_t>(count.size());
  entry_.count_plain = static_cast<std::uint32_t>(count_plain.size());
  entry_.detail_stored = static_cast<std::uint32_t>(detail.size());
  entry_.detail_plain = static_cast<std::uint32_t>(detail_.size());
  entry_.checksum = checksum(streams, header_.keys.seed);
  encode(entry_, index_);
  ++footer_.frames;
  clear();
  return write(join(streams));
}

Result<std::uint64_t> Sealer::finish() {
  if (auto done = flush(); !done) return done.error();
  footer_.index_offset = offset_;
  footer_.index_checksum = checksum(index_, header_.keys.seed);
  if (auto done = write(index_); !done) return done.error();
  SealedFooterBytes bytes;
  encode(footer_, header_.keys.seed, bytes);
  if (auto done = write(bytes); !done) return done.error();
  if (auto done = file_.sync(); !done) return done.error();
  return offset_;
}

Buffer Sealer::deflate(Bytes plain) {
  Buffer packed(ZSTD_compressBound(plain.size()));
  const auto bytes = ZSTD_compressCCtx(context_.get(), packed.data(), packed.size(), plain.data(),
                                       plain.size(), level_);
  ASSERT(!ZSTD_isError(bytes));
  packed.resize(bytes);
  return packed;
}

Result<> Sealer::write(Bytes bytes) {
  if (auto done = file_.write_at(offset_, bytes); !done) return done;
  offset_ += bytes.size();
  if (offset_ - synced_ < kSealSyncBytes) return {};
  synced_ = offset_;
  return file_.sync();
}

Result<> copy_batches(LiveFile& live, const SegmentHeader& header, const Position& end,
                      Sealer& sealer) {
  auto expected = expect_first(header);
  auto offset = kBlockBytes;
  LiveBatch batch;
  while (expected.first <= end.sequence) {
    // The chain is held against `end` when the copy is read back.
    const auto found = live.read(offset, expected, Check::checksum, batch);
    if (!found) return found.error();
    if (*found != Found::batch) {
      return Error{Code::corrupt, live.place(offset) + ": no valid batch, but records follow"};
    }
    if (auto done = sealer.add(to_seal(batch)); !done) return done;
    offset = batch.end();
    expected = expect_after(batch.header, expected.seed);
  }
  if (expected.before != end.head) {
    return Error{Code::corrupt, live.place(offset) + ": the segment ends at another head"};
  }
  const auto more = live.read(offset, expected, Check::checksum, batch);
  if (!more) return more.error();
  ASSERT(*more != Found::batch);
  return {};
}

// As copy_batches(), but to `up_to` or as far as there are batches.
Result<Position> copy_some(LiveFile& live, const SegmentHeader& header, Sequence up_to,
                           Sealer& sealer) {
  auto expected = expect_first(header);
  Position end{header.epoch, Sequence{header.first.value - 1}, header.before};
  auto offset = kBlockBytes;
  LiveBatch batch;
  while (expected.first <= up_to) {
    const auto found = live.read(offset, expected, Check::chain, batch);
    if (!found) return found.error();
    if (*found != Found::batch) break;
    if (auto done = sealer.add(to_seal(batch)); !done) return done.error();
    end = {batch.header.epoch, batch.view.last(), batch.header.after};
    offset = batch.end();
    expected = expect_after(batch.header, expected.seed);
  }
  return end;
}

Result<std::uint64_t> write_copy(Directory& directory, std::uint64_t number, const Position& end,
                                 int level, const std::string& name) {
  auto live = LiveFile::open(directory, number);
  if (!live) return live.error();
  const auto header = live->header();
  if (!header) return header.error();
  if (!*header) return Error{Code::corrupt, live->place(0) + ": the header is damaged"};
  auto file = directory.open(name, OpenMode::create_new);
  if (!file) return file.error();
  Sealer sealer(**file, **header, level);
  if (auto done = sealer.begin(); !done) return done.error();
  if (auto done = copy_batches(*live, **header, end, sealer); !done) return done.error();
  return sealer.finish();
}

Result<SealedSpan> check_file(Directory& directory, std::uint64_t number, const std::string& name) {
  const auto file = directory.open(name, OpenMode::read);
  if (!file) return file.error();
  const auto index = read_sealed_index(**file, number, directory.path() + "/" + name);
  if (!index) return index.error();
  FrameReader reader;
  Frame frame;
  for (std::size_t i = 0; i < index->frames.size(); ++i) {
    if (auto done = reader.read(**file, *index, i, frame); !done) return done.error();
  }
  const auto& header = index->header;
  return SealedSpan{{header.epoch, Sequence{header.first.value - 1}, header.before}, index->last};
}

// The original goes when the copy is there, so the copy must say the same to the last bit: the
// chain covers every record.
Result<> read_back(Directory& directory, std::uint64_t number, const Position& end,
                   const std::string& name) {
  const auto span = check_file(directory, number, name);
  if (!span) return span.error();
  ASSERT(span->last.sequence == end.sequence && span->last.head == end.head);
  return {};
}

// Reads the frames of a sealed segment one after the other.
class FrameWalk {
 public:
  FrameWalk(const File& file, const SealedIndex& index) : file_(file), index_(index) {}

  // For each batch, until `visit` says false or fails.
  template <class Visit>
  Result<> each(Visit visit) {
    for (std::size_t i = 0; i < index_.frames.size(); ++i) {
      if (auto done = reader_.read(file_, index_, i, frame_); !done) return done;
      for (std::size_t b = 0; b < frame_.batches.size(); ++b) {
        const Result<bool> more = visit(frame_.batches[b], frame_.parts[b]);
        if (!more) return more.error();
        if (!*more) return {};
      }
    }
    return {};
  }

 private:
  const File& file_;
  const SealedIndex& index_;
  FrameReader reader_;
  Frame frame_;
};

// What `forget` leaves of a batch's detail part, in `left`. Returns how many records lose theirs.
Result<std::uint64_t> prune(const BatchView& batch, const Forget& forget, Buffer& left) {
  left.clear();
  std::uint64_t pruned = 0;
  auto sequence = batch.first;
  for (const auto& record : batch.records) {
    Result<bool> goes = false;
    if (!record.detail.empty()) goes = forget(record, sequence, batch.committed);
    if (!goes) return goes.error();
    ByteWriter(left).sized(*goes ? Bytes() : record.detail);
    pruned += *goes ? 1 : 0;
    ++sequence.value;
  }
  return pruned;
}

Result<bool> loses_any(const File& file, const SealedIndex& index, const Forget& forget) {
  bool any = false;
  Buffer left;
  FrameWalk walk(file, index);
  const auto done =
      walk.each([&](const BatchView& batch, const BatchParts& /*parts*/) -> Result<bool> {
        const auto pruned = prune(batch, forget, left);
        if (!pruned) return pruned.error();
        any = *pruned > 0;
        return !any;
      });
  if (!done) return done.error();
  return any;
}

Result<Pruned> write_pruned(const File& file, const SealedIndex& index, const Forget& forget,
                            int level, File& to) {
  Pruned all;
  Buffer left;
  Sealer sealer(to, index.header, level);
  if (auto done = sealer.begin(); !done) return done.error();
  FrameWalk walk(file, index);
  const auto done = walk.each([&](const BatchView& batch, const BatchParts& parts) -> Result<bool> {
    const auto pruned = prune(batch, forget, left);
    if (!pruned) return pruned.error();
    all.records += *pruned;
    BatchToSeal next{batch.first,     static_cast<std::uint32_t>(batch.records.size()),
                     batch.committed, batch.mac_key,
                     parts.before,    batch.head,
                     parts.count,     left,
                     std::nullopt};
    if (batch.details_removed || *pruned > 0) next.removed = parts.detail_hash;
    if (auto added = sealer.add(next); !added) return added.error();
    return true;
  });
  if (!done) return done.error();
  const auto bytes = sealer.finish();
  if (!bytes) return bytes.error();
  all.bytes = *bytes;
  return all;
}

// `name` gets what `temporary` holds, durably, or `temporary` goes.
Result<> put_in_place(Directory& directory, Result<> made, const std::string& temporary,
                      const std::string& name) {
  if (made) made = directory.rename(temporary, name);
  if (made) return directory.sync();
  static_cast<void>(directory.remove(temporary));
  return made;
}

}  // namespace

Result<Pruned> prune_segment(Directory& directory, std::uint64_t number, const Forget& forget,
                             int level) {
  const auto name = segment_name(number, SegmentKind::sealed);
  const auto temporary = name + ".tmp";
  const auto old = directory.open(name, OpenMode::read);
  if (!old) return old.error();
  const auto index = read_sealed_index(**old, number, directory.path() + "/" + name);
  if (!index) return index.error();
  const auto any = loses_any(**old, *index, forget);
  if (!any) return any.error();
  if (!*any) return Pruned{0, index->bytes};
  if (auto done = remove_if_there(directory, temporary); !done) return done.error();
  auto file = directory.open(temporary, OpenMode::create_new);
  if (!file) return file.error();
  const auto pruned = write_pruned(**old, *index, forget, level, **file);
  auto made =
      pruned ? read_back(directory, number, index->last, temporary) : Result<>(pruned.error());
  made = put_in_place(directory, made, temporary, name);
  if (!made) return made.error();
  return *pruned;
}

Result<SealedSpan> check_sealed(Directory& directory, std::uint64_t number) {
  return check_file(directory, number, segment_name(number, SegmentKind::sealed));
}

Result<Position> seal_copy(Directory& from, std::uint64_t number, Sequence up_to, int level,
                           Directory& to) {
  auto live = LiveFile::open(from, number);
  if (!live) return live.error();
  const auto header = live->header();
  if (!header) return header.error();
  if (!*header) return Error{Code::corrupt, live->place(0) + ": the header is damaged"};
  auto file = to.open(segment_name(number, SegmentKind::sealed), OpenMode::create_new);
  if (!file) return file.error();
  Sealer sealer(**file, **header, level);
  if (auto done = sealer.begin(); !done) return done.error();
  const auto end = copy_some(*live, **header, up_to, sealer);
  if (!end) return end.error();
  if (auto done = sealer.finish(); !done) return done.error();
  return *end;
}

Result<std::uint64_t> seal_segment(Directory& directory, std::uint64_t number, const Position& end,
                                   int level) {
  const auto name = segment_name(number, SegmentKind::sealed);
  const auto temporary = name + ".tmp";
  if (auto done = remove_if_there(directory, temporary); !done) return done.error();
  const auto bytes = write_copy(directory, number, end, level, temporary);
  const auto made = bytes ? read_back(directory, number, end, temporary) : Result<>(bytes.error());
  if (auto done = put_in_place(directory, made, temporary, name); !done) return done.error();
  return *bytes;
}

}  // namespace nando
