// Gate: where one I/O loop gathers the hits and claims of a turn and hands them to the committer in
// one piece, and where their outcomes come back to be answered.
//
// It waits for nobody: what a turn brought is committed at its end. Who asks meanwhile is in the
// next batch, and the busier the server, the more they are (decision 0017).
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

  void end_turn();  // Commits what it brought.
  void flush_if_large();

  // Hits that wait for their outcome.
  std::size_t outstanding() const { return outstanding_; }

 private:
  struct LoopBatch;
  void stand_in() override { mailbox_.stand_in(); }
  void recall() override { mailbox_.recall(); }
  void flush();
  void commit();
  void submit(std::unique_ptr<LoopBatch> mine);
  void finish(std::unique_ptr<LoopBatch> batch);
  std::unique_ptr<LoopBatch> fresh();

  Loop& loop_;
  Committer& committer_;
  http::Mailbox& mailbox_;
  std::unique_ptr<LoopBatch> filling_;
  std::vector<std::unique_ptr<LoopBatch>> spare_;
  std::size_t outstanding_ = 0;
};

}  // namespace nando
