#include "api/gate.h"

#include "api/loop.h"
#include "base/assert.h"

namespace nando {

namespace {

constexpr std::size_t kSpareMax = 8;

std::string_view word_of(Committer::Taken taken) {
  switch (taken) {
    case Committer::Taken::queue_full:
      return "queue_full";
    case Committer::Taken::stalled:
      return "stalled";
    case Committer::Taken::stopping:
      return "stopping";
    case Committer::Taken::yes:
      break;
  }
  ASSERT(false);
}

}  // namespace

struct Gate::LoopBatch final : HitBatch {
  LoopBatch(Gate& owner, http::Mailbox& box) : gate(owner), mailbox(box) {}

  void on_committed(std::unique_ptr<HitBatch> self) override {
    ASSERT(self.get() == this);
    self.release();
    mailbox.post([this] { gate.finish(std::unique_ptr<LoopBatch>(this)); });
  }

  Gate& gate;
  http::Mailbox& mailbox;
  std::vector<PendingAnswer> pending;
};

Gate::Gate(Loop& loop, Committer& committer, http::Mailbox& mailbox)
    : loop_(loop), committer_(committer), mailbox_(mailbox) {}
Gate::~Gate() = default;

HitBatch& Gate::batch() {
  if (filling_ == nullptr) filling_ = fresh();
  return *filling_;
}

std::unique_ptr<Gate::LoopBatch> Gate::fresh() {
  if (spare_.empty()) return std::make_unique<LoopBatch>(*this, mailbox_);
  auto batch = std::move(spare_.back());
  spare_.pop_back();
  return batch;
}

void Gate::expect(PendingAnswer pending) {
  filling_->pending.push_back(std::move(pending));
  ++outstanding_;
}

void Gate::flush_if_large() {
  if (filling_ == nullptr) return;
  if (filling_->size() >= kBatchHitsEnough || filling_->arena.bytes() >= kBatchTextEnough) flush();
}

void Gate::end_turn() {
  if (filling_ != nullptr && !filling_->pending.empty()) commit();
}

// In place if it can be, since at the end of a turn the loop has nothing else to do.
void Gate::commit() {
  auto batch = std::move(filling_);
  if (committer_.commit_in_place(*batch, *this)) return finish(std::move(batch));
  submit(std::move(batch));
}

void Gate::flush() {
  submit(std::move(filling_));
}

void Gate::submit(std::unique_ptr<LoopBatch> mine) {
  auto& pending = mine->pending;
  std::unique_ptr<HitBatch> batch = std::move(mine);
  const auto taken = committer_.submit(batch);
  if (taken == Committer::Taken::yes) return;
  outstanding_ -= pending.size();
  for (auto& one : pending) loop_.refuse(word_of(taken), std::move(one.responder));
}

void Gate::finish(std::unique_ptr<LoopBatch> batch) {
  outstanding_ -= batch->pending.size();
  loop_.hold_keys();
  for (auto& pending : batch->pending) {
    auto responder = std::move(pending.responder);
    if (pending.write_claim != nullptr) {
      const auto at = pending.first;
      pending.write_claim(loop_, batch->claims[at], batch->claim_outcomes[at],
                          std::move(responder));
      continue;
    }
    const auto outcomes = std::span(batch->outcomes).subspan(pending.first, pending.count);
    pending.write(loop_, pending, outcomes, std::move(responder));
  }
  if (spare_.size() == kSpareMax) return;
  batch->pending.clear();
  batch->hits.clear();
  batch->outcomes.clear();
  batch->claims.clear();
  batch->claim_outcomes.clear();
  batch->arena.clear();
  spare_.push_back(std::move(batch));
}

}  // namespace nando
