// JournalReader: reads a journal beside its writer, or with none, up to a sequence number that is
// known to be durable. It opens files for reading only. Sealed and live segments read the same; a
// segment that is sealed while it is being read is picked up again by sequence number.
//
// Failure: Code::corrupt, naming file and offset; nothing that fails its check is passed on.
// Threads: one a reader; as many readers as there are threads.
#pragma once

#include <memory>

#include "disk/file.h"
#include "journal/journal.h"

namespace nando {

// A record read back alone, with what its batch says.
struct StoredRecord {
  Sequence sequence;
  UnixTime committed;
  std::uint32_t mac_key = 0;
  Epoch epoch{};
  Head head{};
  std::uint8_t kind = 0;
  std::uint8_t version = 0;
  Buffer count;
  Buffer detail;
};

// What `inspect` prints about a segment.
struct SegmentInfo {
  std::string name;
  bool sealed = false;
  std::uint64_t number = 0;
  Sequence first;  // 0 if it holds no record yet.
  Sequence last;
  std::uint64_t bytes = 0;  // On disk.
  std::uint64_t batches = 0;
};

class JournalReader {
 public:
  explicit JournalReader(Directory& directory);
  ~JournalReader();

  // Passes every batch whose first record is after `after` and whose last is at or before `up_to`,
  // oldest first. Requires: `after` is the last record of some batch, or 0; `visit` leaves this
  // reader alone. `Check::checksum` finds rot in what is not sealed yet; `chain` proves it too, for
  // a hash over every byte.
  [[nodiscard]] Result<> scan(Sequence after, Sequence up_to, const Replay& visit,
                              Check check = Check::chain);

  // One record. Code::not_found past `up_to`. Keeps a few decompressed frames, so neighbours are
  // cheap.
  [[nodiscard]] Result<StoredRecord> find(Sequence sequence, Sequence up_to);

  // Code::not_found if there is no journal.
  [[nodiscard]] Result<std::vector<SegmentInfo>> segments();

  // The last whole batch on disk. For offline commands only: beside a writer, ask the writer.
  [[nodiscard]] Result<Position> end();

  [[nodiscard]] Result<Key128> hash_key();

 private:
  struct Files;
  std::unique_ptr<Files> files_;
};

}  // namespace nando
