#include "ledger/health.h"

namespace nando {

void Health::ask(Answer answer) {
  if (auto failure = ledger_.failure(); !failure.empty()) return answer(failure);
  if (committer_.busy_for() > kPatience) return answer("the disk does not answer");
  const auto age = clock_.now() - ledger_.last_commit();
  if (age >= std::chrono::milliseconds{0} && age < kFresh) return answer({});
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(answer));
    if (probing_) return;
    probing_ = true;
    probe_began_ = clock_.monotonic();
  }
  const bool taken = committer_.run([this](Ledger& ledger) {
    const auto probed = ledger.probe();
    {
      const std::lock_guard lock(mutex_);
      probing_ = false;
    }
    finish(probed ? std::string() : probed.error().message);
  });
  if (taken) return;
  {
    const std::lock_guard lock(mutex_);
    probing_ = false;
  }
  finish("the server is stopping");
}

void Health::tick() {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || clock_.monotonic() - probe_began_ < kPatience) return;
  }
  finish("the disk does not answer");
}

void Health::finish(std::string why_not) {
  std::vector<Answer> answers;
  {
    const std::lock_guard lock(mutex_);
    answers.swap(waiting_);
  }
  for (auto& answer : answers) answer(why_not);
}

}  // namespace nando
