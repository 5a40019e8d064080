#include "promotions/page.h"

#include <algorithm>

namespace nando {

namespace {

PromotionStatus status_of(const PromotionState& promotion, UnixTime now) {
  if (!promotion.is_over(now)) {
    return promotion.intake == Intake::paused ? PromotionStatus::paused : PromotionStatus::running;
  }
  const auto& rules = *promotion.rules;
  const bool undrawn = rules.rule == WinRule::sealed && !promotion.outside;
  if (undrawn) return PromotionStatus::closed;
  auto known_at = promotion.intake == Intake::closed ? promotion.closed_at : rules.closes;
  if (promotion.outside) known_at = promotion.revealed_at;
  return now > known_at + rules.claim_within ? PromotionStatus::over : PromotionStatus::closed;
}

// Windows that nobody will enter, and that it makes sense to tell of.
bool is_told(const PromotionState& promotion, const Window& window, UnixTime now) {
  if (!window.is_over) return false;
  if (promotion.rules->windows == WindowKind::whole || window.size() > 0) return true;
  return promotion.rules->windows == WindowKind::times &&
         promotion.rules->window_ends[window.number - 1] <= now;
}

WindowProof proof_of(const PromotionState& promotion, const Window& window, DrawJudge& judge) {
  WindowProof proof{
      .window = window.number,
      .span = {window.first, window.last},
      .head = window.link,
      .seed = judge.seed(promotion, window.number),
      .winners = judge.winners(promotion, window).value_or(std::vector<std::uint64_t>{})};
  std::erase_if(proof.winners, [&](auto ordinal) { return ordinal > window.last; });
  return proof;
}

}  // namespace

Proof make_proof(const PromotionState& promotion, const PageMoment& moment, DrawJudge& judge,
                 const SigningKey& key) {
  const auto now = moment.committed;
  const auto rules_hash = sha256(as_bytes(promotion.text));
  Proof proof{.promotion = promotion.rules->name,
              .id = promotion.id,
              .rules = promotion.text,
              .status = status_of(promotion, now),
              .as_of = now,
              .entries = promotion.entries,
              .head = promotion.link,
              .outside = promotion.outside,
              .stock = promotion.rules->stock,
              .claimed = static_cast<std::uint32_t>(promotion.claims.size())};
  for (std::uint32_t number = 1; number <= promotion.rules->window_count; ++number) {
    const auto window = promotion.window(number, now);
    if (!is_told(promotion, window, now)) break;
    proof.windows.push_back(proof_of(promotion, window, judge));
  }
  proof.statement = sign({.epoch = moment.position.epoch,
                          .sequence = moment.position.sequence,
                          .journal_head = moment.position.head,
                          .committed = now,
                          .promotion = promotion.id,
                          .rules_hash = rules_hash,
                          .entries = promotion.entries,
                          .head = promotion.link},
                         key);
  return proof;
}

}  // namespace nando
