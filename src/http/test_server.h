// What the server's tests share: a real server on a free port, and raw client sockets.
#pragma once

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "http/server.h"
#include "http/socket.h"

namespace nando::http {

inline constexpr std::chrono::seconds kPatience{
    10};  // For what must happen; a healthy run never waits so long.

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto endpoint = endpoint_of(*IpAddress::parse("127.0.0.1"), port);
    EXPECT_EQ(connect(socket_.get(), endpoint.get(), endpoint.size), 0);
    const int on = 1;
    setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  // Waits for bytes; false once the server has closed.
  bool receive() {
    pollfd entry{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (poll(&entry, 1, std::chrono::milliseconds(kPatience).count()) != 1) {
      ADD_FAILURE() << "nothing came";
      return false;
    }
    char piece[4096];
    const auto n = recv(socket_.get(), piece, sizeof piece, 0);
    if (n > 0) received_.append(piece, static_cast<std::size_t>(n));
    return n > 0;
  }

  // Whether the server has broken the connection off; waits for it, and reads nothing.
  bool was_reset() const {
    pollfd entry{.fd = socket_.get(), .events = 0, .revents = 0};
    constexpr int kWaitMs = 1000;
    return poll(&entry, 1, kWaitMs) == 1 && (entry.revents & POLLERR) != 0;
  }

  // The next answer, head and body; empty if the server closed instead.
  std::string answer() {
    for (;;) {
      if (const auto head = received_.find("\r\n\r\n"); head != std::string::npos) {
        const auto field = received_.find("Content-Length: ");
        const auto size = head + 4 + (field < head ? std::stoul(received_.substr(field + 16)) : 0);
        if (received_.size() >= size) {
          const auto rest = received_.substr(size);
          return received_.resize(size), std::exchange(received_, rest);
        }
      }
      if (!receive()) return {};
    }
  }

  // Everything until the server closes.
  std::string rest() {
    while (receive()) {
    }
    return std::exchange(received_, {});
  }

  std::string ask(std::string_view bytes) { return send(bytes), answer(); }
  int fd() const { return socket_.get(); }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    socket_.close();
  }

 private:
  Descriptor socket_;
  std::string received_;
};

inline std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

inline std::string body_of(const std::string& answer) {
  const auto at = answer.find("\r\n\r\n");
  return at == std::string::npos ? "" : answer.substr(at + 4);
}

// What the test and the handlers share.
struct Shared {
  std::mutex mutex;
  std::vector<Responder> parked;
  Mailbox* mailbox = nullptr;              // Of the handler that parked last, or was made last.
  std::vector<Stream>* streams = nullptr;  // Of that handler, for its thread.
  std::atomic<unsigned> requests{0}, handlers{0}, turns{0}, turn_requests_max{0};
  std::atomic<bool> saw_smuggled{false};
  std::promise<void> go;

  std::size_t parked_count() {
    const std::lock_guard lock(mutex);
    return parked.size();
  }
  std::vector<Responder> take_parked() {
    const std::lock_guard lock(mutex);
    return std::exchange(parked, {});
  }
};

class TestHandler final : public Handler {
 public:
  TestHandler(Shared& shared, Mailbox& mailbox) : shared_(shared), mailbox_(mailbox) {
    ++shared_.handlers;
    const std::lock_guard lock(shared_.mutex);
    shared_.mailbox = &mailbox;
    shared_.streams = &streams_;
  }
  ~TestHandler() override { --shared_.handlers; }

  std::size_t body_bytes_max(const Request& head) override {
    return head.path == "/small" ? 10 : SIZE_MAX;
  }

  void on_request(const Request& request, Responder responder) override {
    ++shared_.requests;
    ++turn_requests_;
    if (request.path == "/smuggled") shared_.saw_smuggled = true;
    if (request.path == "/wait") shared_.go.get_future().wait();
    if (request.path == "/later") {
      const std::lock_guard lock(shared_.mutex);
      shared_.mailbox = &mailbox_;
      shared_.parked.push_back(std::move(responder));
    } else if (request.path == "/stream") {
      streams_.push_back(responder.stream({.content_type = "text/x", .body = "begin;"}));
    } else if (request.path == "/big") {
      responder.send({.body = std::string(32 << 20, 'x')});
    } else {
      text_.assign(request.method).append(" ").append(request.path).append(" ");
      if (request.path != "/quiet") text_ += request.body;
      responder.send({.headers = "X-Test: yes\r\n", .body = text_});
    }
  }

  void on_turn_end() override {
    ++shared_.turns;
    shared_.turn_requests_max = std::max(shared_.turn_requests_max.load(), turn_requests_);
    turn_requests_ = 0;
  }

  void on_bad_request(unsigned, std::string_view word, std::string_view,
                      std::string& body) override {
    body = word;
  }

 private:
  Shared& shared_;
  Mailbox& mailbox_;
  std::vector<Stream> streams_;
  std::string text_;
  unsigned turn_requests_ = 0;
};

class HttpServer : public testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.port = 0;
    auto started = Server::start(options, [this](unsigned, Mailbox& mailbox) {
      return std::make_unique<TestHandler>(shared_, mailbox);
    });
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }
  Client client() { return Client(server_->port()); }

  // From this thread, as a committer would.
  void answer_parked() {
    auto parked = std::make_shared<std::vector<Responder>>(shared_.take_parked());
    shared_.mailbox->post([parked] {
      for (auto& responder : *parked) responder.send({.body = "late"});
    });
  }

  // What `ask` says of the streams, on their thread.
  template <class Ask>
  auto on_streams(Ask ask) {
    std::promise<decltype(ask(*shared_.streams))> answer;
    shared_.mailbox->post([&] { answer.set_value(ask(*shared_.streams)); });
    return answer.get_future().get();
  }

  Shared shared_;
  std::unique_ptr<Server> server_;
};

inline std::string with(const std::string& headers, const std::string& body = "") {
  return "POST /p HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body;
}

}  // namespace nando::http
