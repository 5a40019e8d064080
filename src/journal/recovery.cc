#include "journal/recovery.h"

#include <algorithm>

#include "base/assert.h"
#include "journal/sealed.h"

namespace nando {

namespace {

// A row matches the findings whose bits are all in its masks.
template <class... E>
constexpr unsigned any_of(E... values) {
  return ((1U << static_cast<unsigned>(values)) | ...);
}
constexpr unsigned kAny = ~0U;

struct Row {
  unsigned spots;
  unsigned rests;
  unsigned laters;
  Decision decision;
};

// A power cut leaves at most one batch behind that is not whole, at the end of everything, and so
// no valid batch after it. What does not fit that was promised once.
constexpr Row kRows[] = {
    {any_of(Spot::end), kAny, any_of(Later::blank), Decision::clean},
    {any_of(Spot::end), kAny, any_of(Later::used), Decision::onward},
    {any_of(Spot::blank), any_of(Rest::blank), any_of(Later::blank), Decision::clean},
    {any_of(Spot::blank), any_of(Rest::blank), any_of(Later::used), Decision::onward},
    {any_of(Spot::blank), any_of(Rest::bytes), any_of(Later::blank), Decision::cut},
    {any_of(Spot::blank), any_of(Rest::bytes), any_of(Later::used), Decision::damage},
    {any_of(Spot::blank), any_of(Rest::batch), kAny, Decision::damage},
    {any_of(Spot::bytes, Spot::no_header), any_of(Rest::blank, Rest::bytes), any_of(Later::blank),
     Decision::cut},
    {any_of(Spot::bytes, Spot::no_header), any_of(Rest::blank, Rest::bytes), any_of(Later::used),
     Decision::damage},
    {any_of(Spot::bytes, Spot::no_header), any_of(Rest::batch), kAny, Decision::damage},
    {any_of(Spot::stray), kAny, kAny, Decision::damage},
};

constexpr std::uint64_t kZeroBytes = 1 << 20;

Error damage(const std::string& place, const std::string& what) {
  return {Code::corrupt, place + ": " + what};
}

bool has_suffix(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

// Holds the caller's mark against the batches that pass, oldest first.
class Mark {
 public:
  explicit Mark(const Position& from) : from_(from) {}

  // Whether `batch` is after the mark.
  Result<bool> before(const BatchView& batch) {
    if (from_.sequence < batch.first) return true;
    if (batch.last() < from_.sequence) return false;
    found_ =
        batch.last() == from_.sequence && batch.epoch == from_.epoch && batch.head == from_.head;
    if (!found_) return conflict();
    return false;
  }

  // The same for a segment of which only the last batch is known.
  Result<bool> before_end(const Position& end) {
    // A segment may hold no batch, and then ends where the one before it did.
    if (found_ || !from_.sequence || end.sequence != from_.sequence) {
      return from_.sequence < end.sequence;
    }
    found_ = end == from_;
    if (!found_) return conflict();
    return false;
  }

  Sequence sequence() const { return from_.sequence; }

  // After the last batch: whether the mark was there at all.
  Result<> check(const Epoch& first_epoch) const {
    if (from_ == Position{} || found_) return {};
    if (from_ == Position{first_epoch, Sequence{0}, Head{}}) return {};
    return conflict();
  }

 private:
  Error conflict() const {
    return {Code::conflict, "the journal has no batch that ends at sequence " +
                                std::to_string(from_.sequence.value) +
                                " with the epoch and head of the mark"};
  }

  Position from_;
  bool found_ = false;
};

class Walk {
 public:
  Walk(Directory& directory, const Position& from, const Replay& replay)
      : directory_(directory), mark_(from), replay_(replay) {}

  Result<std::optional<Recovered>> run();

 private:
  Result<> list();
  Result<> walk_sealed();
  Result<> replay_sealed(const SealedIndex& index, const std::string& name);
  Result<> find_last_used();
  Result<> walk_live();
  Result<> walk_segment(std::uint64_t number);
  Result<> stop_at(LiveFile& file, std::uint64_t number, std::uint64_t spot_at, Spot spot);
  Result<> check_header(const std::string& place, std::uint64_t number,
                        const SegmentHeader& header);
  Result<> pass(const BatchView& batch);
  Result<> mend();
  Result<> cut(File& file);
  Result<> rewrite_tail(File& file);

  Error missing(std::uint64_t number) const {
    return damage(directory_.path() + "/" + segment_name(number, SegmentKind::live) + " at 0",
                  "the segment is missing");
  }

  Directory& directory_;
  Mark mark_;
  const Replay& replay_;
  Recovered out_;
  bool keys_known_ = false;
  Epoch first_epoch_{};
  std::uint64_t last_used_ = 0;  // Live segment; 0 if all of them are blank.
  std::string end_place_;        // Of the last batch so far, for messages.
  std::uint64_t tail_at_ = 0;    // In the last used segment: where its last batch begins,
  std::uint64_t tail_end_ = 0;   // and where it ends, hence where the next one begins.
  std::uint64_t cut_end_ = 0;    // Bytes from tail_end_ to here are torn; 0 if none are.
};

Result<std::optional<Recovered>> Walk::run() {
  if (auto done = list(); !done) return done.error();
  if (out_.sealed.empty() && out_.live.empty()) {
    if (auto marked = mark_.check({}); !marked) return marked.error();
    return std::optional<Recovered>();
  }
  if (auto done = walk_sealed(); !done) return done.error();
  if (auto done = find_last_used(); !done) return done.error();
  if (auto done = walk_live(); !done) return done.error();
  if (auto marked = mark_.check(first_epoch_); !marked) return marked.error();
  if (auto done = mend(); !done) return done.error();
  return std::optional(std::move(out_));
}

Result<> Walk::list() {
  const auto names = directory_.list();
  if (!names) return names.error();
  for (const auto& name : *names) {
    if (has_suffix(name, ".tmp")) {
      if (auto done = remove_if_there(directory_, name); !done) return done;
      continue;
    }
    const auto parsed = parse_segment_name(name);
    if (!parsed) continue;
    if (parsed->kind == SegmentKind::live) out_.live[parsed->number] = {};
    if (parsed->kind == SegmentKind::sealed) out_.sealed[parsed->number] = 0;
  }
  return {};
}

Result<> Walk::walk_sealed() {
  std::uint64_t expected = 1;
  for (auto& [number, bytes] : out_.sealed) {
    const auto name = segment_name(number, SegmentKind::sealed);
    if (number != expected) return missing(expected);
    ++expected;
    const auto index = read_sealed_index(directory_, number, name);
    if (!index) return index.error();
    if (auto done = check_header(index->path + " at 0", number, index->header); !done) return done;
    const auto after_mark = mark_.before_end(index->last);
    if (!after_mark) return after_mark.error();
    if (*after_mark) {
      if (auto done = replay_sealed(*index, name); !done) return done;
    }
    bytes = index->bytes;
    end_place_ = index->path + " at " + std::to_string(bytes);
    out_.report.last = index->last;
    out_.last_used = number;
    // Sealed, and stopped before the original was gone; the copy's name may be in memory only.
    if (out_.live.erase(number) == 0) continue;
    if (auto done = directory_.sync(); !done) return done;
    if (auto done = remove_if_there(directory_, segment_name(number, SegmentKind::live)); !done) {
      return done;
    }
  }
  return {};
}

Result<> Walk::replay_sealed(const SealedIndex& index, const std::string& name) {
  if (index.frames.empty()) return {};
  const auto file = directory_.open(name, OpenMode::read);
  if (!file) return file.error();
  FrameReader reader;
  Frame frame;
  const auto from = std::max(mark_.sequence(), index.header.first);
  for (auto number = index.frame_of(from); number < index.frames.size(); ++number) {
    if (auto done = reader.read(**file, index, number, frame); !done) return done;
    for (const auto& batch : frame.batches) {
      if (auto done = pass(batch); !done) return done;
    }
  }
  return {};
}

Result<> Walk::find_last_used() {
  for (auto segment = out_.live.rbegin(); segment != out_.live.rend(); ++segment) {
    auto file = LiveFile::open(directory_, segment->first);
    if (!file) return file.error();
    segment->second.bytes = file->bytes();
    if (last_used_ != 0) continue;
    const auto end = file->end_of_bytes(0);
    if (!end) return end.error();
    if (*end > 0) last_used_ = segment->first;
  }
  return {};
}

Result<> Walk::walk_live() {
  auto expected = out_.sealed.empty() ? 1 : out_.sealed.rbegin()->first + 1;
  for (auto& [number, segment] : out_.live) {
    if (number != expected) return missing(expected);
    ++expected;
    if (number > last_used_) continue;
    if (auto done = walk_segment(number); !done) return done;
    segment.end = out_.report.last;
  }
  return {};
}

Result<> Walk::walk_segment(std::uint64_t number) {
  auto file = LiveFile::open(directory_, number);
  if (!file) return file.error();
  const auto header = file->header();
  if (!header) return header.error();
  if (!*header) return stop_at(*file, number, 0, Spot::no_header);
  if ((*header)->segment_bytes != file->bytes()) {
    return damage(file->place(file->bytes()),
                  "the file should have " + std::to_string((*header)->segment_bytes) + " bytes");
  }
  if (auto done = check_header(file->place(0), number, **header); !done) return done;

  out_.active = out_.last_used = number;
  out_.report.last.epoch = (*header)->epoch;
  tail_at_ = 0;
  tail_end_ = kBlockBytes;
  auto expected = expect_first(**header);
  LiveBatch batch;
  for (;;) {
    const auto found = file->read(tail_end_, expected, Check::chain, batch);
    if (!found) return found.error();
    if (*found != Found::batch) return stop_at(*file, number, tail_end_, spot_of(*found));
    // The header block of a segment is part of the write of its first batch.
    tail_at_ = tail_end_ == kBlockBytes ? 0 : tail_end_;
    tail_end_ = batch.end();
    expected = expect_after(batch.header, expected.seed);
    if (auto done = pass(batch.view); !done) return done;
  }
}

Result<> Walk::check_header(const std::string& place, std::uint64_t number,
                            const SegmentHeader& header) {
  if (!keys_known_) {
    out_.keys = header.keys;
    first_epoch_ = header.epoch;
    keys_known_ = true;
  }
  const auto& last = out_.report.last;
  if (header.keys != out_.keys) return damage(place, "the header is of another journal");
  if (header.number != number) {
    return damage(place, "the header is of segment " + std::to_string(header.number));
  }
  if (header.first.value != last.sequence.value + 1 || header.before != last.head) {
    return damage(end_place_.empty() ? place : end_place_,
                  "the records before sequence " + std::to_string(header.first.value) +
                      " are missing; the last one there is " + std::to_string(last.sequence.value));
  }
  return {};
}

Result<> Walk::pass(const BatchView& batch) {
  out_.report.last = {batch.epoch, batch.last(), batch.head};
  const auto after_mark = mark_.before(batch);
  if (!after_mark) return after_mark.error();
  if (!*after_mark) return {};
  ++out_.report.batches_replayed;
  return replay_(batch);
}

// Decides what the spot where the batches stop means, and notes what is to be cut.
Result<> Walk::stop_at(LiveFile& file, std::uint64_t number, std::uint64_t spot_at, Spot spot) {
  end_place_ = file.place(spot_at);
  if (spot == Spot::no_header && !keys_known_) {
    return damage(end_place_, "the header of the first segment is damaged");
  }
  const auto later = number == last_used_ ? Later::blank : Later::used;
  const auto judged = judge(file, spot_at, spot, later, out_.keys.seed);
  if (!judged) return judged.error();
  if (judged->decision != Decision::cut) return {};
  if (spot == Spot::no_header) tail_at_ = tail_end_ = out_.active = 0;
  cut_end_ = judged->bytes_end;
  out_.report.bytes_cut = cut_end_ - spot_at;
  out_.report.cut_from = end_place_;
  return {};
}

// Writes only where a crash may have left something undone; any of it can be done again.
Result<> Walk::mend() {
  out_.active_end = tail_end_;
  if (last_used_ != 0) {
    auto file = directory_.open(segment_name(last_used_, SegmentKind::live), OpenMode::write);
    if (!file) return file.error();
    if (auto done = cut(**file); !done) return done;
    if (auto done = rewrite_tail(**file); !done) return done;
    if (auto done = (*file)->sync(); !done) return done;
  }
  // A name that was seen may still be in memory only.
  return directory_.sync();
}

Result<> Walk::cut(File& file) {
  if (cut_end_ == 0) return {};
  const Buffer zeros(std::min(cut_end_ - tail_end_, kZeroBytes));
  for (auto at = tail_end_; at < cut_end_;) {
    const auto step = std::min<std::uint64_t>(cut_end_ - at, zeros.size());
    if (auto done = file.write_at(at, Bytes(zeros).first(step)); !done) return done;
    at += step;
  }
  return {};
}

// Reading the last batch proves only that it is in memory: the process before this one may have
// died before its sync, or the sync may have failed and the kernel dropped the pages. So it is
// written once more, the same bytes in the same place, and synced.
Result<> Walk::rewrite_tail(File& file) {
  Buffer tail(tail_end_ - tail_at_);
  if (tail.empty()) return {};
  const auto got = file.read_at(tail_at_, tail);
  if (!got) return got.error();
  return file.write_at(tail_at_, Bytes(tail).first(*got));
}

}  // namespace

Decision decide(Spot spot, Rest rest, Later later) {
  const Row* match = nullptr;
  for (const auto& row : kRows) {
    if ((row.spots & any_of(spot)) == 0 || (row.rests & any_of(rest)) == 0 ||
        (row.laters & any_of(later)) == 0) {
      continue;
    }
    ASSERT(match == nullptr);
    match = &row;
  }
  ASSERT(match != nullptr);
  return match->decision;
}

Spot spot_of(Found found) {
  switch (found) {
    case Found::end:
      return Spot::end;
    case Found::blank:
      return Spot::blank;
    case Found::bytes:
      return Spot::bytes;
    case Found::stray:
      return Spot::stray;
    case Found::batch:
      break;
  }
  ASSERT(false);
}

Result<Judgement> judge(LiveFile& file, std::uint64_t at, Spot spot, Later later,
                        std::uint64_t seed) {
  auto rest = Rest::blank;
  auto end = at;
  if (spot != Spot::end) {
    const auto bytes_end = file.end_of_bytes(at);
    if (!bytes_end) return bytes_end.error();
    end = *bytes_end;
    if (end > at + kBlockBytes) rest = Rest::bytes;
    // A torn first write covers the header block and a batch behind it, whose own header may stand.
    const auto rest_at = at + (spot == Spot::no_header ? kBlockBytes : 0) + kSectorBytes;
    const auto batch = file.holds_header(rest_at, seed);
    if (!batch) return batch.error();
    if (*batch) rest = Rest::batch;
  }
  const auto decision = decide(spot, rest, later);
  if (decision != Decision::damage) return Judgement{decision, end};
  return damage(file.place(at), spot == Spot::no_header ? "the header of the segment is damaged"
                                : spot == Spot::stray   ? "a batch that belongs elsewhere"
                                                        : "no valid batch, but records follow");
}

Result<std::optional<Recovered>> recover(Directory& directory, Position from,
                                         const Replay& replay) {
  return Walk(directory, from, replay).run();
}

Result<Recovered> create_first(Directory& directory, const JournalOptions& options,
                               const Clock& clock, Entropy& entropy) {
  constexpr const char* kFirstName = "first.tmp";
  SegmentHeader header;
  header.number = 1;
  header.segment_bytes = options.segment_bytes_hurry;
  header.epoch = entropy.take<sizeof(Epoch)>();
  header.node = options.node;
  header.first = Sequence{1};
  header.created = clock.now();
  header.keys.hash_key = entropy.take<sizeof(Key128)>();
  header.keys.seed = load<std::uint64_t>(entropy.take<8>().data());
  HeaderBlock block;
  encode(header, block);

  if (auto done = make_zeros(directory, kFirstName, header.segment_bytes); !done) {
    return done.error();
  }
  auto file = directory.open(kFirstName, OpenMode::write);
  if (!file) return file.error();
  if (auto done = (*file)->write_at(0, block); !done) return done.error();
  if (auto done = (*file)->sync(); !done) return done.error();
  auto named = directory.rename(kFirstName, segment_name(1, SegmentKind::live));
  if (named) named = directory.sync();
  if (!named) return named.error();

  Recovered made;
  made.report.last.epoch = header.epoch;
  made.keys = header.keys;
  made.live[1].bytes = header.segment_bytes;
  made.last_used = made.active = 1;
  made.active_end = kBlockBytes;
  return made;
}

}  // namespace nando
