// Live: the parts of a store that commands work on. In a running server they are the server's own
// (serve.cc); otherwise they are opened for the one command, under the data directory's lock.
//
// Threads: the parts say for themselves; commands of several callers may run at the same time.
#pragma once

#include <functional>
#include <memory>

#include "auth/sessions.h"
#include "auth/tokens.h"
#include "base/position.h"
#include "base/result.h"
#include "datadir/data_dir.h"
#include "settings/settings.h"
#include "sites/sites.h"

namespace nando {

class Feed;
class Ledger;

class Live {
 public:
  virtual ~Live() = default;
  virtual Registry& registry() = 0;
  virtual Sites& sites() = 0;
  virtual Tokens& tokens() = 0;
  virtual const People& people() = 0;
  virtual Directory& journal() = 0;
  virtual const std::string& data_path() = 0;

  // Where the journal ends: everything up to here is durable.
  virtual Result<Position> end() = 0;
  // Runs `work` between two commits; it should be quick.
  virtual Result<> run(const std::function<void(Ledger&)>& work) = 0;
  // For what the ledger says to any thread.
  virtual Result<Ledger*> ledger() = 0;
  // Lets the ledger's housekeeping do something, as feed_on() the feed.
  virtual Result<> keep_on() = 0;
  // The warehouse's. Code::unavailable if there is none.
  virtual Result<Feed*> feed() = 0;
  // Lets the feed do something: here and now while no server runs, else by waiting a moment.
  virtual Result<> feed_on() = 0;
  // Makes a new MAC key and uses it from the next hit on.
  virtual Result<MacKeyId> rotate_key() = 0;
  // Receipts of an earlier key are good no more.
  virtual Result<> revoke_key(MacKeyId key) = 0;
  virtual std::shared_ptr<const KeyRing> keys() = 0;
};

// What an export writes before it hands it over goes by the warehouse's name and this.
inline constexpr std::string_view kExportSuffix = ".export-";

// How a feed is put together for the store of `data`.
struct FeedParts;
FeedParts feed_parts(DataDir& data, const Settings& settings, const SiteTables& sites,
                     std::function<Position()> durable_end);

// The store of `data`, for a command while no server runs. `settings` outlive it.
Result<std::unique_ptr<Live>> open_offline(std::unique_ptr<DataDir> data, const Settings& settings);

}  // namespace nando
