// A target to send to, for tests: an HTTP server on loopback that does to each request what its
// play says, well or badly.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace nando {

struct Received {
  std::string head;
  std::string body;

  std::string header(const std::string& name) const {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find('\r', begin) - begin);
  }
};

struct Played {
  std::string bytes;
  enum class Then { keep, close, reset } then = Then::keep;  // A kept one without bytes hangs.
};

inline std::string answer(unsigned status, const std::string& headers = "",
                          const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) +
         " Word\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" +
         body;
}

class TestTarget {
 public:
  // What to do to the request of this number, from 1.
  using Play = std::function<Played(std::size_t)>;

  explicit TestTarget(
      Play play = [](std::size_t) { return Played{answer(200)}; }, int family = AF_INET)
      : play_(std::move(play)), listener_(::socket(family, SOCK_STREAM, 0)) {
    sockaddr_in v4{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    sockaddr_in6 v6{.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    auto* const address =
        family == AF_INET ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
    socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
    EXPECT_EQ(::bind(listener_, address, size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    ::getsockname(listener_, address, &size);
    port_ = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    EXPECT_EQ(::pipe(stop_), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~TestTarget() {
    ::close(stop_[1]);
    thread_.join();
    for (const auto& [socket, bytes] : open_) ::close(socket);
    ::close(listener_);
    ::close(stop_[0]);
  }

  std::string port() const { return std::to_string(port_); }
  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + port() + path;
  }

  // All that came, once there are `count`, or after ten seconds.
  std::vector<Received> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(
        came_.wait_for(lock, std::chrono::seconds(10), [&] { return received_.size() >= count; }));
    return received_;
  }
  std::size_t connections() const {
    const std::lock_guard guard(mutex_);
    return connections_;
  }

 private:
  void run() {
    for (;;) {
      std::vector<pollfd> polled = {{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const auto& [socket, bytes] : open_) polled.push_back({socket, POLLIN, 0});
      ::poll(polled.data(), polled.size(), -1);
      if (polled[0].revents != 0) return;
      if (polled[1].revents != 0) take_connection();
      for (std::size_t i = 2; i < polled.size(); ++i) {
        if (polled[i].revents != 0) read_from(polled[i].fd);
      }
    }
  }

  void take_connection() {
    open_[::accept(listener_, nullptr, nullptr)];
    const std::lock_guard guard(mutex_);
    ++connections_;
  }

  void read_from(int socket) {
    char piece[4096];
    const auto size = ::recv(socket, piece, sizeof piece, 0);
    auto& bytes = open_[socket];
    if (size > 0) bytes.append(piece, static_cast<std::size_t>(size));
    const auto end = bytes.find("\r\n\r\n");
    if (size <= 0 || end == std::string::npos) {
      if (size <= 0) finish(socket);
      return;
    }
    Received request{.head = bytes.substr(0, end + 2)};
    const auto length = request.header("Content-Length");
    std::size_t body = 0;
    std::from_chars(length.data(), length.data() + length.size(), body);
    if (bytes.size() < end + 4 + body) return;
    request.body = bytes.substr(end + 4, body);
    bytes.erase(0, end + 4 + body);
    play(socket, std::move(request));
  }

  void play(int socket, Received request) {
    std::size_t number = 0;
    {
      const std::lock_guard guard(mutex_);
      received_.push_back(std::move(request));
      number = received_.size();
      came_.notify_all();
    }
    const auto played = play_(number);
    for (std::string_view rest = played.bytes; !rest.empty();) {
      const auto sent = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) return finish(socket);
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    if (played.then == Played::Then::reset) {
      const linger now{1, 0};
      ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    if (played.then != Played::Then::keep) finish(socket);
  }

  void finish(int socket) {
    ::close(socket);
    open_.erase(socket);
  }

  const Play play_;
  const int listener_;
  int stop_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::map<int, std::string> open_;  // What was read of each and not used yet.

  mutable std::mutex mutex_;  // Of what follows.
  std::condition_variable came_;
  std::vector<Received> received_;
  std::size_t connections_ = 0;
  std::thread thread_;
};

}  // namespace nando
