// DrawJudge: which entries won, from what the journal says of a promotion and from its seed. One
// function tells it for claims and for what is published, so that the two cannot differ.
//
// Threads: any, under a lock that is held for a draw.
#pragma once

#include <map>
#include <mutex>

#include "counters/entries.h"
#include "ledger/judge.h"
#include "prizes/seed_chain.h"
#include "promotions/secrets.h"

namespace nando {

class DrawJudge final : public Judge {
 public:
  // Both outlive this.
  explicit DrawJudge(const Secrets& secrets) : secrets_(secrets) {}

  Verdict judge(const PromotionState& promotion, std::uint64_t entry, UnixTime entered,
                UnixTime now) override;

  // The ordinals of the entries that won in `window`, rising; nothing while nobody can tell, or if
  // the seed is gone. Of a window by entries, positions that nobody has reached are in it too.
  std::optional<std::vector<std::uint64_t>> winners(const PromotionState& promotion,
                                                    const Window& window);

  // The seed that is published once `window` is over; nothing unless the promotion is instant.
  std::optional<Hash256> seed(const PromotionState& promotion, std::uint32_t window);

 private:
  struct Drawn {
    std::uint64_t among = 0;
    std::vector<std::uint64_t> winners;
  };
  const SeedChain* chain_of(const PromotionState& promotion);
  std::optional<Hash256> draw_seed(const PromotionState& promotion, const Window& window);

  const Secrets& secrets_;
  std::mutex mutex_;
  std::map<PromotionId, std::unique_ptr<const SeedChain>> chains_;
  // Of the windows that were asked for last.
  std::map<std::pair<PromotionId, std::uint32_t>, Drawn> drawn_;
};

}  // namespace nando
