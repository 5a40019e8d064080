// PrizeDesk: what visitors and strangers are told of promotions: the page to check one by, and the
// code that a claim has won.
//
// Threads: any.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/hash.h"
#include "base/result.h"

namespace nando {

class Committer;
class DrawJudge;
class Secrets;
struct Site;

// A page is made anew when it is older than this.
inline constexpr std::chrono::milliseconds kPromotionPageAge{1000};

enum class IfNoTrial : std::uint8_t { open, refuse };

class PrizeDesk {
 public:
  // All outlive this.
  struct Parts {
    Committer& committer;
    DrawJudge& judge;
    Secrets& secrets;
    Entropy& entropy;
    const Clock& clock;
    SigningKey key;
  };
  explicit PrizeDesk(Parts parts);
  ~PrizeDesk();

  using Text = std::shared_ptr<const std::string>;

  // The JSON of GET /api/v1/promotions/{name}, if it was made less than kPromotionPageAge ago; else
  // null.
  Text recent_page(const std::string& name) const;
  // The same, made anew: waits until the committer is between two commits, so it is not for a
  // loop's thread. Code::not_found if there is none of that name, Code::unavailable when stopping.
  Result<Text> page(const std::string& name);

  // The promotion of the page for trying out; its name. As open_promotion(); Code::not_found where
  // there is none, or another of its name. Not for a loop's thread.
  Result<std::string> open_trial(const Site& site, const std::string& page, IfNoTrial if_none);

  // The code of prize 1, 2, 3, ...
  Result<std::string> code(const std::string& name, std::uint32_t prize) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nando
