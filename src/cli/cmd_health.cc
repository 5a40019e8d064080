#include <arpa/inet.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "cli/command.h"
#include "datadir/descriptor.h"
#include "disk/file.h"

namespace nando {

namespace {

constexpr timeval kPatience{3, 0};
constexpr std::string_view kAddressFile = "address";  // Written by the server when it listens.

Error errno_error(const std::string& what) {
  return {Code::unavailable, what + ": " + std::generic_category().message(errno)};
}

// Where the running server listens: what it wrote, or else what the settings say.
Result<ListenAddress> find_address(const Settings& settings) {
  constexpr std::size_t kTextBytesMax = 100;
  auto folder = open_directory(settings.data, IfMissing::fail);
  if (!folder) return settings.listen;
  const auto bytes = read_file(**folder, kAddressFile, kTextBytesMax);
  if (!bytes) return settings.listen;
  auto text = as_text(*bytes);
  while (text.ends_with('\n')) text.remove_suffix(1);
  return parse_listen(text);
}

// An address that listens on every interface is reached on the loopback one.
sockaddr_storage socket_address(const ListenAddress& listen, socklen_t& size) {
  sockaddr_storage storage{};
  if (listen.address.family == IpAddress::Family::v4) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listen.port);
    std::memcpy(&address.sin_addr, listen.address.bytes.data(), sizeof address.sin_addr);
    if (address.sin_addr.s_addr == INADDR_ANY) address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::memcpy(&storage, &address, size = sizeof address);
    return storage;
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(listen.port);
  std::memcpy(&address.sin6_addr, listen.address.bytes.data(), sizeof address.sin6_addr);
  if (IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr)) address.sin6_addr = in6addr_loopback;
  std::memcpy(&storage, &address, size = sizeof address);
  return storage;
}

// The answer's status line and what follows, as much as there is.
Result<std::string> ask(const ListenAddress& listen) {
  const auto name = listen.host + " port " + std::to_string(listen.port);
  socklen_t size = 0;
  const auto address = socket_address(listen, size);
  const Descriptor socket(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno_error("cannot make a socket");
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return errno_error("no server answers at " + name);
  }
  constexpr std::string_view kQuestion =
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::send(socket.get(), kQuestion.data(), kQuestion.size(), MSG_NOSIGNAL) < 0) {
    return errno_error("cannot ask the server at " + name);
  }
  constexpr std::size_t kAnswerBytesMax = 64 * 1024;
  std::string answer;
  std::array<char, 4096> piece;
  while (answer.size() < kAnswerBytesMax) {
    const auto got = ::recv(socket.get(), piece.data(), piece.size(), 0);
    if (got < 0) return errno_error("the server at " + name + " does not answer");
    if (got == 0) break;
    answer.append(piece.data(), static_cast<std::size_t>(got));
  }
  return answer;
}

int check(const LoadedSettings& loaded, Output& output) {
  const auto listen = find_address(loaded.settings);
  if (!listen)
    return refuse(output, {Code::corrupt,
                           "the file address in the data directory: " + listen.error().message});
  const auto answer = ask(*listen);
  if (!answer) return refuse(output, answer.error());
  const auto status = answer->substr(0, answer->find('\r'));
  if (status.starts_with("HTTP/1.1 200")) {
    output.out("counting\n");
    return kDone;
  }
  const auto body = answer->find("\r\n\r\n");
  return refuse(output, {Code::unavailable,
                         "the server does not count: " + status +
                             (body == std::string::npos ? "" : " " + answer->substr(body + 4))});
}

}  // namespace

Run health(CLI::App& /*app*/) {
  return LocalRun{check};
}

}  // namespace nando
