// Gate: where one I/O loop gathers the hits and claims of a turn and hands them to the committer in
// one piece, and where their outcomes come back to be answered.
//
// A sync costs as much for one hit as for a hundred. So when a turn has brought fewer requests than
// the last batch had, the clients that it answered are about to ask again, and the gate waits for
// as many: no longer than that batch took, nor than kGatherMax. A lone client is never made to
// wait.
//
// Threads: its loop's. Batches go round: the loop fills one, the committer commits it, the loop
// answers and reuses it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/server.h"
#include "ledger/committer.h"
#include "model/drop_reason.h"
#include "model/site.h"

namespace nando {

class Loop;

inline constexpr std::chrono::microseconds kGatherMax{500};

// One request's hits in a batch, and how to answer them.
struct PendingAnswer {
  // Answers when all outcomes are there (or all hits were refused with one word).
  using Write = void (*)(Loop& loop, const PendingAnswer& pending,
                         std::span<const Outcome> outcomes, http::Responder responder);

  using WriteClaim = void (*)(Loop& loop, const Claim& claim, const ClaimOutcome& outcome,
                              http::Responder responder);

  http::Responder responder;
  Write write = nullptr;
  WriteClaim write_claim = nullptr;  // In place of `write`, for the claim at `first`.
  std::size_t first = 0;             // Of its hits in the batch.
  std::size_t count = 0;
  Visibility visibility = Visibility::closed;    // Whether the asker may see numbers.
  std::string_view url;                          // As sent; in the batch's arena.
  std::vector<std::optional<DropReason>> slots;  // Of an array, one an element: why it is no hit.
};

class Gate final : private Duties {
 public:
  Gate(Loop& loop, Committer& committer, http::Mailbox& mailbox);
  ~Gate() override;

  // The batch that is being filled: its arena and its hits.
  HitBatch& batch();

  // The hits from `pending.first` on are this request's.
  void expect(PendingAnswer pending);

  // Hands over what was gathered, or waits a moment for more.
  void end_turn();
  void flush_if_large();
  // How long it waits; the longest there is if it waits for nothing.
  std::chrono::nanoseconds patience() const { return patience_; }

  // Hits that wait for their outcome.
  std::size_t outstanding() const { return outstanding_; }

 private:
  struct LoopBatch;
  void stand_in() override { mailbox_.stand_in(); }
  void recall() override { mailbox_.recall(); }
  void flush();
  void commit();
  std::unique_ptr<LoopBatch> take();  // What was filled.
  void submit(std::unique_ptr<LoopBatch> mine);
  bool may_gather();
  void finish(std::unique_ptr<LoopBatch> batch);
  std::unique_ptr<LoopBatch> fresh();

  Loop& loop_;
  Committer& committer_;
  http::Mailbox& mailbox_;
  std::unique_ptr<LoopBatch> filling_;
  std::vector<std::unique_ptr<LoopBatch>> spare_;
  std::size_t outstanding_ = 0;
  std::size_t last_requests_ = 0;             // Of the batch that was answered last,
  std::chrono::nanoseconds last_duration_{};  // and how long it took.
  std::chrono::nanoseconds gather_until_{};   // 0 while nothing was gathered.
  std::chrono::nanoseconds patience_ = std::chrono::nanoseconds::max();
};

}  // namespace nando
