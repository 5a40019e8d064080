#include "journal/reader.h"

#include <algorithm>
#include <map>

#include "base/assert.h"
#include "journal/recovery.h"
#include "journal/sealed.h"

namespace nando {

namespace {

// Live batches are found from the nearest place noted; places are this far apart.
constexpr std::uint64_t kPlaceBytes = 64 << 10;

// Frames kept decompressed, the last used first.
constexpr std::size_t kFramesKept = 4;

struct Place {
  std::uint64_t offset = 0;
  Expected expected;
};

// One segment as this reader knows it. Files are opened for a call and closed after it, so that a
// segment the writer removes does not live on in an idle reader.
struct Segment {
  SegmentKind kind = SegmentKind::live;
  Sequence first;  // 0 while the segment is blank.
  Head before{};
  std::vector<Place> places;  // Live: ascending, the first at the first batch.
  SealedIndex index;          // Sealed.
};

struct KeptFrame {
  std::uint64_t segment = 0;
  std::size_t number = 0;
  Frame frame;
};

// How a walk goes on: after a batch, or after a segment.
enum class Step {
  go_on,
  stop,
  gone,  // The writer put another file in its place: look again.
};
using Visit = std::function<Result<Step>(const BatchView& batch)>;

bool is_not_found(const Error& error) {
  return error.code == Code::not_found;
}

}  // namespace

struct JournalReader::Files {
  explicit Files(Directory& where) : directory(where) {}

  Result<> refresh();
  Result<bool> look();
  bool is_gone(std::uint64_t number);
  bool was_rewritten(std::uint64_t number);
  Result<> read_header(std::uint64_t number, Segment& segment);
  std::uint64_t locate(Sequence sequence) const;
  Result<> walk(Sequence from, Sequence up_to, Check check, const Visit& visit);
  Result<Step> walk_live(std::uint64_t number, Sequence& next, Sequence up_to, Check check,
                         const Visit& visit);
  Result<Step> walk_sealed(std::uint64_t number, Sequence& next, Sequence up_to,
                           const Visit& visit);
  Result<const Frame*> frame(std::uint64_t segment, std::size_t number);
  Result<SegmentInfo> describe_as_is(std::uint64_t number, Position& last);
  Result<SegmentInfo> describe(std::uint64_t number, Position& last);
  Result<> check_blank(LiveFile& file);
  Result<> describe_live(std::uint64_t number, SegmentInfo& info, Position& last);

