// Backup: a store as it is at one moment, in a folder of its own, taken while the server counts;
// and a store made from one.
//
//   DIR/journal/*.sealed   every record up to the moment, compressed and checked
//   DIR/registry.db        sites and tokens
//   DIR/keys               with WithKeys::yes only
//   DIR/backup             written last: where the journal ends. Without it a backup is not whole.
//
// A restored store goes on counting where the backup ends, under a new epoch: no receipt of its
// former life is issued again, and no mark or cursor of it is believed. Without its keys it makes
// new ones: receipts of before can no longer be checked there.
#pragma once

#include <functional>

#include "datadir/output.h"
#include "store/live.h"

namespace nando {

enum class WithKeys : std::uint8_t { no, yes };

struct BackupReport {
  Position at;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
};

inline constexpr std::string_view kBackupFile = "backup";

// Details that are being removed are gone first. Requires: `to` is absolute. Code::conflict if
// there is something in it already; Code::corrupt, naming file and offset, if the journal is
// damaged: then there is no backup.
Result<BackupReport> make_backup(Live& live, const std::string& to, WithKeys with_keys,
                                 Output& output);

// Makes the store `data` from the backup `from`. Code::conflict if there is a store already,
// Code::corrupt if the backup is damaged or not whole; in both cases nothing was changed.
Result<Position> restore_backup(const std::string& from, const std::string& data,
                                const std::function<void(Sequence)>& progress);

}  // namespace nando
