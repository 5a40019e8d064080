// Pseudonyms: who a visitor is, for a day, without who they are. A keyed hash of site, address
// prefix and agent, under a salt that is gone soon after (visitors/salts.h). The address ends here.
//
// Threads: one for a Pseudonyms; it keeps the salts of the day, so a hit takes no lock.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/address.h"
#include "model/site.h"
#include "visitors/salts.h"

namespace nando {

// What of an agent is looked at; longer ones do not tell more visitors apart.
inline constexpr std::size_t kAgentBytesMax = 1024;

// Never 0, which is nobody.
inline VisitorId pseudonym(const Key128& salt, SiteId site, const IpAddress& client,
                           std::string_view agent) {
  const auto prefix = client.client_prefix();
  agent = agent.substr(0, kAgentBytesMax);
  constexpr std::size_t kHeadBytes = sizeof site.value + 1 + sizeof prefix.bytes;
  std::array<std::byte, kHeadBytes + kAgentBytesMax> bytes;
  store(bytes.data(), site.value);
  bytes[sizeof site.value] = static_cast<std::byte>(prefix.family);
  store(&bytes[sizeof site.value + 1], prefix.bytes);
  if (!agent.empty()) std::memcpy(&bytes[kHeadBytes], agent.data(), agent.size());
  const auto message = Bytes(bytes).first(kHeadBytes + agent.size());
  const auto hash = siphash128(salt, message);
  sodium_memzero(bytes.data(), message.size());
  return {std::max<std::uint64_t>(load<std::uint64_t>(hash.data()), 1)};
}

class Pseudonyms {
 public:
  explicit Pseudonyms(Salts& salts) : salts_(salts) {}

  struct Names {
    Day day;  // The site's local one.
    VisitorId visitor{};
    VisitorId yesterday{};  // Within kMidnightGrace of the day's beginning, else 0.
  };
  Names names_of(const Site& site, const IpAddress& client, std::string_view agent, UnixTime now) {
    auto& today = today_of(site, now);
    Names names{.day = today.day.day};
    Key128 salt;
    while (!today.salt->read(salt)) today.salt = salts_.salt_of(site.id, today.day, now);
    names.visitor = pseudonym(salt, site.id, client, agent);
    const bool is_early = now < today.day.begins + kMidnightGrace;
    if (is_early && today.yesterday && today.yesterday->read(salt)) {
      names.yesterday = pseudonym(salt, site.id, client, agent);
    }
    sodium_memzero(salt.data(), salt.size());
    return names;
  }

  // Needed when sites changed: another zone has other days.
  void forget() { today_.clear(); }

 private:
  struct Today {
    LocalDay day;
    std::shared_ptr<const Salt> salt;
    std::shared_ptr<const Salt> yesterday;
  };

  Today& today_of(const Site& site, UnixTime now) {
    auto& today = today_[site.id];
    if (today.salt && now >= today.day.begins && now < today.day.ends) return today;
    today.day = site.zone.day_of(now);
    today.salt = salts_.salt_of(site.id, today.day, now);
    today.yesterday = salts_.find(site.id, Day{today.day.day.since_epoch - 1});
    return today;
  }

  Salts& salts_;
  std::unordered_map<SiteId, Today> today_;  // Ids are ours, not visitors' text.
};

}  // namespace nando
