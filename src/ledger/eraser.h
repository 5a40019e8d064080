// Eraser: takes the details that removal records name out of sealed history, a segment at a time,
// and wipes what they left behind in files kept for later segments. Counts and the hash chain stay
// as they are.
//
// It can be stopped anywhere: what is done is found done, and a start begins with the removals that
// the last snapshot does not hold (ledger.cc takes one when all is done).
//
// Threads: add() and the rest that says so from any; step() from the keeper's.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "counters/removals.h"
#include "disk/file.h"
#include "journal/journal.h"

namespace nando {

class Eraser {
 public:
  // Notes the removals in `batch`, if it has any. Any thread.
  [[nodiscard]] Result<> note(const BatchView& batch);
  void add(const RemovalRecord& record, Sequence sequence);

  // Returns whether there was something to do. `directory` is the journal's.
  [[nodiscard]] Result<bool> step(Journal& journal, Directory& directory);

  struct Status {
    Sequence asked;              // The newest removal.
    Sequence erased;             // Every removal up to here is done.
    std::uint64_t records = 0;   // That lost their details, since the start.
    std::uint64_t segments = 0;  // Looked at, of those there are to look at.
    std::uint64_t segments_in_all = 0;
    std::string problem;  // Why the last step failed; empty if it did not.
  };
  Status status() const;  // Any thread.

 private:
  Result<bool> try_step(Journal& journal, Directory& directory);
  bool begin(const Journal& journal);
  Result<> prune(Journal& journal, Directory& directory, std::uint64_t number);

  // The keeper's: the removals that are being carried out together.
  Removals now_;
  Sequence now_asked_;
  std::vector<std::uint64_t> left_;

  mutable std::mutex mutex_;  // Of what follows; held for a copy.
  Removals waiting_;
  Status status_;
};

}  // namespace nando
