// Health: whether hits can be counted now, as a real commit shows it. A commit younger than kFresh
// is proof enough; otherwise one probe record is committed, however many ask, at most one a kFresh.
//
// Threads: any. Answers are called on any thread, once each.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "ledger/committer.h"

namespace nando {

class Health {
 public:
  static constexpr std::chrono::milliseconds kFresh{1000};
  // A probe or commit that takes longer counts as a stall; with the caller's tick() it is told
  // within two seconds.
  static constexpr std::chrono::milliseconds kPatience{700};

  Health(Ledger& ledger, Committer& committer, const Clock& clock)
      : ledger_(ledger), committer_(committer), clock_(clock) {}

  // Empty: hits are counted. Otherwise why not.
  using Answer = std::function<void(std::string why_not)>;
  void ask(Answer answer);

  // Answers those whose probe takes too long. To be called every 100 ms or so.
  void tick();

 private:
  void finish(std::string why_not);

  Ledger& ledger_;
  Committer& committer_;
  const Clock& clock_;
  std::mutex mutex_;
  std::vector<Answer> waiting_;  // For the probe that is under way.
  std::chrono::nanoseconds probe_began_{};
  bool probing_ = false;
};

}  // namespace nando
