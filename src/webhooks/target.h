// Target: where events are sent. What its URL has after the host may be a key of its owner's, so
// logs, metrics and messages have its name, and a source's mark its key.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace nando {

struct Target {
  std::string url;
  std::string name;  // "hooks.example.com:8443"; with "#2" after it where there is one like it.
  std::string key;   // 16 hex digits, a hash of the URL: another URL is another target.
};

// Requires: http or https URLs, as settings checks them.
std::vector<Target> targets_of(std::span<const std::string> urls);

}  // namespace nando
