#include "api/knocks.h"

#include <algorithm>

namespace nando {

void Knocks::note(std::string_view host, UnixTime now) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;
  const auto found = std::ranges::find(knocks_, host, &Knock::host);
  if (found == knocks_.end()) {
    if (knocks_.size() >= kKnocksMax) knocks_.erase(knocks_.begin());
    knocks_.push_back({std::string(host), 0, now});
  } else {
    std::rotate(found, found + 1, knocks_.end());
  }
  ++knocks_.back().hits;
  knocks_.back().last = now;
}

std::vector<Knock> Knocks::list() const {
  const std::lock_guard lock(mutex_);
  return {knocks_.rbegin(), knocks_.rend()};
}

void Knocks::forget(std::string_view host) {
  const std::lock_guard lock(mutex_);
  std::erase_if(knocks_, [&](const Knock& knock) { return knock.host == host; });
}

}  // namespace nando
