#include "api/forgotten_proxy.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "telemetry/log.h"

namespace nando {

namespace {

std::string text_of(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.family == IpAddress::Family::v6 ? AF_INET6 : AF_INET;
  inet_ntop(family, address.bytes.data(), text.data(), text.size());
  return text.data();
}

IpNetwork network_of(const IpAddress& peer) {
  return {peer, peer.family == IpAddress::Family::v6 ? 128U : 32U};
}

}  // namespace

ForgottenProxy::ForgottenProxy(std::span<const IpNetwork> trusted)
    : trusted_(trusted.begin(), trusted.end()) {}

void ForgottenProxy::saw(const IpAddress& peer) {
  if (!peer.is_loopback() && !peer.is_private()) return;
  if (std::any_of(trusted_.begin(), trusted_.end(),
                  [&](const auto& network) { return network.contains(peer); })) {
    return;
  }
  hits_.fetch_add(1, std::memory_order_relaxed);
  if (is_seen_.load(std::memory_order_relaxed) || is_seen_.exchange(true)) return;
  {
    const std::lock_guard lock(mutex_);
    first_ = peer;
  }
  log_warn(
      "hits come through a proxy that is not trusted, so everybody behind it is one client; {}",
      peer.is_loopback() ? fmt::format("if it is yours, set {} and restart", setting_for(peer))
                         : "/readyz says which, and what to set");
}

std::optional<std::string> ForgottenProxy::warning() const {
  const std::lock_guard lock(mutex_);
  if (!first_) return std::nullopt;
  return fmt::format(
      "hits come through a proxy at {} that is not trusted, so everybody behind it is one client; "
      "if it is yours, set {} and restart",
      text_of(*first_), setting_for(*first_));
}

std::string ForgottenProxy::setting_for(const IpAddress& peer) const {
  std::string out = "trusted_proxies = [";
  const auto append = [&](const IpNetwork& network) {
    out += fmt::format("\"{}/{}\"", text_of(network.address), network.bits);
  };
  for (const auto& network : trusted_) {
    append(network);
    out += ", ";
  }
  append(network_of(peer));
  return out + "]";
}

}  // namespace nando
