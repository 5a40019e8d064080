// The ledger: what has been counted, exactly. It posts hits to the journal and to the counters, and
// gives each hit a receipt.
//
// Promise
//   - A receipt means counted: durably, and exactly once.
//   - Counters are a pure function of the journal: replaying it from the start, or from any
//   snapshot, gives the same
//     numbers, bit for bit.
//   - counts() never shows a hit that a crash could still take away.
//
// Threads: commit() and the other writers from the Committer's thread only; counts(), status() from
// any.
#pragma once

#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/position.h"
#include "disk/file.h"
#include "ledger/hit_batch.h"
#include "model/promotion.h"
#include "telemetry/metrics.h"

namespace nando {

class BatchBuilder;
class Judge;
class Counters;
enum class RecordKind : std::uint8_t;
struct PromotionRecord;
struct RemovalRecord;
struct VoidRecord;

struct LedgerOptions {
  std::uint64_t segment_bytes = 64 << 20;
  std::uint64_t segment_bytes_hurry = 1 << 20;
  std::uint64_t segment_bytes_min = 256 << 10;
  std::uint32_t retry_ids_max = 4'000'000;
  bool begin_life = false;  // Of a store that was restored: a new epoch begins after what is there.
  std::uint64_t snapshot_records_min =
      1'000'000;  // A snapshot is made when this many records were sealed since the last.
};

class Ledger {
 public:
  // Opens the journal in `journal` and the snapshot in `data`, and replays what came after it. A
  // snapshot that is damaged or of another life is set aside and the whole journal is replayed.
  // Code::corrupt, naming file and offset, if the journal is damaged. A new journal begins with its
  // epoch record.
  static Result<std::unique_ptr<Ledger>> open(Directory& data, Directory& journal,
                                              const LedgerOptions& options,
                                              std::shared_ptr<const KeyRing> keys,
                                              const Clock& clock, Entropy& entropy);
  ~Ledger();

  // Counts every hit of every batch, decides every claim, and fills in the outcomes, in the same
  // order. No other function
  // makes a counter rise.
  //
  // The order inside is the whole design: journal, then counters, then receipts. So a reader never
  // sees a count that is not on disk, and nobody holds a receipt for a hit that is not in the
  // counters.
  //
  // A hit whose id was counted within kRetryHours gets its first receipt again, byte for byte, and
  // is not counted again. A client that lost our answer sends the same hit once more, and that is
  // the whole retry protocol.
  //
  // When the disk is full, hits get disk_full and nothing has changed. When the write or sync
  // fails, hits get outcome_unknown, and every later one gets failed until the ledger is opened
  // again.
  //
  // Cost: one write and one sync for all of them, none if no hit is new.
  void commit(std::span<HitBatch* const> batches);

  // A record that says only that records can be written; durable when it returns.
  [[nodiscard]] Result<Sequence> probe();

  // Takes away the details that `records` name; counts stay as they are, bit for bit. Durable when
  // it returns, and no start or restore brings them back; keep() then takes them out of the
  // journal's files, erasure() says how far it is. Returns the last record. Requires: every site
  // was counted, a page is of its site, and `up_to` is durable.
  [[nodiscard]] Result<Sequence> remove(std::span<const RemovalRecord> records);

  struct Erasure {
    Sequence asked;             // The newest removal.
    Sequence erased;            // What removals up to here name is gone from every file.
    std::uint64_t records = 0;  // That lost their details, since the start.
    double share = 1;           // Of what is to be looked at.
    std::string problem;        // Why it does not go on; empty if it does.
    bool done() const { return erased >= asked; }
  };
  Erasure erasure() const;  // Any thread.

  // Hits that charts leave out from now on, or show again.
  [[nodiscard]] Result<Sequence> leave_out(const VoidRecord& record);

  // Opens a promotion by its rules (rules_text()), or says what became of it. Durable when it
  // returns, with its id; promotions() is published. Code::conflict if it does not follow: a name
  // that is taken, pages that another promotion has, a seed that is asked for early.
  [[nodiscard]] Result<PromotionId> open_promotion(SiteId site, std::string_view host,
                                                   std::string_view rules);
  [[nodiscard]] Result<> change_promotion(const PromotionRecord& record);

  // Those that take entries. Any thread.
  const PromotionTables& promotions() const;

  // Who knows which entries win; before the first commit. It outlives this.
  void use_judge(Judge& judge);

  struct Counts {
    std::uint64_t page = 0;  // Ordinals.
    std::uint64_t site = 0;
    std::uint64_t page_shown = 0;
    std::uint64_t site_shown = 0;
    bool page_seen = false;
  };
  Counts counts(SiteId site, const PageKey& page) const;

  Key128 hash_key() const;
  Position position() const;  // Of the last durable batch. Any thread.
  std::string failure()
      const;  // Why hits are refused for good; empty while they are not. Any thread.
  UnixTime last_commit() const;  // By the wall. Any thread.

  // New hits get receipts under keys->current(); old ones stay valid while their key is in `keys`.
  // Any thread.
  void use_keys(std::shared_ptr<const KeyRing> keys);
  std::shared_ptr<const KeyRing> keys() const;  // Any thread.

  // What a start found; for the log.
  std::string recovery() const;

  // One step of housekeeping, off the path of hits: the journal's next segment and seals, then a
  // snapshot if enough has been sealed since the last; removals. Returns whether there was anything
  // to do.
  // One thread, any but the committer's.
  [[nodiscard]] Result<bool> keep();

  // The committer's thread only: for what needs one moment, such as `verify`.
  const Counters& counters() const;

  void describe(MetricsPage& page) const;  // Any thread.

 private:
  struct State;
  void write_planned();
  void note_commit();
  // One batch of records of one kind, which `fill` writes and names. Returns the last.
  [[nodiscard]] Result<Sequence> append(const std::function<RecordKind(BatchBuilder&)>& fill);
  [[nodiscard]] Result<Sequence> append(UnixTime committed,
                                        const std::function<RecordKind(BatchBuilder&)>& fill);
  // The time of the next batch, if it were written now.
  UnixTime next_time() const;
  [[nodiscard]] Result<> introduce(SiteId site, std::string_view host, UnixTime now);
  [[nodiscard]] Result<> add_promotion(const PromotionRecord& record, UnixTime now);
  [[nodiscard]] Result<bool> snapshot(Sequence up_to);

  explicit Ledger(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nando
