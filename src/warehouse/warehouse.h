// Warehouse: the columnar copy of the journal that charts read. It holds nothing that the journal
// does not hold, so it can be deleted and filled again.
//
// Promise
//   - Rows and the mark that says how far they go change in one transaction, so a row is there
//     exactly once, wherever the process dies.
//   - A query sees a whole number of transactions.
// Failure: Code::full for no space, Code::corrupt for a file that is damaged or none of ours,
// Code::invalid for one of a newer version, Code::io for the rest. After Code::corrupt from a file
// that was open, open it again.
// Threads: load() from one; the rest from any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "warehouse/rows.h"

namespace nando {

// Rows of hits that the engine compresses together, at most. load() is cheapest with a little less:
// they are written once, where few go through the engine's log and are merged with others later.
inline constexpr std::size_t kRowGroup = 122'880;

struct WarehouseOptions {
  // For all that the engine needs: its own limit is three quarters of it, and it overshoots that.
  std::uint64_t memory_bytes = 600 << 20;
  // More than one costs twice the processor for each row: the one that loads spins while it waits
  // for another.
  unsigned threads = 1;
};

enum class ExportFormat : std::uint8_t { csv, parquet, duckdb };
inline constexpr std::array<std::string_view, 3> kExportFormatNames = {"csv", "parquet", "duckdb"};
constexpr std::string_view name_of(ExportFormat format) {
  return enum_name(kExportFormatNames, format);
}

enum class CsvHeader : std::uint8_t { written, left_out };

// Counts that `verify` holds against the journal's. Ordinals that are 1, 2, ... n add up to
// n (n + 1) / 2, so a row that is missing, doubled or wrong shows.
struct OrdinalSum {
  std::uint64_t page_views = 0;  // With a number.
  std::uint64_t ordinals = 0;    // Their sum, modulo 2^64.

  bool is_exact() const {
    const auto n = page_views;
    return ordinals == (n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n);
  }
};
struct WarehouseTotals {
  std::array<std::uint64_t, kHitKindNames.size()> kinds{};
  std::map<SiteId, OrdinalSum> sites;
  std::vector<OrdinalSum> pages;  // Of page 1, 2, ...
};

class Warehouse {
 public:
  // The file at `path`; made if it is not there.
  static Result<std::unique_ptr<Warehouse>> open(const std::string& path,
                                                 const WarehouseOptions& options);
  virtual ~Warehouse() = default;

  // Adds the rows and moves the mark, or does neither.
  [[nodiscard]] virtual Result<> load(const Rows& rows, const Mark& mark) = 0;

  // Whether there is anything that `removals` take away.
  virtual Result<bool> holds_details(std::span<const RemovalRow> removals) = 0;

  // Writes a new file `to` that holds the same but for what `removals` take away, and `mark`. A
  // file of its own, because the engine leaves what it deletes in the old one.
  [[nodiscard]] virtual Result<> write_without(const std::string& to,
                                               std::span<const RemovalRow> removals,
                                               const Mark& mark) = 0;

  // How many hits a span takes.
  virtual Result<std::uint64_t> hits_in(const VoidRow& span) = 0;

  // Nothing in a new one.
  virtual Result<std::optional<Mark>> loaded() = 0;

  // The zones that the rows of each site were made with.
  virtual Result<std::map<SiteId, std::string>> zones() = 0;

  // Over the rows up to `up_to`.
  virtual Result<WarehouseTotals> totals(Sequence up_to) = 0;

  // Writes the hits after `question.after` up to `up_to`, or to a mark that is returned if that
  // comes first, to a new file `to`: oldest first, each with the host of its site and the URL of
  // its page. Texts that a spreadsheet would run (CSV only) get an apostrophe in front.
  struct Question {
    ExportFormat format = ExportFormat::csv;
    Sequence after;
    Sequence up_to{~std::uint64_t{0}};
    std::string host;  // Empty: of every site.
    CsvHeader header = CsvHeader::written;
  };
  virtual Result<std::optional<Mark>> write_to(const std::string& to, const Question& question) = 0;

  // What the engine held in memory after the last load(): little, unless somebody was asking.
  virtual std::uint64_t held_bytes() const = 0;

  // Whether its file still is the one at its path.
  virtual bool is_in_place() const = 0;
};

// Removes what a warehouse keeps at `path`, or moves it to `path` + ".aside", replacing an older
// one. True if there was one.
enum class Keep : std::uint8_t { aside, nothing };
Result<bool> clear_warehouse(const std::string& path, Keep keep);

// Puts the file `from`, which nobody has open, in the place of the warehouse at `path`; there is
// one or the other at any time.
Result<> replace_warehouse(const std::string& path, const std::string& from);

}  // namespace nando
