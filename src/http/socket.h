// What server and client both need of sockets.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/address.h"

namespace nando::http {

// A file descriptor, closed at the end.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

// recv() and send() without being points where a thread can be cancelled, which no thread here is:
// in a process with threads glibc's cost two atomic operations more, some 30 ns each call.
inline ssize_t receive_now(int fd, char* to, std::size_t bytes_max) {
  return syscall(SYS_recvfrom, fd, to, bytes_max, 0, nullptr, nullptr);
}
inline ssize_t send_now(int fd, std::string_view bytes) {
  return syscall(SYS_sendto, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
}

// An address as the kernel has it.
struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); }
};

inline Endpoint endpoint_of(const IpAddress& ip, std::uint16_t port) {
  Endpoint out;
  if (ip.family == IpAddress::Family::v4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, ip.bytes.data(), 4);
    std::memcpy(&out.address, &v4, sizeof v4);
    out.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, ip.bytes.data(), 16);
    std::memcpy(&out.address, &v6, sizeof v6);
    out.size = sizeof v6;
  }
  return out;
}

// Family none for what is no internet address. A v4 address mapped into v6 becomes v4.
inline IpAddress address_of(const Endpoint& from) {
  IpAddress out;
  if (from.address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &from.address, sizeof v4);
    out.family = IpAddress::Family::v4;
    std::memcpy(out.bytes.data(), &v4.sin_addr, 4);
  } else if (from.address.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &from.address, sizeof v6);
    const auto* const bytes = v6.sin6_addr.s6_addr;
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    out.family = mapped ? IpAddress::Family::v4 : IpAddress::Family::v6;
    std::copy(bytes + (mapped ? 12 : 0), bytes + 16, out.bytes.begin());
  }
  return out;
}

inline std::uint16_t port_of(const Endpoint& endpoint) {
  std::uint16_t port = 0;  // At the same place in both families.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  const auto* const bytes = reinterpret_cast<const char*>(&endpoint.address);
  std::memcpy(&port, bytes + offsetof(sockaddr_in, sin_port), sizeof port);
  return ntohs(port);
}

}  // namespace nando::http
