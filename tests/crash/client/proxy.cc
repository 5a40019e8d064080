#include "client/proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "client/engine.h"
#include "client/entry.h"
#include "client/wire.h"

namespace crash {

namespace {

// A signal handler reaches nothing but a global.
volatile std::sig_atomic_t stop_asked = 0;

struct Wire {
  int fd = -1;
  std::string in;
};

// A client's connection and the two behind it.
struct Pair {
  Wire client;
  std::array<Wire, 2> server;
  std::array<std::string, 2> answers;
  std::string request;
  std::size_t awaited = 0;  // 1 or 2 while a request is under way.
  std::size_t arrived = 0;
  std::uint64_t sent_ns = 0;
};

struct ProxyOptions {
  std::uint16_t listen = 0;
  std::uint16_t to = 0;
  double drop = 0.1;
  double repeat = 0.2;
  std::uint64_t seed = 1;
};

class Proxy {
 public:
  Proxy(const ProxyOptions& options, const std::string& log) : options_(options), log_(log) {
    poller_ = ::epoll_create1(EPOLL_CLOEXEC);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = loopback(options.listen);
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 1024) != 0) {
      throw std::runtime_error("the proxy cannot listen");
    }
    watch(listener_);
  }

  void run() {
    std::array<epoll_event, 256> events;
    while (stop_asked == 0) {
      const int count = ::epoll_wait(poller_, events.data(), events.size(), 100);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        fd == listener_ ? accept_all() : readable(fd);
      }
    }
    std::printf("{\"requests\":%lu,\"dropped\":%lu,\"repeated\":%lu,\"pairs_differ\":%lu}\n",
                requests_, dropped_, repeated_, differ_);
  }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(poller_, EPOLL_CTL_ADD, fd, &event);
  }

  void accept_all() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
      auto pair = std::make_shared<Pair>();
      pair->client.fd = fd;
      bool good = true;
      for (auto& wire : pair->server) good = good && connect_to_server(wire);
      no_delay(fd);
      pairs_[fd] = pair;
      for (const auto& wire : pair->server) {
        if (wire.fd >= 0) pairs_[wire.fd] = pair;
      }
      good ? watch(fd) : drop(*pair);
    }
  }

  // Blocking: on loopback it is done or refused at once.
  bool connect_to_server(Wire& wire) {
    wire.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const linger hard{1, 0};
    ::setsockopt(wire.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    const auto address = loopback(options_.to);
    if (::connect(wire.fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      return false;
    }
    no_delay(wire.fd);
    watch(wire.fd);
    return true;
  }

  static void no_delay(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  void drop(Pair& pair) {
    for (auto* wire : {&pair.client, &pair.server[0], &pair.server[1]}) {
      if (wire->fd < 0) continue;
      ::close(wire->fd);
      closed_.push_back(wire->fd);
      wire->fd = -1;
    }
    for (const int fd : closed_) pairs_.erase(fd);
    closed_.clear();
  }

  void readable(int fd) {
    const auto found = pairs_.find(fd);
    if (found == pairs_.end()) return;
    const auto pair = found->second;
    auto& wire = fd == pair->client.fd      ? pair->client
                 : fd == pair->server[0].fd ? pair->server[0]
                                            : pair->server[1];
    std::array<char, 65536> buffer;
    const auto got = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      drop(*pair);
      return;
    }
    wire.in.append(buffer.data(), static_cast<std::size_t>(got));
    &wire == &pair->client ? from_client(*pair)
                           : from_server(*pair, &wire == &pair->server[0] ? 0 : 1);
  }

  double chance() { return static_cast<double>(mix(options_.seed + ++drawn_) >> 11) * 0x1p-53; }

  void from_client(Pair& pair) {
    const auto message = take_message(pair.client.in);
    if (!message || pair.awaited != 0) return;
    ++requests_;
    pair.request = pair.client.in.substr(0, message->bytes);
    pair.client.in.erase(0, message->bytes);
    pair.awaited = chance() < options_.repeat ? 2 : 1;
    if (pair.awaited == 2) ++repeated_;
    pair.arrived = 0;
    pair.sent_ns = now_ns();
    for (std::size_t i = 0; i < pair.awaited; ++i) {
      if (!send_all(pair.server[i].fd, pair.request)) {
        drop(pair);
        return;
      }
    }
  }

  void from_server(Pair& pair, std::size_t which) {
    auto& in = pair.server[which].in;
    const auto message = take_message(in);
    if (!message) return;
    keep(pair, *message);
    pair.answers[which] = in.substr(0, message->bytes);
    in.erase(0, message->bytes);
    if (++pair.arrived < pair.awaited) return;
    compare(pair);
    const auto chosen = pair.awaited == 2 && chance() < 0.5 ? 1U : 0U;
    pair.awaited = 0;
    if (chance() < options_.drop) {
      ++dropped_;
      drop(pair);
    } else if (!send_all(pair.client.fd, pair.answers[chosen])) {
      drop(pair);
    }
  }

  // Two answers to the same question, asked at the same moment: the same receipt.
  void compare(const Pair& pair) {
    if (pair.awaited != 2) return;
    const auto first = take_message(pair.answers[0]);
    const auto second = take_message(pair.answers[1]);
    if (first->status != 200 || second->status != 200) return;
    if (json_value(first->body, "receipt") != json_value(second->body, "receipt")) ++differ_;
  }

  void keep(const Pair& pair, const Message& answer) {
    const auto request = take_message(pair.request);
    const auto id = json_value(request->body, "id");
    if (!id || id->size() < 16) return;
    Entry entry;
    std::memcpy(entry.id.data(), id->data(), entry.id.size());
    entry.sent_ns = pair.sent_ns;
    entry.answered_ns = now_ns();
    read_answer(answer, answer.body, entry);
    const auto url = json_value(request->body, "url") ? json_value(request->body, "url")
                                                      : json_value(request->body, "siteUrl");
    for (const char c : url->substr(url->rfind("/p") + 2)) {
      entry.page = entry.page * 10 + static_cast<std::uint32_t>(c - '0');
    }
    log_.add(entry);
  }

  static bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  const ProxyOptions options_;
  AnswerLog log_;
  int poller_ = -1;
  int listener_ = -1;
  std::unordered_map<int, std::shared_ptr<Pair>> pairs_;
  std::vector<int> closed_;
  std::uint64_t drawn_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t differ_ = 0;
};

}  // namespace

int run_proxy(Flags& flags) {
  ProxyOptions options;
  options.listen = static_cast<std::uint16_t>(flags.number("listen"));
  options.to = static_cast<std::uint16_t>(flags.number("to"));
  options.drop = flags.real("drop", options.drop);
  options.repeat = flags.real("repeat", options.repeat);
  options.seed = flags.number("seed", 1);
  const auto log = flags.text("log");
  flags.check_all_known();
  std::signal(SIGTERM, [](int) { stop_asked = 1; });
  Proxy(options, log).run();
  return 0;
}

}  // namespace crash
