// Knocks: hosts that are not counted here, and whose pages sent hits all the same: somebody pasted
// the snippet before the site was added. In memory only; the latest kKnocksMax hosts.
//
// Threads: any. A knock that finds somebody else at the door is not noted.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace nando {

inline constexpr std::size_t kKnocksMax = 100;

struct Knock {
  std::string host;
  std::uint64_t hits = 0;
  UnixTime last;
};

class Knocks {
 public:
  // `host` is what parse_host() makes of it.
  void note(std::string_view host, UnixTime now);
  // The latest first.
  std::vector<Knock> list() const;
  void forget(std::string_view host);

 private:
  mutable std::mutex mutex_;
  std::vector<Knock> knocks_;  // The latest last.
};

}  // namespace nando