  Directory& directory;
  std::map<std::uint64_t, Segment> segments;
  JournalKeys keys;
  std::string stopped_at;  // Where the last walk of a segment found no further batch.
  FrameReader frame_reader;
  std::vector<std::unique_ptr<KeptFrame>> frames;
};

// Learns of new segments, of blank ones that are used now, and of live ones that are sealed now.
Result<> JournalReader::Files::refresh() {
  for (;;) {
    const auto settled = look();
    if (!settled) return settled.error();
    if (*settled) return {};
  }
}

// Once. False if a live segment was sealed and removed between the listing and the look at it; that
// happens once a segment, so looking again comes to an end.
Result<bool> JournalReader::Files::look() {
  const auto names = directory.list();
  if (!names) return names.error();
  std::map<std::uint64_t, SegmentKind> found;
  for (const auto& name : *names) {
    const auto parsed = parse_segment_name(name);
    // While a segment is being sealed both files are there for a moment, with equal contents.
    if (parsed && (parsed->kind == SegmentKind::sealed || !found.count(parsed->number))) {
      found[parsed->number] = parsed->kind;
    }
  }
  if (found.empty()) return Error{Code::not_found, "there is no journal in " + directory.path()};
  for (const auto& [number, kind] : found) {
    const auto known = segments.find(number);
    if (known != segments.end() && known->second.kind == kind && known->second.first) continue;
    Segment segment;
    segment.kind = kind;
    if (auto read = read_header(number, segment); !read) {
      if (kind == SegmentKind::live && is_gone(number)) return false;
      return read.error();
    }
    segments[number] = std::move(segment);
  }
  return true;
}

// Whether a live segment was sealed and removed. Its name goes before anything of its content, so
// what was found in one that is not gone afterwards is what stands in it.
bool JournalReader::Files::is_gone(std::uint64_t number) {
  const auto file = directory.open(segment_name(number, SegmentKind::live), OpenMode::read);
  return !file && is_not_found(file.error());
}

// Whether sealed segment `number` is another file now than the one whose index is known; then the
// new one is.
bool JournalReader::Files::was_rewritten(std::uint64_t number) {
  auto& known = segments.at(number).index;
  auto now = read_sealed_index(directory, number, segment_name(number, SegmentKind::sealed));
  if (!now || now->same_file(known)) return false;
  known = std::move(*now);
  for (auto& frame : frames) {
    if (frame->segment == number) frame->segment = 0;
  }
  return true;
}

Result<> JournalReader::Files::read_header(std::uint64_t number, Segment& segment) {
  if (segment.kind == SegmentKind::sealed) {
    auto index = read_sealed_index(directory, number, segment_name(number, segment.kind));
    if (!index) return index.error();
    keys = index->header.keys;
    segment.first = index->header.first;
    segment.before = index->header.before;
    segment.index = std::move(*index);
    return {};
  }
  auto file = LiveFile::open(directory, number);
  if (!file) return file.error();
  const auto header = file->header();
  if (!header) return header.error();
  if (!*header) {
    if (number == 1) return Error{Code::corrupt, file->place(0) + ": the header is damaged"};
    return {};
  }
  if ((*header)->segment_bytes != file->bytes() || (*header)->number != number) {
    return Error{Code::corrupt,
                 file->place(file->bytes()) + ": the file is not as its header says"};
  }
  keys = (*header)->keys;
  segment.first = (*header)->first;
  segment.before = (*header)->before;
  segment.places.push_back({kBlockBytes, expect_first(**header)});
  return {};
}

// The last segment that begins at or before `sequence`, or 0.
std::uint64_t JournalReader::Files::locate(Sequence sequence) const {
  for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
    if (segment->second.first && segment->second.first <= sequence) return segment->first;
  }
  return 0;
}

// Visits every batch that holds a record from `from` on, up to the first that goes past `up_to`.
Result<> JournalReader::Files::walk(Sequence from, Sequence up_to, Check check,
                                    const Visit& visit) {
  auto next = from;
  std::optional<Head> head;  // After the last batch visited.
  const Visit visit_and_note = [&](const BatchView& batch) {
    head = batch.head;
    return visit(batch);
  };
  // A pass that gains nothing is followed by one look at the directory, then by an error.
  for (bool looked = false; next <= up_to;) {
    const auto number = locate(next);
    const auto before = next;
    Result<Step> step = Step::go_on;
    if (number != 0) {
      const auto& segment = segments.at(number);
      if (head && next == segment.first && segment.before != *head) {
        return Error{Code::corrupt, directory.path() + "/" + segment_name(number, segment.kind) +
                                        " at 0: it does not continue the segment before it"};
      }
      step = segment.kind == SegmentKind::sealed
                 ? walk_sealed(number, next, up_to, visit_and_note)
                 : walk_live(number, next, up_to, check, visit_and_note);
    }
    if (!step) return step.error();
    if (*step == Step::stop) return {};
    if (next != before || *step == Step::gone) looked = false;
    if (next > up_to) break;
    if (looked) {
      return Error{Code::corrupt, stopped_at + ": no valid batch with sequence " +
                                      std::to_string(next.value) + ", which was promised"};
    }
    if (auto done = refresh(); !done) return done;
    looked = true;
  }
  return {};
}

