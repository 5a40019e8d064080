#include "webhooks/target.h"

#include <algorithm>

#include "base/hash.h"

namespace nando {

namespace {

std::string host_of(const std::string& url) {
  const auto begin = url.find("://") + 3;
  return url.substr(begin, url.find_first_of("/?", begin) - begin);
}

}  // namespace

std::vector<Target> targets_of(std::span<const std::string> urls) {
  constexpr std::size_t kKeyBytes = 8;
  std::vector<Target> targets;
  for (const auto& url : urls) {
    const auto host = host_of(url);
    const auto alike = std::count_if(targets.begin(), targets.end(),
                                     [&](const auto& other) { return host_of(other.url) == host; });
    const auto hash = blake2b(as_bytes(url));
    targets.push_back({.url = url,
                       .name = alike == 0 ? host : host + "#" + std::to_string(alike + 1),
                       .key = to_hex(Bytes(hash).first(kKeyBytes))});
  }
  return targets;
}

}  // namespace nando
