#include "promotions/judge.h"

#include <algorithm>

#include "prizes/winners.h"
#include "telemetry/log.h"

namespace nando {

namespace {

constexpr std::size_t kDrawnMax = 1'000;

}  // namespace

const SeedChain* DrawJudge::chain_of(const PromotionState& promotion) {
  auto& chain = chains_[promotion.id];
  if (chain) return chain.get();
  const auto master = secrets_.master(promotion.rules->name);
  if (!master) {
    log_warn("promotion {}: {}", promotion.rules->name, master.error().message);
    return nullptr;
  }
  auto made = std::make_unique<const SeedChain>(*master, promotion.rules->window_count);
  if (made->commitment() != promotion.rules->commitment) {
    log_error("promotion {}: its seed is not the one that was committed to", promotion.rules->name);
    return nullptr;
  }
  chain = std::move(made);
  return chain.get();
}

std::optional<Hash256> DrawJudge::seed(const PromotionState& promotion, std::uint32_t window) {
  if (promotion.rules->rule != WinRule::instant) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto* chain = chain_of(promotion);
  if (chain == nullptr) return std::nullopt;
  return chain->seed(window);
}

std::optional<Hash256> DrawJudge::draw_seed(const PromotionState& promotion, const Window& window) {
  if (promotion.rules->rule == WinRule::instant) {
    const auto* chain = chain_of(promotion);
    return chain == nullptr ? std::nullopt : std::optional(chain->seed(window.number));
  }
  if (!promotion.outside) return std::nullopt;
  return sealed_seed(window.link, *promotion.outside);
}

std::optional<std::vector<std::uint64_t>> DrawJudge::winners(const PromotionState& promotion,
                                                             const Window& window) {
  const auto& rules = *promotion.rules;
  const bool by_entries = rules.windows == WindowKind::entries;
  WindowSpan span{window.first, window.last};
  // All that it will hold: who wins among them does not wait for the last.
  if (by_entries) span = span_by_entries(rules, window.number, entries_max(rules));
  if (rules.rule == WinRule::exact) span.last = entries_max(rules);
  if (rules.rule == WinRule::exact || rules.rule == WinRule::every) {
    return winners_of(rules, span, {});
  }
  if (!by_entries && !window.is_over) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const std::pair key(promotion.id, window.number);
  if (const auto known = drawn_.find(key);
      known != drawn_.end() && known->second.among == span.entries()) {
    return known->second.winners;
  }
  const auto seed = draw_seed(promotion, window);
  if (!seed) return std::nullopt;
  auto winners = winners_of(rules, span, *seed);
  if (drawn_.size() >= kDrawnMax) drawn_.clear();
  drawn_[key] = {span.entries(), winners};
  return winners;
}

Verdict DrawJudge::judge(const PromotionState& promotion, std::uint64_t entry, UnixTime entered,
                         UnixTime now) {
  const auto& rules = *promotion.rules;
  const auto window = promotion.window(promotion.window_of(entry, entered), now);
  Verdict verdict{.known_at = entered};
  if (rules.windows == WindowKind::times) verdict.known_at = window.over_at;
  if (rules.rule == WinRule::sealed) {
    verdict.known_at = promotion.outside ? std::optional(promotion.revealed_at) : std::nullopt;
    if (!promotion.outside && now < rules.outside_at) verdict.known_at = rules.outside_at;
  }
  const auto won = winners(promotion, window);
  if (!won) {
    // Its time has come and its seed is gone: nobody can tell.
    if (verdict.known_at && *verdict.known_at <= now) verdict.known_at.reset();
    return verdict;
  }
  verdict.kind =
      std::ranges::binary_search(*won, entry) ? Verdict::Kind::won : Verdict::Kind::not_drawn;
  return verdict;
}

}  // namespace nando
