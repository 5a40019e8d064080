#include "http/server.h"

#include <netinet/tcp.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <latch>
#include <thread>

#include "base/assert.h"
#include "http/loop.h"

namespace nando::http {
namespace {

constexpr int kBacklog = 4096;

std::uint16_t port_of(const Descriptor& socket) {
  Endpoint bound;
  ASSERT(getsockname(socket.get(), bound.get(), &bound.size) == 0);
  return port_of(bound);
}

enum class Sharing { alone, among_loops };

Error cannot_listen(Code code, const ServerOptions& options, std::uint16_t port) {
  return {code, "cannot listen on " + options.address + " port " + std::to_string(port) + ": " +
                    std::strerror(errno)};
}

// A bound socket that does not listen yet. Accepted sockets inherit TCP_NODELAY.
Result<Descriptor> bind_to(const ServerOptions& options, std::uint16_t port, Sharing sharing) {
  const auto ip = IpAddress::parse(options.address);
  if (!ip) {
    return Error{Code::invalid, "'" + options.address +
                                    "' is no IP address to listen on; 127.0.0.1 or :: would be"};
  }
  auto endpoint = endpoint_of(*ip, port);
  Descriptor socket(
      ::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (socket) {
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (sharing == Sharing::among_loops) {
      setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    }
  }
  if (socket && bind(socket.get(), endpoint.get(), endpoint.size) == 0) return socket;
  const auto code = errno == EADDRINUSE      ? Code::busy
                    : errno == EADDRNOTAVAIL ? Code::invalid
                    : errno == EACCES        ? Code::denied
                                             : Code::unavailable;
  return cannot_listen(code, options, port);
}

// One listening socket a loop, all on one port.
Result<std::vector<Descriptor>> listen_on(const ServerOptions& options) {
  const auto sharing = options.loops > 1 ? Sharing::among_loops : Sharing::alone;
  auto port = options.port;
  if (sharing == Sharing::among_loops && port != 0) {
    // SO_REUSEPORT would share the port with another server as well: so ask for it alone first.
    auto alone = bind_to(options, port, Sharing::alone);
    if (!alone) return alone.error();
  }
  std::vector<Descriptor> out;
  for (unsigned i = 0; i < options.loops; ++i) {
    auto socket = bind_to(options, port, sharing);
    if (!socket) return socket.error();
    if (listen(socket->get(), kBacklog) != 0) {
      return cannot_listen(errno == EADDRINUSE ? Code::busy : Code::unavailable, options, port);
    }
    port = port_of(*socket);
    out.push_back(std::move(*socket));
  }
  return out;
}

class SocketServer final : public Server {
 public:
  SocketServer(const ServerOptions& options, std::vector<Descriptor> listeners)
      : port_(port_of(listeners.front())) {
    for (auto& listener : listeners) {
      loops_.push_back(std::make_unique<Loop>(options, std::move(listener)));
    }
  }
  ~SocketServer() override { stop(std::chrono::milliseconds{0}); }

  void run(const MakeHandler& make_handler) {
    std::latch started(static_cast<std::ptrdiff_t>(loops_.size()));
    // Signals are for the thread that waits for them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < loops_.size(); ++i) {
      threads_.emplace_back([&loop = *loops_[i], make_handler, i, &started] {
        loop.run(make_handler, i, [&started] { started.count_down(); });
      });
      pthread_setname_np(threads_.back().native_handle(), ("http-" + std::to_string(i)).c_str());
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    started.wait();
  }

  std::uint16_t port() const override { return port_; }

  void stop(std::chrono::milliseconds patience) override {
    if (threads_.empty()) return;
    for (auto& loop : loops_) loop->stop(patience);
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  ServerCounts counts() const override {
    ServerCounts sum;
    for (const auto& loop : loops_) {
      const auto one = loop->counts();
      sum.accepted += one.accepted;
      sum.open += one.open;
      sum.requests += one.requests;
      sum.refused += one.refused;
      sum.timed_out += one.timed_out;
    }
    return sum;
  }

 private:
  const std::uint16_t port_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
};

}  // namespace

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& one : headers) {
    if (equal_without_case(one.name, name)) return one.value;
  }
  return std::nullopt;
}

Responder::~Responder() {
  if (connection_ != nullptr) connection_->abandon();
}

void Responder::send(const Response& response) {
  ASSERT(connection_ != nullptr);
  std::exchange(connection_, nullptr)->answer(response);
}

Stream Responder::stream(const Response& response) {
  ASSERT(connection_ != nullptr);
  return std::exchange(connection_, nullptr)->stream(response);
}

Stream::~Stream() {
  if (connection_ != nullptr) connection_->release();
}

bool Stream::send(std::string_view bytes) {
  return connection_ != nullptr && connection_->push(bytes);
}

bool Stream::is_open() const {
  return connection_ != nullptr && connection_->is_open();
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                              const MakeHandler& make_handler) {
  ASSERT(options.loops > 0);
  auto listeners = listen_on(options);
  if (!listeners) return listeners.error();
  auto server = std::make_unique<SocketServer>(options, std::move(*listeners));
  server->run(make_handler);
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace nando::http
