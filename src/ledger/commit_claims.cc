// The part of a commit that decides claims.
#include "base/assert.h"
#include "ledger/commit.h"

namespace nando {

namespace {

using Status = ClaimOutcome::Status;

Status status_of(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::won:
      return Status::won;
    case Verdict::Kind::not_drawn:
      return Status::not_drawn;
    case Verdict::Kind::pending:
      break;
  }
  return Status::pending;
}

// Whether a loss would tell those who may still enter that nobody has won yet: how long the journal
// is stands in every receipt.
bool tells_of_open_window(const PromotionState& state, const ClaimOutcome& outcome, UnixTime now) {
  return outcome.status == Status::not_drawn && state.rules->rule == WinRule::instant &&
         !state.window(outcome.window, now).is_over;
}

}  // namespace

ClaimOutcome::Status claim_status_of(Outcome::Status status) {
  switch (status) {
    case Outcome::Status::disk_full:
      return Status::disk_full;
    case Outcome::Status::outcome_unknown:
      return Status::outcome_unknown;
    default:
      return Status::failed;
  }
}

// What `state` says of an entry at `now`, prizes that were given in this commit included.
ClaimOutcome Commit::decide(const PromotionState& state, const Claim& claim, UnixTime now) const {
  const auto entry = claim.receipt.entry_ordinal;
  const auto entered = claim.receipt.committed;
  ClaimOutcome outcome{
      .status = Status::pending, .window = state.window_of(entry, entered), .rules = state.rules};
  if (const auto claimed = state.claims.find(entry); claimed != state.claims.end()) {
    outcome.status = Status::won;
    outcome.is_repeated = true;
    outcome.prize = claimed->second.prize;
    outcome.claimed = claimed->second.at;
    return outcome;
  }
  const auto verdict =
      parts_.judge == nullptr ? Verdict{} : parts_.judge->judge(state, entry, entered, now);
  outcome.status = status_of(verdict.kind);
  outcome.known_at = verdict.known_at;
  if (verdict.kind != Verdict::Kind::won) return outcome;
  if (now > verdict.known_at.value_or(now) + state.rules->claim_within) {
    outcome.status = Status::lapsed;
  } else if (state.claims.size() >= state.rules->stock) {
    outcome.status = Status::no_stock;
  }
  return outcome;
}

void Commit::plan(const Claim& claim, ClaimOutcome& outcome) {
  auto& entries = parts_.counters.entries();
  const auto* state = entries.find(PromotionId{claim.receipt.promotion});
  const auto entry = claim.receipt.entry_ordinal;
  const bool is_entry =
      state != nullptr && entry > 0 && entry <= state->entries &&
      state->window_of(entry, claim.receipt.committed) <= state->rules->window_count;
  if (!is_entry) {
    outcome = {.status = Status::no_entry};
    return;
  }
  outcome = decide(*state, claim, committed_);
  if (outcome.is_repeated) {
    // Perhaps by a claim of this commit, which stands or falls with it.
    if (outcome.claimed == committed_) claims_.push_back({&claim, &outcome, Given::before});
    return;
  }
  if (outcome.status == Status::won) {
    const ClaimRecord record{state->id, entry,
                             static_cast<std::uint32_t>(state->claims.size() + 1)};
    const bool follows = entries.add(record, committed_);
    ASSERT(follows);
    outcome.prize = record.prize;
    outcome.claimed = committed_;
    claims_.push_back({&claim, &outcome, Given::now});
    return;
  }
  // An answer that rests on the time of this commit holds for ever only if that time is written,
  // and one that rests on its claims only if they are: claims_ has those.
  const auto before = decide(*state, claim, parts_.counters.committed());
  const bool rests_on_claims = outcome.status == Status::no_stock && !claims_.empty();
  if (before.status != outcome.status || rests_on_claims) {
    claims_.push_back({&claim, &outcome, Given::nothing});
  } else if (tells_of_open_window(*state, outcome, committed_)) {
    claims_.push_back({&claim, &outcome, Given::hidden});
  }
}

void Commit::write_claims() {
  const auto probe = [this] {
    add_probe(batch_);
    ++kinds_[static_cast<std::size_t>(RecordKind::probe)];
  };
  for (const auto& planned : claims_) {
    if (planned.given == Given::hidden) probe();
    if (planned.given != Given::now) continue;
    const auto& receipt = planned.claim->receipt;
    add_record(batch_, ClaimRecord{PromotionId{receipt.promotion}, receipt.entry_ordinal,
                                   planned.outcome->prize});
    ++kinds_[static_cast<std::size_t>(RecordKind::claim)];
  }
  if (batch_.records() == 0) probe();
}

}  // namespace nando
