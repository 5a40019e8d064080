// AgentMemo: the agents of the last hits and what they are, so that one that was seen lately costs
// a hash in place of an automaton.
//
// Invariants
//   - Bounded: kEntries of 32 bytes. No agent's text is kept, so that none is in memory.
//   - Whoever does not know the key cannot choose agents that push each other out
//     (docs/GUARANTEES.md, H5), nor two that are taken for one.
//
// Threads: one.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "agents/agent_class.h"
#include "base/hash.h"

namespace nando {

class AgentMemo {
 public:
  static constexpr std::size_t kEntries = 8192;

  using Classify = AgentClass (*)(std::string_view agent);
  explicit AgentMemo(const Key128& key, Classify classify = classify_agent)
      : key_(key), classify_(classify), entries_(kEntries) {}

  // Allocates nothing for an agent that it knows.
  AgentClass class_of(std::string_view agent) {
    // Told apart without a hash, as cheaply as they are sent.
    if (agent.empty() || agent.size() > kAgentOfBrowserBytesMax) return classify_(agent);
    const auto hash = siphash128(key_, as_bytes(agent));
    const auto set = entries_.begin() + set_of(hash);
    const auto known = std::find_if(set, set + kWays, [&](const Entry& entry) {
      return entry.used != 0 && same_bytes(entry.hash, hash);
    });
    if (known != set + kWays) {
      known->used = ++turn_;
      return known->agent;
    }
    // In place of what was used longest ago of those that share its place.
    const auto oldest = std::min_element(
        set, set + kWays, [](const auto& a, const auto& b) { return a.used < b.used; });
    *oldest = {.hash = hash, .used = ++turn_, .agent = classify_(agent)};
    return oldest->agent;
  }

 private:
  static constexpr std::ptrdiff_t kWays = 4;
  static_assert(kEntries % kWays == 0);

  struct Entry {
    Hash128 hash{};
    std::uint64_t used = 0;  // 0: nothing is here.
    AgentClass agent = AgentClass::person;
  };

  static std::ptrdiff_t set_of(const Hash128& hash) {
    return static_cast<std::ptrdiff_t>(load<std::uint64_t>(hash.data()) % (kEntries / kWays)) *
           kWays;
  }

  Key128 key_;
  Classify classify_;
  std::vector<Entry> entries_;
  std::uint64_t turn_ = 0;
};

}  // namespace nando
