// Load: hits sent to a server, through one door or several, as fast as answers come or by a
// schedule; and every answer kept.
#pragma once

#include <deque>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "client/engine.h"
#include "client/entry.h"
#include "client/flags.h"

namespace crash {

enum class Door { record, hits, array, pixel };

struct LoadOptions {
  std::uint64_t count = 0;  // Hits; 0: until the time is over.
  double seconds = 0;       // 0: until the count is reached.
  double rate = 0;          // Hits a second by schedule; 0: a new one after each answer.
  // Waits of hits due before this are no figure: connections are being made and memory is new.
  std::uint64_t warm_up_ms = 0;
  std::uint64_t seed = 1;
  std::uint32_t sites = 1;
  std::uint32_t pages = 1;
  double zipf = 0;  // Exponent of the choice of pages; 0: all alike.
  std::vector<Door> doors = {Door::record};
  std::size_t array_hits = 1000;
  std::string ids = "fixed";      // fixed, varied, chance, none
  std::string token;              // For arrays.
  std::uint32_t visitors = 0;     // Addresses claimed: X-Forwarded-For, or `ip` in arrays.
  std::string addresses = "10.";  // How they begin: "10.", "198.51.100.", "2001:db8:5afe:c0de:".
  std::string agent = "crash-client/1";
  std::string log;
  std::string again;          // A log whose unknown hits are sent first, with their ids.
  bool retry = false;         // Every hit is sent until it is acknowledged.
  bool stop_refused = false;  // No more after the first refusal.
  std::string in_order;       // "pages": hit n is for page n, each page once.
};

LoadOptions read_load_options(Flags& flags);

// https://s<n>.crash.example/p<page>: the sites take turns.
std::string page_url(std::uint32_t page, std::uint32_t sites);

class Load final : public Player {
 public:
  explicit Load(const LoadOptions& options);
  bool ask(Question& question, std::uint64_t now) override;
  void answered(Question& question, const Message& answer, std::uint64_t now) override;
  void lost(Question& question, Lost how, std::uint64_t now) override;
  std::uint64_t next_due() const override;
  bool done(std::uint64_t now) const override;
  void print(std::FILE* to) const;  // One JSON object.

 private:
  struct Again {
    Entry hit;
    std::uint64_t not_before = 0;
  };

  bool next_hit(Entry& hit, std::uint64_t now);
  std::uint32_t choose_page(std::uint64_t number) const;
  std::string visitor(std::uint64_t number) const;
  std::string array_body(const std::vector<Entry>& hits) const;
  void write_question(Question& question, Door door);
  void settle(Entry& hit, std::uint64_t now);

  const LoadOptions options_;
  AnswerLog log_;
  std::vector<double> zipf_;  // Cumulated weights.
  std::deque<Again> again_;
  std::uint64_t started_ns_ = 0;
  std::uint64_t last_ns_ = 0;
  std::uint64_t made_ = 0;
  std::uint64_t asked_ = 0;
  std::uint64_t settled_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t first_refused_ns_ = 0;
  std::uint64_t refused_without_retry_after_ = 0;
  std::array<std::uint64_t, kOutcomes> outcomes_{};
  std::map<int, std::uint64_t> statuses_;
  std::vector<std::uint32_t> waits_us_;
};

}  // namespace crash
