// Snapshot: the counters at one position, in a file, so that a start replays only what came after.
// It can be deleted at any time: then a start replays the whole journal.
//
// There is one canonical form: equal counters give equal bytes, so two snapshots at one position
// are compared as files. A snapshot is believed only if its checksum holds and the journal has its
// head at its sequence.
//
// merge_snapshot() makes the next one from files alone (the last snapshot and what the journal
// holds since), streaming the large parts, so that the committer is never asked to stand still and
// memory holds only what changed.
//
// Bytes: docs/formats/snapshot.md.
#pragma once

#include "counters/counters.h"
#include "disk/file.h"
#include "journal/reader.h"

namespace nando {

inline constexpr std::string_view kSnapshotName = "snapshot";

// Replaces the snapshot in `directory`; durable when it returns. `hash_key` is the journal's:
// counters of another journal are not these.
Result<> write_snapshot(Directory& directory, const Counters& counters, const Key128& hash_key);

// Reads it into empty counters. Code::not_found if there is none; Code::corrupt if it is damaged or
// of another journal (the counters are then in no usable state: throw them away).
Result<> read_snapshot(Directory& directory, const Key128& hash_key, Counters& into);

// Where the snapshot in `directory` stands, without reading it whole. Sequence 0 if there is none
// or it is damaged.
Position snapshot_position(Directory& directory);

// Makes a snapshot at `up_to`, the last record of some batch, from the one in `directory` (or from
// nothing) and the journal. Requires: `up_to` is durable. Any thread, one at a time.
Result<> merge_snapshot(Directory& directory, JournalReader& journal, const Key128& hash_key,
                        Sequence up_to);

}  // namespace nando
