// JournalView: a journal to read in this process, whether a server writes it or not. Under a
// running server everything up to what it says is durable; otherwise, under the lock, everything
// there is.
#pragma once

#include <memory>
#include <optional>

#include "base/position.h"
#include "datadir/data_dir.h"
#include "datadir/output.h"
#include "journal/reader.h"
#include "settings/settings.h"

namespace nando {

class JournalView {
 public:
  // Code::not_found if there is no store; Code::busy if a command holds it.
  static Result<JournalView> open(const Settings& settings);

  JournalReader& reader() { return *reader_; }
  Position end() const { return end_; }
  const KeyRing& keys() const { return *keys_; }

 private:
  std::optional<DirectoryLock> lock_;
  std::unique_ptr<Directory> journal_;
  std::unique_ptr<JournalReader> reader_;
  std::unique_ptr<KeyRing> keys_;
  Position end_;
};

}  // namespace nando