Result<Step> JournalReader::Files::walk_live(std::uint64_t number, Sequence& next, Sequence up_to,
                                             Check check, const Visit& visit) {
  auto& segment = segments.at(number);
  auto file = LiveFile::open(directory, number);
  if (!file) {
    if (!is_gone(number)) return file.error();
    segments.erase(number);
    return Step::gone;
  }
  auto& places = segment.places;
  const auto after = std::upper_bound(
      places.begin(), places.end(), next,
      [](Sequence sequence, const Place& place) { return sequence < place.expected.first; });
  ASSERT(after != places.begin());
  auto at = *(after - 1);
  LiveBatch batch;
  for (;;) {
    if (at.expected.first > up_to) return Step::stop;
    const auto found = file->read(at.offset, at.expected, check, batch);
    if ((!found || *found != Found::batch) && is_gone(number)) {
      segments.erase(number);
      return Step::gone;
    }
    if (!found) return found.error();
    if (*found == Found::stray) {
      return Error{Code::corrupt, file->place(at.offset) + ": a batch that belongs elsewhere"};
    }
    if (*found != Found::batch) {
      stopped_at = file->place(at.offset);
      return Step::go_on;
    }
    if (at.offset >= places.back().offset + kPlaceBytes) places.push_back(at);
    if (batch.view.last() > up_to) return Step::stop;
    if (batch.view.last() >= next) {
      next = Sequence{batch.view.last().value + 1};
      const auto step = visit(batch.view);
      if (!step || *step == Step::stop) return step;
    }
    at = {batch.end(), expect_after(batch.header, at.expected.seed)};
  }
}

Result<Step> JournalReader::Files::walk_sealed(std::uint64_t number, Sequence& next, Sequence up_to,
                                               const Visit& visit) {
  const auto& index = segments.at(number).index;
  stopped_at = index.path + " at " + std::to_string(index.bytes);
  if (next > index.last.sequence) return Step::go_on;
  for (auto at = index.frame_of(next); at < index.frames.size(); ++at) {
    const auto read = frame(number, at);
    if (!read && was_rewritten(number)) return Step::gone;
    if (!read) return read.error();
    for (const auto& batch : (*read)->batches) {
      if (batch.last() < next) continue;
      if (batch.last() > up_to) return Step::stop;
      next = Sequence{batch.last().value + 1};
      const auto step = visit(batch);
      if (!step || *step == Step::stop) return step;
    }
  }
  return Step::go_on;
}

Result<const Frame*> JournalReader::Files::frame(std::uint64_t segment, std::size_t number) {
  const auto kept = std::find_if(frames.begin(), frames.end(), [&](const auto& frame) {
    return frame->segment == segment && frame->number == number;
  });
  if (kept != frames.end()) {
    std::rotate(frames.begin(), kept, kept + 1);
    return &frames.front()->frame;
  }
  const auto file = directory.open(segment_name(segment, SegmentKind::sealed), OpenMode::read);
  if (!file) return file.error();
  if (frames.size() < kFramesKept) frames.push_back(std::make_unique<KeptFrame>());
  std::rotate(frames.begin(), frames.end() - 1, frames.end());
  auto& oldest = *frames.front();
  oldest.segment = 0;
  if (auto done = frame_reader.read(**file, segments.at(segment).index, number, oldest.frame);
      !done) {
    return done.error();
  }
  oldest.segment = segment;
  oldest.number = number;
  return &oldest.frame;
}

JournalReader::JournalReader(Directory& directory) : files_(std::make_unique<Files>(directory)) {}
JournalReader::~JournalReader() = default;

Result<> JournalReader::scan(Sequence after, Sequence up_to, const Replay& visit, Check check) {
  return files_->walk(Sequence{after.value + 1}, up_to, check,
                      [&](const BatchView& batch) -> Result<Step> {
                        if (auto done = visit(batch); !done) return done.error();
                        return Step::go_on;
                      });
}

Result<StoredRecord> JournalReader::find(Sequence sequence, Sequence up_to) {
  const Error missing{Code::not_found,
                      "the journal has no record " + std::to_string(sequence.value)};
  if (!sequence || sequence > up_to) return missing;
  std::optional<StoredRecord> stored;
  auto walked =
      files_->walk(sequence, up_to, Check::checksum, [&](const BatchView& batch) -> Result<Step> {
        ASSERT(batch.first <= sequence && sequence <= batch.last());
        const auto& record = batch.records[sequence.value - batch.first.value];
        stored = StoredRecord{sequence,
                              batch.committed,
                              batch.mac_key,
                              batch.epoch,
                              batch.head,
                              record.kind,
                              record.version,
                              Buffer(record.count.begin(), record.count.end()),
                              Buffer(record.detail.begin(), record.detail.end())};
        return Step::stop;
      });
  if (!walked) return walked.error();
  if (!stored) return missing;
  return std::move(*stored);
}

