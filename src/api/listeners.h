// Listeners: who watches a page's numbers change, in one I/O loop. Counts are looked up a few times
// a second, for each page that somebody watches, and told to those who watch it when they have
// changed. So a hit costs nothing more for being watched, and what is told is on disk.
//
// The more listeners there are, the rarer they are told: at most kRateMax times a second, never
// later than kLateMax. Numbers are the newest there are, so nobody who is slow needs what was
// missed: a listener that has not taken the last event gets the next one once it has.
//
// Threads: its loop's; describe() from any.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/server.h"
#include "ledger/ledger.h"
#include "telemetry/metrics.h"

namespace nando {

inline constexpr std::size_t kListenersMax = 15'000;  // A loop; the rest is for who counts.
inline constexpr std::chrono::milliseconds kToldEveryMin{100};
inline constexpr std::chrono::milliseconds kToldEveryMax{850};
inline constexpr std::chrono::microseconds kToldEveryForEach{85};  // Listener of the loop.
// Something is sent at least so often, so that proxies keep the connection and the dead are
// noticed.
inline constexpr std::chrono::seconds kStillThere{15};

class Listeners {
 public:
  Listeners(const Ledger& ledger, const Clock& clock) : ledger_(ledger), clock_(clock) {}

  struct WatchedPage {
    SiteId site;
    PageKey key{};
  };
  bool is_full() const { return count_ >= kListenersMax; }
  // What a listener is told of the page as it is now, appended to `text`.
  static void append_event(const Ledger::Counts& counts, std::string& text);

  // `told`: what the listener knows. Requires: not full.
  void listen(const WatchedPage& page, const Ledger::Counts& told, http::Stream stream);

  // Tells what has changed, if it is time to.
  void end_turn();
  // Until it is.
  std::chrono::nanoseconds patience() const;

  void describe(MetricsPage& page, const std::string& label) const;

 private:
  using Instant = std::chrono::nanoseconds;
  struct Listener {
    http::Stream stream;
    bool behind = false;  // It has not taken the last event.
  };
  struct Page {
    WatchedPage page;
    Ledger::Counts told;
    Instant due{};
    Instant last_sent{};
    std::vector<Listener> listeners;
  };

  void tell(Page& page, Instant now);
  Instant interval() const;

  const Ledger& ledger_;
  const Clock& clock_;
  std::map<PageKey, Page> pages_;
  Instant next_look_{};
  std::string text_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> events_{0};
  std::atomic<std::uint64_t> missed_{0};
};

}  // namespace nando
