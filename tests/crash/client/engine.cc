#include "client/engine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <stdexcept>

namespace crash {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kReconnectAfter = 5 * kMillisecond;
constexpr std::size_t kEventsMax = 256;
constexpr std::size_t kReadBytes = 256 * 1024;

}  // namespace

std::uint64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

Engine::Engine(const EngineOptions& options, Player& player)
    : options_(options),
      player_(player),
      poller_(::epoll_create1(EPOLL_CLOEXEC)),
      links_(options.connections) {
  if (poller_ < 0) throw std::runtime_error("epoll_create1 failed");
}

Engine::~Engine() {
  for (auto& link : links_) {
    if (link.fd >= 0) ::close(link.fd);
  }
  ::close(poller_);
}

void Engine::run() {
  auto now = now_ns();
  for (auto& link : links_) open(link, now);
  std::uint64_t finish = 0;
  while (true) {
    now = now_ns();
    if (player_.done(now)) {
      if (busy_ == 0) break;
      if (finish == 0) {
        finish = now + static_cast<std::uint64_t>(options_.drain.count()) * kMillisecond;
      }
      if (now > finish) break;
    } else {
      if (options_.reconnect) {
        for (auto& link : links_) {
          if (link.fd < 0 && link.retry_at <= now) open(link, now);
        }
      }
      give_work(now);
    }
    if (open_ == 0 && !options_.reconnect) break;
    wait(now);
  }
  for (auto& link : links_) {
    if (link.fd >= 0) close(link, now);
  }
}

void Engine::open(Link& link, std::uint64_t now) {
  link.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (link.fd < 0) throw std::runtime_error("socket failed");
  const int on = 1;
  ::setsockopt(link.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A port of our own side that waits in TIME_WAIT must not stop a run of many connections.
  const linger hard{1, 0};
  ::setsockopt(link.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(options_.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  link.connected = false;
  link.received.clear();
  ++open_;
  if (::connect(link.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0 &&
      errno != EINPROGRESS) {
    close(link, now);
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.u64 = static_cast<std::uint64_t>(&link - links_.data());
  ::epoll_ctl(poller_, EPOLL_CTL_ADD, link.fd, &event);
}

void Engine::close(Link& link, std::uint64_t now) {
  ::close(link.fd);
  link.fd = -1;
  --open_;
  if (link.connected && !link.busy) {
    const auto index = static_cast<std::size_t>(&link - links_.data());
    const auto at = std::find(idle_.begin(), idle_.end(), index);
    if (at != idle_.end()) idle_.erase(at);
  }
  link.connected = false;
  link.retry_at = now + kReconnectAfter;
  if (link.busy) {
    link.busy = false;
    --busy_;
    player_.lost(link.question, link.written > 0 ? Lost::sent : Lost::unsent, now);
  }
}

void Engine::give_work(std::uint64_t now) {
  while (!idle_.empty()) {
    auto& link = links_[idle_.back()];
    link.question.hits.clear();
    link.question.bytes.clear();
    link.question.due_ns = now;
    if (!player_.ask(link.question, now)) return;
    idle_.pop_back();
    link.busy = true;
    ++busy_;
    link.written = 0;
    // Taken before the first byte can leave: what was answered before this moment came before.
    link.question.sent_ns = now_ns();
    write_some(link, now);
  }
}

void Engine::write_some(Link& link, std::uint64_t now) {
  const auto& bytes = link.question.bytes;
  while (link.busy && link.written < bytes.size()) {
    const auto sent =
        ::send(link.fd, bytes.data() + link.written, bytes.size() - link.written, MSG_NOSIGNAL);
    if (sent > 0) {
      link.written += static_cast<std::size_t>(sent);
    } else if (sent < 0 && errno == EINTR) {
      continue;
    } else if (sent < 0 && errno == EAGAIN) {
      return;
    } else {
      close(link, now);
      return;
    }
  }
}

void Engine::read_some(Link& link) {
  thread_local std::vector<char> buffer(kReadBytes);
  while (link.fd >= 0) {
    const auto got = ::recv(link.fd, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    const auto now = now_ns();
    if (got <= 0) {
      close(link, now);
      return;
    }
    link.received.append(buffer.data(), static_cast<std::size_t>(got));
    const auto message = take_message(link.received);
    if (message && link.busy && link.written == link.question.bytes.size()) {
      const bool goes = header_value(message->head, "connection") == "close";
      link.busy = false;
      --busy_;
      player_.answered(link.question, *message, now);
      link.received.erase(0, message->bytes);
      idle_.push_back(static_cast<std::size_t>(&link - links_.data()));
      if (goes) close(link, now);
    } else if (message) {
      close(link, now);  // An answer to nothing.
    }
    if (static_cast<std::size_t>(got) < buffer.size()) return;
  }
}

void Engine::wait(std::uint64_t now) {
  std::array<epoll_event, kEventsMax> events;
  const auto due = player_.next_due();
  std::uint64_t pause = kMillisecond;
  if (due != 0 && !idle_.empty()) pause = due <= now ? 0 : std::min(due - now, kMillisecond);
  const timespec limit{0, static_cast<long>(pause)};
  const int count = ::epoll_pwait2(poller_, events.data(), kEventsMax, &limit, nullptr);
  for (int i = 0; i < count; ++i) {
    auto& link = links_[events[static_cast<std::size_t>(i)].data.u64];
    if (link.fd < 0) continue;
    const auto what = events[static_cast<std::size_t>(i)].events;
    if ((what & EPOLLOUT) != 0 && !link.connected && (what & (EPOLLERR | EPOLLHUP)) == 0) {
      link.connected = true;
      idle_.push_back(static_cast<std::size_t>(&link - links_.data()));
    }
    if ((what & EPOLLOUT) != 0 && link.busy) write_some(link, now_ns());
    if (link.fd >= 0 && (what & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) {
      link.connected ? read_some(link) : close(link, now_ns());
    }
  }
}

}  // namespace crash
