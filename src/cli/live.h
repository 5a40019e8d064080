// Live: the parts of a store that commands work on. In a running server they are the server's own
// (serve.cc); otherwise they are opened for the one command, under the data directory's lock.
//
// Threads: the parts say for themselves; commands of several callers may run at the same time.
#pragma once

#include <memory>

#include "auth/tokens.h"
#include "base/result.h"
#include "cli/settings.h"
#include "datadir/data_dir.h"
#include "sites/sites.h"

namespace nando {

class Live {
 public:
  virtual ~Live() = default;
  virtual Sites& sites() = 0;
  virtual Tokens& tokens() = 0;
};

// The store of `data`, for a command while no server runs. `settings` outlive it.
Result<std::unique_ptr<Live>> open_offline(std::unique_ptr<DataDir> data, const Settings& settings);

}  // namespace nando
