#include "promotions/page.h"

#include <algorithm>

namespace nando {

namespace {

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

// Of an instant draw, those of windows that are over: who knew that the prize of an open one is not
// claimed yet would enter at its end, and win more than their share.
std::uint32_t claims_told(const PromotionState& promotion, const Proof& proof) {
  const auto& claims = promotion.claims;
  if (promotion.rules->rule != WinRule::instant) return static_cast<std::uint32_t>(claims.size());
  const auto last = proof.windows.empty() ? 0 : proof.windows.back().span.last;
  return static_cast<std::uint32_t>(std::distance(claims.begin(), claims.upper_bound(last)));
}

}  // namespace

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

bool has_time_decided(const PromotionState& promotion, UnixTime then, UnixTime now) {
  if (now <= then) return false;
  if (status_of(promotion, then) != status_of(promotion, now)) return true;
  const auto& ends = promotion.rules->window_ends;
  return std::ranges::upper_bound(ends, then) != std::ranges::upper_bound(ends, now);
}

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
              .stock = promotion.rules->stock};
  for (std::uint32_t number = 1; number <= promotion.rules->window_count; ++number) {
    const auto window = promotion.window(number, now);
    if (!is_told(promotion, window, now)) break;
    proof.windows.push_back(proof_of(promotion, window, judge));
  }
  proof.claimed = claims_told(promotion, proof);
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
