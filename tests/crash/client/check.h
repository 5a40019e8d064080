// Check: compares what was answered with what the journal holds, both taken from outside: the
// answer logs of the clients and the lines of `nandolytics export --format ndjson`.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/entry.h"
#include "client/flags.h"

namespace crash {

struct CheckOptions {
  std::vector<std::string> logs;
  std::string exported;     // File of ndjson lines.
  std::uint32_t sites = 1;  // As the load was told.
  std::uint16_t port = 0;   // Ask this server for the counts, too; 0: do not.
};

CheckOptions read_check_options(Flags& flags);

class Check {
 public:
  explicit Check(const CheckOptions& options) : options_(options) {}
  // Whether nothing was found.
  bool run();
  void print(std::FILE* to) const;  // One JSON object.

 private:
  struct Record {
    std::uint32_t page = 0;
    std::uint64_t page_ordinal = 0;
    std::uint64_t site_ordinal = 0;
    std::uint64_t sequence = 0;
    std::array<std::uint64_t, 2> receipt{};
    bool sent = false;
  };
  struct HashId {
    std::size_t operator()(const HitId& id) const;
  };

  void read_export();
  static bool is_kept_only(std::string_view line);
  void add_kept(const Record& record, std::string_view line);
  void add_line(std::string_view line);
  void check_ordinals();
  void check_answers();
  void check_order(const std::vector<Entry>& answers);
  void check_counts();
  void found(std::uint64_t& counter, const std::string& what);

  const CheckOptions options_;
  std::unordered_map<HitId, Record, HashId> by_id_;
  std::unordered_map<std::string, std::uint32_t> page_of_;
  std::vector<std::vector<std::uint64_t>> page_ordinals_;  // By page, in journal order.
  std::vector<std::vector<std::uint64_t>> site_ordinals_;
  std::uint64_t last_sequence_ = 0;
  std::string first_;

  std::uint64_t records_ = 0;  // Page views with a number.
  std::uint64_t kept_ = 0;     // Those without.
  std::uint64_t acknowledged_ = 0;
  std::uint64_t unknown_counted_ = 0;
  std::uint64_t lost_ = 0;            // Acknowledged and not in the journal.
  std::uint64_t changed_ = 0;         // There, with another page, ordinal or receipt.
  std::uint64_t answers_differ_ = 0;  // Two answers to one id that are not the same.
  std::uint64_t ids_twice_ = 0;       // One id counted twice.
  std::uint64_t ordinals_twice_ = 0;
  std::uint64_t holes_ = 0;
  std::uint64_t out_of_order_ = 0;     // Ordinals or sequence numbers that fall in the journal.
  std::uint64_t refused_counted_ = 0;  // Refused or dropped, and counted all the same.
  std::uint64_t strangers_ = 0;        // Counted and never sent.
  std::uint64_t inversions_ = 0;       // A answered before B was sent, and not A < B.
  std::uint64_t aggregates_off_ = 0;
};

}  // namespace crash
