// The promotions of a snapshot: every one with its entries' chain, windows, entrants and claims.
// Bytes: docs/formats/snapshot.md.
#pragma once

#include "counters/entries.h"
#include "snapshot/snapshot_file.h"

namespace nando {

void put_promotions(SnapshotWriter& out, const Entries& entries);

// Into empty ones. False if the bytes are none that put_promotions() writes.
bool get_promotions(SnapshotReader& in, Entries& into);

}  // namespace nando
