// The server: sockets and messages. It has never heard of a hit.
//
// One Loop a thread, each with its own listening socket (SO_REUSEPORT) and its own Handler. A
// loop's turn: every request that is ready is parsed and passed to the handler, then on_turn_end()
// is called, then the loop sleeps. So a handler can gather what one turn brought and hand it on in
// one piece, and answer later through the Responder.
//
// Limits are constants below; what breaks one is answered with the status named there and the
// connection closes.
//
// Threads: a Handler lives on its loop's thread; Mailbox::post() from any.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace nando::http {

// Every limit of a message, and what is answered past it.
inline constexpr std::size_t kTargetBytesMax = 16 * 1024;  // 414 target_too_long
inline constexpr std::size_t kHeaderBytesMax =
    32 * 1024;                                   // 431 headers_too_large; request line included
inline constexpr std::size_t kHeadersMax = 100;  // 431 headers_too_large
inline constexpr std::size_t kBodyBytesMax = 4 << 20;   // 413 body_too_large; handlers ask for less
inline constexpr std::size_t kConnectionsMax = 20'000;  // A loop; further ones are closed at once.
inline constexpr std::size_t kTurnRequestsMax = 4'096;
// For a request, from its first byte to its last (408 request_timeout), for the first byte of a new
// connection, and for taking an answer. Looked at once a second.
inline constexpr std::chrono::seconds kSlowClientLimit{12};
inline constexpr std::chrono::seconds kIdleLimit{75};  // Between two requests.
// After a refusal, to throw away what still comes, so that no reset overtakes the answer.
inline constexpr std::chrono::seconds kLingerLimit{2};

struct Header {
  std::string_view name;  // As sent: a token in any case.
  std::string_view value;

  // `lower` is a name in lower case: letters, digits and hyphens.
  bool is(std::string_view lower) const {
    return name.size() == lower.size() &&
           std::equal(name.begin(), name.end(), lower.begin(),
                      [](char sent, char wanted) { return (sent | 0x20) == wanted; });
  }
};

bool equal_without_case(std::string_view a, std::string_view b);  // Of ASCII letters.

// A whole request. Borrowed from the connection; valid until on_request() returns.
struct Request {
  std::string_view method;
  std::string_view target;  // As sent: "/api/v1/counts?url=..."
  std::string_view path;    // The target up to '?', without the "http://host" of absolute form.
  std::string_view query;   // After '?', or empty.
  std::string_view body;
  std::span<const Header> headers;
  IpAddress peer;  // Of the socket; http/client_address.h says whose request it is. Family none on
                   // a unix socket.

  // The first header of that name (ASCII, any case), or nothing.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string_view content_type;  // Empty: no Content-Type.
  std::string_view headers;       // Further lines, each ending in CRLF.
  std::string_view body;
};

class Connection;

// An answer without an end: bytes are sent as they come, for as long as both sides stay. Nothing is
// queued for a client that is slow: what it misses is the caller's to send again. One that takes
// nothing for the slow limit is closed, all are when the server stops.
//
// On the loop's thread, as a Responder; destroying it closes the connection.
class Stream {
 public:
  Stream() = default;
  explicit Stream(Connection* connection) : connection_(connection) {}
  Stream(Stream&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~Stream();

  // False if the client has not taken all that was sent before; then nothing is sent.
  bool send(std::string_view bytes);
  bool is_open() const;  // False once the client has gone.

 private:
  Connection* connection_ = nullptr;
};

// The right and the duty to answer one request, exactly once; not answering is a bug. Small and
// movable. Sending is done on the loop's thread; it calls no handler, so it may be done in a loop
// over many. If the client has gone meanwhile, the answer is dropped. When the handler of a stopped
// server is destroyed or later, a responder may be dropped or sent to no effect, on any thread, as
// long as the Server is there.
class Responder {
 public:
  Responder() = default;
  explicit Responder(Connection* connection) : connection_(connection) {}
  Responder(Responder&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Responder& operator=(Responder&& other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~Responder();

  void send(const Response& response);
  // The answer begins with `response`, its body included, and goes on. A HEAD request's ends at
  // once.
  Stream stream(const Response& response);
  explicit operator bool() const { return connection_ != nullptr; }

 private:
  Connection* connection_ = nullptr;
};

// Wakes a loop from another thread: the function runs on the loop's thread, soon. Posts that come
// before the loop wakes cost one wake-up together, and a loop that is awake anyway costs none.
// After stop() work is dropped; a mailbox lives as long as its Server.
//
// A handler may let its loop's thread wait in on_turn_end(). Meanwhile another thread may serve the
// loop: stand_in() does, until recall(). It is the caller's to see that only one of them is in the
// loop at a time, and that each sees what the other did.
class Mailbox {
 public:
  virtual ~Mailbox() = default;
  virtual void post(std::function<void()> work) = 0;
  virtual void stand_in() = 0;
  virtual void recall() = 0;  // From any thread; may come before stand_in().
};

class Handler {
 public:
  virtual ~Handler() = default;

  // How many bytes of body this request may have, asked when its header is whole and before the
  // body is read; not asked of a request without a body.
  virtual std::size_t body_bytes_max(const Request& head) = 0;

  virtual void on_request(const Request& request, Responder responder) = 0;

  // Little more is ready now, or kTurnRequestsMax have been handled.
  virtual void on_turn_end() = 0;

  // Asked before the loop sleeps: the longest it may sleep until it ends a turn again, for a
  // handler that has something to say at a time of its own.
  virtual std::chrono::nanoseconds patience() { return std::chrono::nanoseconds::max(); }

  // What to say when a message cannot be parsed or breaks a limit: `word` is the error's one word,
  // `message` what to do. Writes the body into `body`, which is sent as application/json; the
  // server adds the status and closes.
  virtual void on_bad_request(unsigned status, std::string_view word, std::string_view message,
                              std::string& body) = 0;
  // Further lines for that answer, each ending in CRLF; they outlive the handler.
  virtual std::string_view bad_request_headers() const { return {}; }
};

// Makes the handler of loop `index`. The mailbox outlives the handler.
using MakeHandler = std::function<std::unique_ptr<Handler>(unsigned index, Mailbox& mailbox)>;

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8000;  // 0: any free one; see Server::port().
  unsigned loops = 1;
  std::chrono::seconds slow_limit = kSlowClientLimit;
  std::chrono::seconds idle_limit = kIdleLimit;
  std::size_t connections_max = kConnectionsMax;  // A loop.
};

struct ServerCounts {
  std::uint64_t accepted = 0;  // Connections, since the start.
  std::uint64_t open = 0;
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;    // Messages that could not be parsed or broke a limit.
  std::uint64_t timed_out = 0;  // Connections closed for being slow.
};

class Server {
 public:
  // Binds and starts the loops. Code::busy if the address is taken, Code::invalid if it is none.
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                               const MakeHandler& make_handler);
  virtual ~Server() = default;  // Stops, if stop() was not called.

  virtual std::uint16_t port() const = 0;

  // Stops accepting; idle connections close at once, others when their answer is sent, all of them
  // after `patience`; then handlers are destroyed on their threads and the threads joined.
  virtual void stop(std::chrono::milliseconds patience) = 0;

  virtual ServerCounts counts() const = 0;  // Any thread.
};

}  // namespace nando::http
