#include <sys/epoll.h>
#include <sys/socket.h>

#include <boost/beast/http/status.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/assert.h"
#include "http/loop.h"

namespace nando::http {
namespace {

constexpr std::size_t kInBytesKept = 1024;
constexpr std::size_t kOutBytesKept = 256 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kRefusalType = "application/json";

void append_number(std::string& out, std::uint64_t number) {
  char text[20];
  const auto* end = std::to_chars(text, text + sizeof text, number).ptr;
  out.append(text, static_cast<std::size_t>(end - text));
}

// Gives up memory that only a large message needed.
void clear(std::string& text, std::size_t bytes_kept) {
  text.clear();
  if (text.capacity() > bytes_kept) text.shrink_to_fit();
}

}  // namespace

bool may_have_body(unsigned status) {
  return status != 204 && status != 304;
}

void append_head(std::string& out, const Response& response, const HeadOptions& options) {
  ASSERT(response.status >= 200 && response.status <= 999);
  if (response.status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
  } else {
    const auto status = boost::beast::http::int_to_status(response.status);
    out += "HTTP/1.1 ";
    append_number(out, response.status);
    out += ' ';
    if (status != boost::beast::http::status::unknown) {
      const auto reason = boost::beast::http::obsolete_reason(status);
      out.append(reason.data(), reason.size());
    }
    out += "\r\n";
  }
  out += options.date_line;
  if (!response.content_type.empty()) {
    out += "Content-Type: ";
    out += response.content_type;
    out += "\r\n";
  }
  if (may_have_body(response.status) && options.length == HeadOptions::Length::told) {
    out += "Content-Length: ";
    append_number(out, response.body.size());
    out += "\r\n";
  }
  if (!options.connection.empty()) {
    out += "Connection: ";
    out += options.connection;
    out += "\r\n";
  }
  out += response.headers;
  out += "\r\n";
}

Connection::Connection(Loop& loop, Descriptor socket, const IpAddress& peer, std::size_t index)
    : loop_(loop), socket_(std::move(socket)), peer_(peer), since_(loop.now_), index_(index) {}

void Connection::on_events(std::uint32_t events) {
  if (!socket_) return;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return close();
  if (state_ == State::streaming && (events & EPOLLRDHUP) != 0) return close();
  if ((events & EPOLLRDHUP) != 0) peer_shut_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) readable_ = true;
  const bool has_more = state_ == State::writing || (state_ == State::streaming && !out_.empty());
  if ((events & EPOLLOUT) != 0 && has_more) flush();
  if (!readable_ || !socket_) return;
  if (state_ == State::reading) {
    advance();
  } else if (state_ == State::lingering) {
    discard();
  }
}

void Connection::advance() {
  queued_ = false;
  if (!socket_) return;
  if (state_ == State::lingering) return discard();
  if (state_ != State::reading) return;
  if (loop_.turn_requests_ >= kTurnRequestsMax) return look_again();
  consuming_ = true;
  auto* const input = loop_.input_.data();
  std::memcpy(input, in_.data(), in_.size());
  const auto size = receive(in_.size());
  const auto taken = consume({input, size});
  keep({input + taken, size - taken});
  consuming_ = false;
  if (!socket_) return;
  if (state_ == State::lingering) return discard();
  if (state_ != State::reading) return;
  if (readable_) return look_again();
  if (eof_ && !queued_) close();
}

void Connection::look_again() {
  if (std::exchange(queued_, true)) return;
  loop_.make_ready(*this);
}

// Reads behind the `have` bytes that are in the loop's buffer already; returns how many there are
// now. A read that did not fill its room has emptied the socket, and the next byte is an event.
std::size_t Connection::receive(std::size_t have) {
  const auto room = loop_.input_.size() - have;
  if (!readable_ || room == 0) return have;
  const auto n = receive_now(socket_.get(), loop_.input_.data() + have, room);
  if (n < 0) {
    if (errno == EINTR) return have;
    readable_ = false;
    if (errno != EAGAIN && errno != EWOULDBLOCK) close();
    return have;
  }
  const auto size = static_cast<std::size_t>(n);
  if (size == 0) eof_ = true;
  if (size == 0 || (size < room && !peer_shut_)) readable_ = false;
  return have + size;
}

