#include "ledger/ledger.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/assert.h"
#include "journal/journal.h"
#include "ledger/commit.h"
#include "ledger/eraser.h"
#include "ledger/numbering.h"
#include "snapshot/snapshot.h"
#include "telemetry/log.h"

namespace nando {

struct Ledger::State {
  Directory& data;
  Directory& journal_directory;
  const LedgerOptions options;
  const Clock& clock;

  std::unique_ptr<Counters> counters;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Numbering> numbering;
  std::unique_ptr<JournalReader> reader;       // The committer's.
  std::unique_ptr<JournalReader> keep_reader;  // keep()'s.
  std::unique_ptr<Commit> commit;
  std::unique_ptr<Eraser> eraser;
  PromotionTables promotions{PromotionTable{}};
  std::atomic<std::uint64_t> erased{0};  // As Erasure.
  std::string recovery;
  Sequence looked_at;  // keep()'s: sealed_to() when it last looked.

  mutable std::mutex keys_mutex;
  std::shared_ptr<const KeyRing> keys;
  std::atomic<std::int64_t> last_commit_ms{0};
  std::atomic<std::uint64_t> window_ids{0};
  std::atomic<std::int64_t> window_horizon_ms{0};
  std::array<std::atomic<std::uint64_t>, kOutcomeNames.size()> outcomes{};
};

Ledger::Ledger(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ledger::~Ledger() = default;

namespace {

// Counters from the snapshot, or empty ones where there is none to be believed.
std::unique_ptr<Counters> counters_from_snapshot(Directory& data, Directory& journal,
                                                 std::uint32_t ids_max) {
  auto counters = std::make_unique<Counters>(ids_max);
  const auto hash_key = JournalReader(journal).hash_key();
  if (!hash_key) return counters;  // No journal yet.
  const auto read = read_snapshot(data, *hash_key, *counters);
  if (read) return counters;
  if (read.error().code != Code::not_found)
    log_warn("{}; replaying the whole journal", read.error().message);
  return std::make_unique<Counters>(ids_max);
}

std::string describe_recovery(const Journal& journal, Sequence from) {
  const auto& found = journal.recovery();
  auto text = fmt::format("journal: {} records, {} batches replayed after record {}",
                          found.last.sequence.value, found.batches_replayed, from.value);
  if (found.bytes_cut > 0) {
    text += fmt::format("; a torn last batch of {} bytes, never acknowledged, was cut from {}",
                        found.bytes_cut, found.cut_from);
  }
  return text;
}

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(Directory& data, Directory& journal,
                                             const LedgerOptions& options,
                                             std::shared_ptr<const KeyRing> keys,
                                             const Clock& clock, Entropy& entropy) {
  auto counters = counters_from_snapshot(data, journal, options.retry_ids_max);
  const JournalOptions journal_options{.segment_bytes = options.segment_bytes,
                                       .segment_bytes_hurry = options.segment_bytes_hurry,
                                       .segment_bytes_min = options.segment_bytes_min};
  auto eraser = std::make_unique<Eraser>();
  const auto open_from = [&](Position from) {
    return Journal::open(journal, journal_options, clock, entropy, from,
                         [&](const BatchView& batch) -> Result<> {
                           if (auto noted = eraser->note(batch); !noted) return noted;
                           return counters->fold(batch);
                         });
  };
  auto from = counters->position();
  auto opened = open_from(from);
  if (!opened && opened.error().code == Code::conflict && from.sequence) {
    log_warn("the snapshot is of another life of this journal ({}); replaying the whole journal",
             opened.error().message);
    counters = std::make_unique<Counters>(options.retry_ids_max);
    eraser = std::make_unique<Eraser>();
    from = {};
    opened = open_from(from);
  }
  if (!opened) return opened.error();

  auto state = std::unique_ptr<State>(new State{.data = data,
                                                .journal_directory = journal,
                                                .options = options,
                                                .clock = clock,
                                                .counters = std::move(counters),
                                                .journal = std::move(*opened)});
  state->numbering = std::make_unique<LocalNumbering>(*state->counters);
  state->reader = std::make_unique<JournalReader>(journal);
  state->keep_reader = std::make_unique<JournalReader>(journal);
  state->commit = std::make_unique<Commit>(Commit::Parts{
      *state->counters, *state->numbering, *state->reader, state->journal->hash_key()});
  state->eraser = std::move(eraser);
  state->recovery = describe_recovery(*state->journal, from.sequence);
  state->keys = std::move(keys);
  state->promotions.publish(state->counters->entries().table(state->counters->committed()));
  auto ledger = std::unique_ptr<Ledger>(new Ledger(std::move(state)));
  const bool is_new = !ledger->position().sequence;
  if (!is_new && options.begin_life) {
    ledger->state_->journal->begin_life(entropy.take<sizeof(Epoch)>());
  }
  if (is_new || options.begin_life) {
    if (auto began = ledger->append([&](BatchBuilder& batch) {
          add_record(batch, EpochRecord{batch.committed});
          return RecordKind::epoch;
        });
        !began) {
      return began.error();
    }
  }
  return ledger;
}

void Ledger::commit(std::span<HitBatch* const> batches) {
  auto& state = *state_;
  auto& commit = *state.commit;
  for (auto* batch : batches) {
    batch->outcomes.assign(batch->hits.size(), Outcome{});
    batch->claim_outcomes.assign(batch->claims.size(), ClaimOutcome{});
  }
  if (state.journal->failure().empty()) {
    commit.begin(next_time(), keys()->current());
    for (auto* batch : batches) commit.plan(batch->hits, batch->outcomes);
    for (auto* batch : batches) {
      for (std::size_t i = 0; i < batch->claims.size(); ++i)
        commit.plan(batch->claims[i], batch->claim_outcomes[i]);
    }
    if (commit.any()) write_planned();
  }
  for (const auto* batch : batches) {
    for (const auto& outcome : batch->outcomes) {
      state.outcomes[static_cast<std::size_t>(outcome.status)].fetch_add(1,
                                                                         std::memory_order_relaxed);
    }
  }
}

void Ledger::write_planned() {
  auto& state = *state_;
  auto& commit = *state.commit;
  if (auto numbered = commit.number(); !numbered) {
    log_warn("no ordinals: {}", numbered.error().message);
    commit.undo(Outcome::Status::failed);
    return;
  }
  commit.write();
  const auto position = state.journal->append(commit.batch());
  if (position) {
    commit.apply(*position);
    note_commit();
  } else if (position.error().code == Code::full) {
    commit.undo(Outcome::Status::disk_full);
  } else {
    log_error("counting has stopped: {}; restart to recover", position.error().message);
    commit.abandon(Outcome::Status::outcome_unknown);
  }
}

void Ledger::note_commit() {
  auto& state = *state_;
  state.last_commit_ms.store(state.clock.now().time_since_epoch().count(),
                             std::memory_order_release);
  const auto& window = state.counters->window();
  state.window_ids.store(window.size(), std::memory_order_relaxed);
  const auto horizon = window.horizon();
  state.window_horizon_ms.store(horizon ? horizon->time_since_epoch().count() : 0,
                                std::memory_order_relaxed);
}

Result<Sequence> Ledger::append(const std::function<RecordKind(BatchBuilder&)>& fill) {
  return append(next_time(), fill);
}

Result<Sequence> Ledger::append(UnixTime committed,
                                const std::function<RecordKind(BatchBuilder&)>& fill) {
  auto& state = *state_;
  BatchBuilder batch;
  batch.committed = committed;
  batch.mac_key = keys()->current().value;
  const auto kind = static_cast<std::size_t>(fill(batch));
  KindCounts kinds{};
  kinds.at(kind) = batch.records();
  const auto position = state.journal->append(batch);
  if (!position) return position.error();
  state.counters->finish(*position, batch.committed, kinds);
  note_commit();
  return position->sequence;
}

Result<Sequence> Ledger::probe() {
  return append([](BatchBuilder& batch) {
    add_probe(batch);
    return RecordKind::probe;
  });
}

UnixTime Ledger::next_time() const {
  return std::max(state_->counters->committed(), state_->clock.now());
}

Result<> Ledger::introduce(SiteId site, std::string_view host, UnixTime now) {
  auto& counters = *state_->counters;
  if (counters.sites().find(site) != nullptr) return {};
  const SiteRecord record{site, host};
  const auto told = append(now, [&](BatchBuilder& batch) {
    add_record(batch, record);
    return RecordKind::site;
  });
  if (!told) return told.error();
  const bool follows = counters.add_site(record);
  ASSERT(follows);
  return {};
}

// `now` is when it was found to follow: what is written a moment later may not.
Result<> Ledger::add_promotion(const PromotionRecord& record, UnixTime now) {
  auto& state = *state_;
  const auto told = append(now, [&](BatchBuilder& batch) {
    add_record(batch, record);
    return RecordKind::promotion;
  });
  if (!told) return told.error();
  const bool follows = state.counters->add_prize(record, now);
  ASSERT(follows);
  state.promotions.publish(state.counters->entries().table(now));
  return {};
}

Result<PromotionId> Ledger::open_promotion(SiteId site, std::string_view host,
                                           std::string_view rules) {
  const auto& entries = state_->counters->entries();
  const auto parsed = parse_rules(rules);
  if (!parsed) return parsed.error();
  const auto now = next_time();
  if (auto may = check_opening(entries, site, *parsed, now); !may) return may.error();
  if (auto told = introduce(site, host, now); !told) return told.error();
  const PromotionId id{static_cast<std::uint32_t>(entries.all().size() + 1)};
  if (auto added = add_promotion({id, PromotionAct::opened, site, rules}, now); !added) {
    return added.error();
  }
  return id;
}

Result<> Ledger::change_promotion(const PromotionRecord& record) {
  const auto* promotion = state_->counters->entries().find(record.promotion);
  if (promotion == nullptr) return Error{Code::not_found, "there is no such promotion"};
  const auto now = next_time();
  if (auto may = check_change(*promotion, record, now); !may) return may;
  return add_promotion(record, now);
}

const PromotionTables& Ledger::promotions() const {
  return state_->promotions;
}

void Ledger::use_judge(Judge& judge) {
  state_->commit->use_judge(judge);
}

// In a segment of its own, so that what it names can be sealed, and then written without details.
Result<Sequence> Ledger::remove(std::span<const RemovalRecord> records) {
  auto& state = *state_;
  if (auto begun = state.journal->begin_segment(); !begun) return begun.error();
  const auto last = append([&](BatchBuilder& batch) {
    for (const auto& record : records) add_record(batch, record);
    return kind_of(records.front().what);
  });
  if (!last) return last;
  for (const auto& record : records) {
    const bool follows = state.counters->remove(record);
    ASSERT(follows);
    state.eraser->add(record, *last);
  }
  return last;
}

Ledger::Erasure Ledger::erasure() const {
  const auto status = state_->eraser->status();
  Erasure erasure{.asked = status.asked, .records = status.records, .problem = status.problem};
  erasure.erased.value = state_->erased.load(std::memory_order_acquire);
  if (erasure.done()) return erasure;
  erasure.share = static_cast<double>(status.segments) /
                  static_cast<double>(std::max<std::uint64_t>(1, status.segments_in_all));
  return erasure;
}

Result<Sequence> Ledger::leave_out(const VoidRecord& record) {
  return append([&](BatchBuilder& batch) {
    add_record(batch, record);
    return RecordKind::void_span;
  });
}

Ledger::Counts Ledger::counts(SiteId site, const PageKey& key) const {
  const auto& pages = state_->counters->pages();
  const auto& sites = state_->counters->sites();
  Counts counts;
  if (const auto page = pages.find(key)) {
    counts.page_seen = true;
    counts.page = pages.count(*page);
    counts.page_shown = counts.page + sites.page_base(*page);
  }
  counts.site = sites.count(site);
  counts.site_shown = counts.site + sites.base(site);
  return counts;
}

Key128 Ledger::hash_key() const {
  return state_->journal->hash_key();
}
Position Ledger::position() const {
  return state_->journal->position();
}
std::string Ledger::failure() const {
  return state_->journal->failure();
}
std::string Ledger::recovery() const {
  return state_->recovery;
}
const Counters& Ledger::counters() const {
  return *state_->counters;
}

UnixTime Ledger::last_commit() const {
  return UnixTime{
      std::chrono::milliseconds{state_->last_commit_ms.load(std::memory_order_acquire)}};
}

void Ledger::use_keys(std::shared_ptr<const KeyRing> keys) {
  const std::lock_guard lock(state_->keys_mutex);
  state_->keys = std::move(keys);
}

std::shared_ptr<const KeyRing> Ledger::keys() const {
  const std::lock_guard lock(state_->keys_mutex);
  return state_->keys;
}

Result<bool> Ledger::keep() {
  auto& state = *state_;
  auto kept = state.journal->keep();
  if (!kept || *kept) return kept;
  kept = state.eraser->step(*state.journal, state.journal_directory);
  if (!kept || *kept) return kept;
  // The next start begins after what is done; and a snapshot knows hosts.
  if (const auto erased = state.eraser->status().erased; erased.value > state.erased) {
    if (auto made = snapshot(erased); !made) return made;
    state.erased = erased.value;
    return true;
  }
  const auto sealed_to = state.journal->sealed_to();
  if (sealed_to <= state.looked_at) return false;
  state.looked_at = sealed_to;
  const auto since = snapshot_position(state.data).sequence.value;
  const auto enough = std::max<std::uint64_t>(state.options.snapshot_records_min,
                                              state.counters->pages().size() / 2);
  // A removal that is not done stands after the snapshot, so that a start finds it.
  const auto status = state.eraser->status();
  if (sealed_to.value < since + enough || status.asked > status.erased) return false;
  return snapshot(sealed_to);
}

Result<bool> Ledger::snapshot(Sequence up_to) {
  auto& state = *state_;
  auto merged = merge_snapshot(state.data, *state.keep_reader, hash_key(), up_to);
  if (!merged && (merged.error().code == Code::corrupt || merged.error().code == Code::invalid)) {
    log_warn("{}; it is made anew", merged.error().message);
    if (auto removed = state.data.remove(kSnapshotName); !removed) return removed.error();
    merged = merge_snapshot(state.data, *state.keep_reader, hash_key(), up_to);
  }
  if (!merged) return merged.error();
  return true;
}

void Ledger::describe(MetricsPage& page) const {
  const auto& state = *state_;
  const auto erasure = this->erasure();
  page.counter("nandolytics_details_removed_total", "Records that lost their details.",
               static_cast<double>(erasure.records));
  page.gauge("nandolytics_removal_pending", "1 while details are being removed.",
             erasure.done() ? 0 : 1);
  for (std::size_t i = 0; i < kOutcomeNames.size(); ++i) {
    page.counter("nandolytics_hits_total", "Hits by what became of them.",
                 static_cast<double>(state.outcomes[i].load(std::memory_order_relaxed)),
                 {{"outcome", std::string(kOutcomeNames[i])}});
  }
  const auto position = state.journal->position();
  const auto sizes = state.journal->sizes();
  page.gauge("nandolytics_journal_sequence", "The last durable record.",
             static_cast<double>(position.sequence.value));
  page.gauge("nandolytics_journal_bytes", "Bytes on disk.", static_cast<double>(sizes.live_bytes),
             {{"segments", "live"}});
  page.gauge("nandolytics_journal_bytes", "Bytes on disk.", static_cast<double>(sizes.sealed_bytes),
             {{"segments", "sealed"}});
  page.gauge("nandolytics_pages", "Pages that were ever counted.",
             static_cast<double>(state.counters->pages().size()));
  page.gauge("nandolytics_retry_window_ids", "Hit ids that a retry is recognised by.",
             static_cast<double>(state.window_ids.load(std::memory_order_relaxed)));
  page.gauge("nandolytics_retry_window_horizon_seconds",
             "Unix time of the oldest of them; 0 if there is none.",
             static_cast<double>(state.window_horizon_ms.load(std::memory_order_relaxed)) / 1000);
  page.gauge("nandolytics_journal_failed", "1 after a failed write or sync, until a restart.",
             state.journal->failure().empty() ? 0 : 1);
}

}  // namespace nando
