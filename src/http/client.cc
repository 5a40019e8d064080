#include "http/client.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "http/socket.h"

namespace nando::http {
namespace {

namespace beast = boost::beast;
// By the clock that never steps.
using Instant = std::chrono::nanoseconds;

Error unavailable(std::string what) {
  return {Code::unavailable, std::move(what)};
}

// Waits until the socket is ready for `events`, not beyond `deadline`.
bool wait_for(int fd, short events, Instant deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - SystemClock().monotonic());
    if (left.count() <= 0) return false;
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    const int n = poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

Result<> connect_to(int fd, Endpoint endpoint, Instant deadline) {
  if (connect(fd, endpoint.get(), endpoint.size) == 0) return {};
  int fault = errno;
  if (fault == EINPROGRESS) {
    if (!wait_for(fd, POLLOUT, deadline)) return unavailable("no connection in time");
    socklen_t size = sizeof fault;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size);
    if (fault == 0) return {};
  }
  return unavailable(std::string("cannot connect: ") + std::strerror(fault));
}

Result<> send_all(int fd, std::string_view bytes, Instant deadline) {
  while (!bytes.empty()) {
    if (!wait_for(fd, POLLOUT, deadline)) return unavailable("the request was not taken in time");
    const auto n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
      return unavailable(std::string("cannot send: ") + std::strerror(errno));
    }
    bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  }
  return {};
}

Result<ClientResponse> receive_answer(int fd, Instant deadline) {
  beast::http::response_parser<beast::http::string_body> parser;
  parser.eager(true);
  parser.body_limit(kClientBodyBytesMax);
  std::string waiting;
  std::array<char, 16 * 1024> piece;
  beast::error_code code;
  while (!parser.is_done()) {
    if (!wait_for(fd, POLLIN, deadline)) return unavailable("no whole answer in time");
    const auto n = recv(fd, piece.data(), piece.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) return unavailable(std::string("cannot receive: ") + std::strerror(errno));
    if (n == 0) {
      if (!parser.got_some()) return unavailable("closed without an answer");
      parser.put_eof(code);
      if (code) return unavailable("closed before the answer was whole");
      break;
    }
    waiting.append(piece.data(), static_cast<std::size_t>(n));
    // Beast asserts that a last chunk is never looked at with fewer than its five bytes.
    if (parser.is_header_done() && parser.chunked() && waiting.size() < 5) continue;
    waiting.erase(0, parser.put(boost::asio::buffer(waiting), code));
    if (code && code != beast::http::error::need_more) {
      return unavailable("what came is no HTTP answer: " + code.message());
    }
  }
  return ClientResponse{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace

Result<ClientResponse> get(std::string_view address, std::uint16_t port, std::string_view target,
                           std::chrono::milliseconds timeout) {
  const Instant deadline = SystemClock().monotonic() + timeout;
  const auto ip = IpAddress::parse(address);
  if (!ip) return Error{Code::invalid, "'" + std::string(address) + "' is no IP address"};
  if (!target.starts_with('/')) return Error{Code::invalid, "a target starts with '/'"};
  const auto endpoint = endpoint_of(*ip, port);
  const Descriptor socket(
      ::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return unavailable(std::string("cannot connect: ") + std::strerror(errno));
  const bool v6 = ip->family == IpAddress::Family::v6;
  const std::string host = v6 ? "[" + std::string(address) + "]" : std::string(address);
  const std::string request = "GET " + std::string(target) + " HTTP/1.1\r\nHost: " + host + ":" +
                              std::to_string(port) + "\r\nConnection: close\r\n\r\n";
  if (auto done = connect_to(socket.get(), endpoint, deadline); !done) return done.error();
  if (auto done = send_all(socket.get(), request, deadline); !done) return done.error();
  return receive_answer(socket.get(), deadline);
}

}  // namespace nando::http
