#include "webhooks/signature.h"

#include "base/hash.h"

namespace nando {

std::string signature_of(std::string_view secret, UnixTime at, std::string_view body) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
  const auto time = std::to_string(seconds);
  const auto mac = hmac_sha256(as_bytes(secret), as_bytes(time + "." + std::string(body)));
  return "t=" + time + ",v1=" + to_hex(mac);
}

}  // namespace nando
