// RequestParser: one request message, out of the bytes that came (RFC 9112). The head is read here,
// by less than the RFC allows: what another reader might read otherwise, the gaps that smuggling
// needs, is refused. That is obs-fold, bare line feeds, control characters, repeated or odd
// Content-Length, Transfer-Encoding that is not exactly "chunked", chunked in HTTP/1.0, two Hosts
// or none, a Host that is not the target's. Chunks are decoded by Beast.
//
// The tests and the fuzz target hold it against Beast: what is accepted here, Beast reads alike.
//
// Promise
//   - However the bytes of a message are split, the outcome is the same: the same request, or the
//     same refusal.
//   - After a refusal nothing that follows is read as a request: the connection must close.
//   - Once warm, a request that comes in one piece costs no allocation.
//
// A target in absolute form ("http://host/path") is reduced to its path and query.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/server.h"

namespace nando::http {

// Why a message is not accepted: what Handler::on_bad_request() is told.
struct Refusal {
  unsigned status;
  std::string_view word;
  std::string_view message;
};

inline constexpr Refusal kRequestTimeout{
    408, "request_timeout", "The request was not complete in time; send it again, faster."};

class RequestParser {
 public:
  enum class Step {
    need_more,  // Call again with more bytes.
    ready,      // The head, or the body, is whole.
    refused,    // refusal() says why.
  };

  RequestParser();
  ~RequestParser();

  // Forgets the message, keeps the memory.
  void reset();

  // Looks for the head in `bytes`, which start where the message starts; on need_more call again
  // with the same bytes and more behind them. `scanned` is a note to the next call about the same
  // message: 0 in the first.
  Step read_head(std::string_view bytes, std::size_t& scanned);

  // The following need a head that is ready.

  // In bytes of what read_head() was given.
  std::size_t head_bytes() const;
  bool has_body() const;
  bool is_head_method() const;
  bool is_http_1_0() const;
  bool keeps_alive() const;
  bool expects_continue() const;

  // Refuses a body whose length is known to be over `bytes_max`; read_body() refuses the others.
  Step limit_body(std::size_t bytes_max);

  // Copies the head, so that the bytes it came from may go.
  void keep_head();

  // Reads the body from `bytes`, which start where the last call stopped, and says in `taken` how
  // many were used. On need_more call again with the bytes not taken and more behind them.
  Step read_body(std::string_view bytes, std::size_t& taken);

  // Borrowed from the bytes given to read_head() (or the copy) and to the last read_body(). Without
  // a body until read_body() was ready. `peer` is for the caller to set.
  Request& request();

  const Refusal& refusal() const;

 private:
  class Message;
  std::unique_ptr<Message> message_;
};

}  // namespace nando::http
