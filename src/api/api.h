// Api: what the server says to whom. It wires HTTP to ingest, ledger and the rest for the handlers
// (handlers/), and errors.h is the only table from error to status.
//
// Threads: Api is shared and immutable once serving; each I/O loop has a Loop of its own (loop.h).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/clerk.h"
#include "api/forgotten_proxy.h"
#include "api/knocks.h"
#include "api/route.h"
#include "auth/sessions.h"
#include "auth/tokens.h"
#include "base/address.h"
#include "http/server.h"
#include "ingest/ingest.h"
#include "ledger/committer.h"
#include "ledger/health.h"
#include "sites/sites.h"
#include "telemetry/metrics.h"

namespace nando {

class EntrantKey;
class Loop;
class PrizeDesk;

enum class TrialPage : std::uint8_t { hidden, shown };

// How far the copy that charts read has come; for /readyz.
struct CopyState {
  std::uint64_t sequence = 0;  // The last record in it.
  std::uint64_t lag = 0;       // Durable records that are not in it yet.
  bool filling = false;        // From the beginning.
  std::string problem;         // Why nothing is loaded; empty if all is well.
};

// What reading sealed history again has found; for /readyz.
struct ScrubState {
  std::uint64_t segments = 0;         // Checked in the pass that is under way.
  std::optional<UnixTime> last_pass;  // When the last whole one ended.
  std::string damage;                 // Empty if all is well.
};

struct ApiParts {
  std::span<const Route> routes;
  const SiteTables& sites;
  const Tokens& tokens;
  Sites& sites_book;  // What `sites` is published from.
  const People& people;
  RateLimiter& log_in_limiter;
  RateLimiter& rate_limiter;
  Salts& salts;
  const EntrantKey& entrant_key;
  PrizeDesk& prizes;
  const Clock& clock;
  Ledger& ledger;
  Committer& committer;
  Health& health;
  SiteMaker* site_maker = nullptr;
  std::vector<IpNetwork> trusted_proxies;
  std::string public_url;  // No slash at its end; may be empty.
  std::string base_path;   // Its path: "/stats"; empty if it has none.
  TrialPage trial = TrialPage::hidden;
  std::function<void(MetricsPage&)> describe;  // Of parts that the api does not know.
  std::function<std::string()> warnings;       // For /readyz, one a line; empty if all is well.
  std::function<CopyState()> warehouse;
  std::function<ScrubState()> scrub;
};

class Api {
 public:
  explicit Api(ApiParts parts) : parts_(std::move(parts)), proxy_watch_(parts_.trusted_proxies) {}

  const ApiParts& parts() const { return parts_; }
  Clerk& clerk() { return clerk_; }
  Knocks& knocks() { return knocks_; }
  // For http::Server::start().
  std::unique_ptr<http::Handler> make_loop(http::Mailbox& mailbox);

  // Before the server is destroyed: nothing is posted to a loop any more.
  void stop() { clerk_.stop(); }

  // What to set, if hits come through a proxy that trusted_proxies does not name. Any thread.
  std::optional<std::string> forgotten_proxy() const { return proxy_watch_.warning(); }

  // Everything that is counted about the server. Any thread.
  void describe(MetricsPage& page) const;

 private:
  friend class Loop;
  void enter(Loop* loop);
  void leave(Loop* loop);

  ApiParts parts_;
  ForgottenProxy proxy_watch_;
  mutable std::mutex mutex_;
  std::vector<Loop*> loops_;
  Knocks knocks_;
  Clerk clerk_;
};

}  // namespace nando