std::size_t Connection::consume(std::string_view bytes) {
  std::size_t all_taken = 0;
  bool more = true;
  while (more && socket_ && state_ == State::reading) {
    const auto rest = bytes.substr(all_taken);
    std::size_t taken = 0;
    if (parser_ != nullptr) {
      more = consume_body(std::move(parser_), rest, taken);
    } else if (rest.empty()) {
      more = false;
    } else if (loop_.turn_requests_ < kTurnRequestsMax) {
      more = consume_head(rest, taken);
    } else {
      more = false;
      look_again();
    }
    all_taken += taken;
  }
  return all_taken;
}

// Returns whether there may be another message behind.
bool Connection::consume_head(std::string_view bytes, std::size_t& taken) {
  if (!std::exchange(started_, true)) since_ = loop_.now_;
  auto parser = loop_.take_parser();
  const auto step = parser->read_head(bytes, scanned_);
  if (step == RequestParser::Step::need_more) {
    loop_.give_back(std::move(parser));
    return false;
  }
  if (step == RequestParser::Step::refused) return refuse(std::move(parser));
  scanned_ = 0;
  parser->request().peer = peer_;
  taken = parser->head_bytes();
  if (parser->has_body()) {
    const auto limit = std::min(loop_.handler_->body_bytes_max(parser->request()), kBodyBytesMax);
    if (parser->limit_body(limit) == RequestParser::Step::refused) {
      return refuse(std::move(parser));
    }
    if (taken == bytes.size() && parser->expects_continue()) say_continue();
  }
  std::size_t body_taken = 0;
  const bool more = consume_body(std::move(parser), bytes.substr(taken), body_taken);
  taken += body_taken;
  return more;
}

bool Connection::consume_body(std::unique_ptr<RequestParser> parser, std::string_view bytes,
                              std::size_t& taken) {
  const auto step = parser->read_body(bytes, taken);
  if (step == RequestParser::Step::refused) return refuse(std::move(parser));
  if (step == RequestParser::Step::need_more) {
    parser->keep_head();
    parser_ = std::move(parser);
    return false;
  }
  dispatch(*parser);
  loop_.give_back(std::move(parser));
  return true;
}

void Connection::keep(std::string_view rest) {
  // Nothing is read behind a request whose answer has no end.
  if (rest.empty() || !socket_ || state_ == State::streaming) {
    clear(in_, kInBytesKept);
  } else {
    in_.assign(rest);
  }
}

void Connection::dispatch(RequestParser& parser) {
  started_ = false;
  state_ = State::answering;
  head_method_ = parser.is_head_method();
  http_1_0_ = parser.is_http_1_0();
  const bool keeps = parser.keeps_alive() && !loop_.stopping_;
  after_answer_ = keeps ? AfterAnswer::keep : AfterAnswer::close;
  ++loop_.turn_requests_;
  Loop::count(loop_.requests_);
  loop_.handler_->on_request(parser.request(), Responder(this));
}

// Interprets nothing that comes behind; returns false for that.
bool Connection::refuse(std::unique_ptr<RequestParser> parser) {
  const Refusal why = parser->refusal();
  loop_.give_back(std::move(parser));
  refuse(why);
  return false;
}

void Connection::refuse(const Refusal& why) {
  Loop::count(loop_.refused_);
  started_ = head_method_ = http_1_0_ = false;
  state_ = State::answering;
  after_answer_ = AfterAnswer::refuse;
  auto& body = loop_.refusal_body_;
  body.clear();
  loop_.handler_->on_bad_request(why.status, why.word, why.message, body);
  answer({.status = why.status,
          .content_type = kRefusalType,
          .headers = loop_.handler_->bad_request_headers(),
          .body = body});
}

void Connection::say_continue() {
  const auto n = send_now(socket_.get(), kContinue);
  if (n != static_cast<ssize_t>(kContinue.size())) close();
}

void Connection::answer(const Response& response) {
  ASSERT(state_ == State::answering);
  if (!socket_) {
    if (!loop_.ending_) loop_.bury(*this);
    return;
  }
  state_ = State::writing;
  auto& out = loop_.output_;
  out.clear();
  const bool keeps = after_answer_ == AfterAnswer::keep;
  append_head(out, response,
              {.date_line = loop_.date_line_,
               .connection = !keeps      ? "close"
                             : http_1_0_ ? "keep-alive"
                                         : std::string_view{}});
  if (!head_method_ && may_have_body(response.status)) out += response.body;
  send(out);
  if (out.capacity() > kOutBytesKept) clear(out, kOutBytesKept);
}

