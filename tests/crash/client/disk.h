// Disk: how long a sync of a small write takes in some folder, without any server.
#pragma once

#include "client/flags.h"

namespace crash {

// Writes 4 KiB after 4 KiB over a file of zeros in `--folder`, syncing each; prints the quantiles.
int time_disk(Flags& flags);

}  // namespace crash
