// ForgottenProxy: notices hits that a proxy passed on although trusted_proxies does not name it.
// All visitors behind it are then one client: one rate limit, one visitor an agent. Nothing else
// looks wrong, so it has to be said.
//
// Only peers on loopback and on private networks are taken for proxies. Anybody on the internet can
// send X-Forwarded-For; who does is a visitor until the operator says otherwise, must not be named
// (docs/GUARANTEES.md, V1), and must not get himself recommended for trust.
//
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"

namespace nando {

class ForgottenProxy {
 public:
  explicit ForgottenProxy(std::span<const IpNetwork> trusted);

  // A hit came from `peer` with a header that proxies add. The first of a forgotten one is logged.
  void saw(const IpAddress& peer);

  std::uint64_t hits() const { return hits_.load(std::memory_order_relaxed); }

  // The proxy that was seen first and the setting that names it, in a sentence for the operator.
  // The log names none but a loopback one: in a private network a peer may be a person too.
  std::optional<std::string> warning() const;

 private:
  std::string setting_for(const IpAddress& peer) const;

  const std::vector<IpNetwork> trusted_;
  std::atomic<std::uint64_t> hits_{0};
  std::atomic<bool> is_seen_{false};
  mutable std::mutex mutex_;
  std::optional<IpAddress> first_;
};

}  // namespace nando