// As the segment is now, sealed or not.
Result<SegmentInfo> JournalReader::Files::describe_as_is(std::uint64_t number, Position& last) {
  const auto info = describe(number, last);
  if (info || !is_not_found(info.error())) return info;
  if (auto done = refresh(); !done) return done.error();
  return describe(number, last);
}

// `last`: of the last batch in or before the segment. Code::not_found if it was sealed meanwhile.
Result<SegmentInfo> JournalReader::Files::describe(std::uint64_t number, Position& last) {
  const auto& segment = segments.at(number);
  SegmentInfo info;
  info.name = segment_name(number, segment.kind);
  info.number = number;
  info.sealed = segment.kind == SegmentKind::sealed;
  if (!info.sealed) {
    const auto done = describe_live(number, info, last);
    if (is_gone(number)) return Error{Code::not_found, info.name + " was sealed and removed"};
    if (!done) return done.error();
    return info;
  }
  const auto& index = segment.index;
  info.bytes = index.bytes;
  info.batches = index.batches;
  if (index.batches > 0) {
    info.first = index.header.first;
    info.last = index.last.sequence;
  }
  last = index.last;
  return info;
}

Result<> JournalReader::Files::describe_live(std::uint64_t number, SegmentInfo& info,
                                             Position& last) {
  auto file = LiveFile::open(directory, number);
  if (!file) return file.error();
  info.bytes = file->bytes();
  const auto& segment = segments.at(number);
  if (!segment.first) return check_blank(*file);
  auto at = segment.places.front();
  last = {at.expected.epoch, Sequence{at.expected.first.value - 1}, at.expected.before};
  LiveBatch batch;
  for (;;) {
    const auto found = file->read(at.offset, at.expected, Check::checksum, batch);
    if (!found) return found.error();
    if (*found != Found::batch) {
      const auto next = segments.upper_bound(number);
      const bool used = next != segments.end() && next->second.first;
      const auto judged = judge(*file, at.offset, spot_of(*found),
                                used ? Later::used : Later::blank, at.expected.seed);
      if (judged) return {};
      // A writer may have gone on between the two looks: then the spot holds a batch now.
      file->forget();
      const auto again = file->read(at.offset, at.expected, Check::checksum, batch);
      if (!again || *again != Found::batch) return judged.error();
    }
    if (!info.first) info.first = batch.view.first;
    info.last = batch.view.last();
    ++info.batches;
    last = {batch.header.epoch, info.last, batch.header.after};
    at = {batch.end(), expect_after(batch.header, at.expected.seed)};
  }
}

// A segment without a header is blank, or a torn first batch; not one that held records.
Result<> JournalReader::Files::check_blank(LiveFile& file) {
  const auto judged = judge(file, 0, Spot::no_header, Later::blank, keys.seed);
  if (judged) return {};
  // A writer may have begun to use it between the two looks.
  file.forget();
  const auto header = file.header();
  if (header && *header) return {};
  return judged.error();
}

Result<std::vector<SegmentInfo>> JournalReader::segments() {
  if (auto done = files_->refresh(); !done) return done.error();
  std::vector<SegmentInfo> infos;
  Position last;
  for (auto segment = files_->segments.begin(); segment != files_->segments.end(); ++segment) {
    auto info = files_->describe_as_is(segment->first, last);
    if (!info) return info.error();
    infos.push_back(std::move(*info));
  }
  return infos;
}

Result<Position> JournalReader::end() {
  if (auto done = files_->refresh(); !done) return done.error();
  Position last;
  for (auto segment = files_->segments.rbegin(); segment != files_->segments.rend(); ++segment) {
    const auto info = files_->describe_as_is(segment->first, last);
    if (!info) return info.error();
    if (segment->second.first) break;
  }
  return last;
}

Result<Key128> JournalReader::hash_key() {
  if (auto done = files_->refresh(); !done) return done.error();
  return files_->keys.hash_key;
}

}  // namespace nando
