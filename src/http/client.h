// A tiny blocking client, for commands that ask the running server something.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace nando::http {

inline constexpr std::size_t kClientBodyBytesMax = 16 << 20;

struct ClientResponse {
  unsigned status = 0;
  std::string body;
};

// GET `target` from an IP address, on a connection of its own; all of it within `timeout`.
// Code::invalid if `address` is no IP address or `target` does not start with '/';
// Code::unavailable if there was no whole answer.
Result<ClientResponse> get(std::string_view address, std::uint16_t port, std::string_view target,
                           std::chrono::milliseconds timeout);

}  // namespace nando::http