Stream Connection::stream(const Response& response) {
  ASSERT(state_ == State::answering);
  after_answer_ = AfterAnswer::close;
  if (!socket_ || head_method_) {
    answer(response);
    return {};
  }
  state_ = State::streaming;
  held_ = true;
  auto& out = loop_.output_;
  out.clear();
  append_head(
      out, response,
      {.date_line = loop_.date_line_, .connection = "close", .length = HeadOptions::Length::open});
  out += response.body;
  push(out);
  return Stream(this);
}

bool Connection::push(std::string_view bytes) {
  if (!socket_ || !out_.empty()) return false;
  send(bytes);
  return true;
}

void Connection::release() {
  held_ = false;
  if (socket_) return close();
  if (!loop_.ending_) loop_.bury(*this);
}

void Connection::abandon() {
  ASSERT(loop_.ending_);
}

void Connection::send(std::string_view bytes) {
  const auto n = send_now(socket_.get(), bytes);
  if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return close();
  const auto size = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  if (size == bytes.size()) return sent();
  since_ = loop_.now_;
  out_sent_ = 0;
  out_.assign(bytes.substr(size));
}

void Connection::flush() {
  const auto rest = std::string_view(out_).substr(out_sent_);
  const auto n = send_now(socket_.get(), rest);
  if (n < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK) close();
    return;
  }
  out_sent_ += static_cast<std::size_t>(n);
  if (out_sent_ < out_.size()) return;
  clear(out_, 0);
  sent();
}

void Connection::sent() {
  fresh_ = false;
  since_ = loop_.now_;
  if (state_ == State::streaming) return;
  if (after_answer_ != AfterAnswer::keep) return finish();
  state_ = State::reading;
  if (!consuming_ && (!in_.empty() || readable_ || eof_)) look_again();
}

// Closing with bytes unread sends a reset, which may overtake the answer; so what may still be
// coming is read and thrown away for a while.
void Connection::finish() {
  const bool may_come = after_answer_ == AfterAnswer::refuse || readable_;
  if (eof_ || !may_come || shutdown(socket_.get(), SHUT_WR) != 0) return close();
  state_ = State::lingering;
  look_again();
}

void Connection::discard() {
  constexpr int kReadsMax = 16;
  for (int i = 0; i < kReadsMax && readable_ && socket_; ++i) {
    receive(0);
    if (eof_) close();
  }
  if (readable_ && socket_) look_again();
}

void Connection::check_time() {
  if (!socket_) return;
  const auto waited = loop_.now_ - since_;
  const auto& options = loop_.options_;
  switch (state_) {
    case State::answering:
      return;
    case State::lingering:
      if (waited > kLingerLimit) close();
      return;
    case State::streaming:
      if (out_.empty()) return;
      [[fallthrough]];
    case State::writing:
      if (waited <= options.slow_limit) return;
      Loop::count(loop_.timed_out_);
      return reset();
    case State::reading:
      if (waited <= (started_ || fresh_ ? options.slow_limit : options.idle_limit)) return;
      if (started_ || fresh_) Loop::count(loop_.timed_out_);
      if (!started_) return close();
      if (parser_ != nullptr) loop_.give_back(std::move(parser_));
      return refuse(kRequestTimeout);
  }
}

void Connection::stop() {
  if (!socket_) return;
  after_answer_ = AfterAnswer::close;
  const bool idle = state_ == State::reading && !started_;
  if (idle || state_ == State::lingering || state_ == State::streaming) close();
}

// What a client that reads nothing has not taken would stay in the kernel, megabytes of it, for
// minutes after a close.
void Connection::reset() {
  constexpr linger kAtOnce{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &kAtOnce, sizeof kAtOnce);
  close();
}

void Connection::close() {
  if (!socket_) return;
  socket_.close();
  readable_ = false;
  if (parser_ != nullptr) loop_.give_back(std::move(parser_));
  clear(out_, 0);
  loop_.closed_one();
  if (state_ != State::answering && !held_) loop_.bury(*this);
}

}  // namespace nando::http
