// WinEvents: claims that were won, as events for webhooks. The journal has them; what is kept here,
// in the registry, is how far each target has got: for each promotion the last prize it was told
// of. A target that is new is told of what is won from then on.
//
// Threads: one, but for waiting().
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "registry/registry.h"
#include "webhooks/event.h"
#include "webhooks/prize_won.h"

namespace nando {

class Ledger;

class WinEvents final : public EventSource {
 public:
  // Runs work between two commits and waits for it.
  using Run = std::function<Result<>(const std::function<void(Ledger&)>&)>;

  // `registry` outlives this.
  WinEvents(Registry& registry, Run run) : registry_(registry), run_(std::move(run)) {}

  Result<std::optional<Event>> next(const std::string& target) override;
  Result<> sent(const std::string& target, const Event& event) override;
  std::uint64_t waiting(const std::string& target) const override;

 private:
  // The last prize that a target was told of. A document each, since there may be many.
  struct Mark {
    std::uint32_t prize = 0;
    Version version = kNoVersion;
  };
  struct Line {
    bool is_open = false;
    std::map<std::string, Mark, std::less<>> marks;  // By promotion.
    std::vector<PrizeWon> wins;                      // Next ones, the last of them first.
    std::uint64_t waiting = 0;
  };

  Result<> open(const std::string& target, Line& line);
  Result<> look(Line& line);
  Result<> save(const std::string& target, const std::string& promotion, Line& line);

  Registry& registry_;
  Run run_;
  mutable std::mutex mutex_;
  std::map<std::string, Line, std::less<>> lines_;
};

}  // namespace nando
