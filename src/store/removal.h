// Removal: waiting until details are gone, for commands that say so.
#pragma once

#include "datadir/output.h"
#include "store/live.h"

namespace nando {

// Until what every removal so far names is gone from the journal's files. Progress goes to
// `output`. Code::unavailable, and why, if that does not go on; it will, by itself, once it can.
Result<> finish_removals(Live& live, Output& output);

// The same, and from the warehouse, up to `sequence`.
Result<> finish_removals_everywhere(Live& live, Sequence sequence, Output& output);

}  // namespace nando
