#include "http/request_parser.h"

#include <algorithm>
#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/assert.h"
#include "base/swar.h"

namespace nando::http {
namespace {

namespace beast = boost::beast;
using beast::http::error;
using beast::http::field;

constexpr Refusal kBadRequestLine{400, "bad_request_line",
                                  "The first line must be METHOD SP TARGET SP HTTP/1.1."};
constexpr Refusal kBadTarget{400, "bad_target",
                             "The target must start with '/', or be an http URL of this host."};
constexpr Refusal kBadVersion{400, "bad_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
constexpr Refusal kBadHeader{400, "bad_header", "A header line must be 'Name: value'."};
constexpr Refusal kBadLineEnding{400, "bad_line_ending", "Lines end in CR LF, never in one alone."};
constexpr Refusal kObsFold{400, "obs_fold", "A header may not be continued on a second line."};
constexpr Refusal kControlCharacter{400, "control_character",
                                    "The head of a message holds no control characters."};
constexpr Refusal kBadHost{400, "bad_host",
                           "HTTP/1.1 wants exactly one Host, a name with an optional port."};
constexpr Refusal kBadContentLength{400, "bad_content_length",
                                    "At most one Content-Length, digits only."};
constexpr Refusal kBadTransferEncoding{400, "bad_transfer_encoding",
                                       "Transfer-Encoding may only be 'chunked', once, in "
                                       "HTTP/1.1, without Content-Length."};
constexpr Refusal kBadChunk{400, "bad_chunk", "The chunks of the body are not well formed."};
constexpr Refusal kTargetTooLong{414, "target_too_long", "The target is over 16384 bytes."};
constexpr Refusal kHeadersTooLarge{431, "headers_too_large",
                                   "The head of a message is at most 32768 bytes and 100 headers."};
constexpr Refusal kBodyTooLarge{413, "body_too_large",
                                "The body is larger than this address takes."};
constexpr Refusal kBadExpectation{417, "bad_expectation", "Expect may only be '100-continue'."};

static_assert(kTargetBytesMax == 16384 && kHeaderBytesMax == 32768 && kHeadersMax == 100,
              "the messages above name the limits");

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

// The first control character (below 0x20, or 0x7f) in [p, end), or end; eight bytes at a time.
const char* find_control(const char* p, const char* end) {
  for (; end - p >= 8; p += 8) {
    const auto word = load_eight(p);
    const auto found = bytes_below(word, 0x20) | bytes_equal(word, 0x7f);
    if (found != 0) return p + first_match(found);
  }
  for (; p != end; ++p) {
    if (static_cast<unsigned char>(*p) < 0x20 || *p == 0x7f) return p;
  }
  return end;
}

// Whether the target in the first line is over its limit, whether or not the line is whole.
bool target_too_long(std::string_view bytes) {
  const auto space = bytes.find(' ');
  if (space == std::string_view::npos) return false;
  const auto rest = bytes.substr(space + 1, kTargetBytesMax + 1);
  return rest.size() > kTargetBytesMax && rest.find_first_of(" \r\n") == std::string_view::npos;
}

bool is_host(std::string_view host) {
  return std::none_of(host.begin(), host.end(), [](unsigned char c) {
    return c <= ' ' || c == ',' || c == '/' || c == '?' || c == '#' || c == '@' || c == '\\';
  });
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

const Refusal& refusal_of(beast::error_code code) {
  if (code.category() != make_error_code(error::bad_method).category()) return kBadHeader;
  switch (static_cast<error>(code.value())) {
    case error::bad_method:
      return kBadRequestLine;
    case error::bad_target:
      return kBadTarget;
    case error::bad_version:
      return kBadVersion;
    case error::bad_line_ending:
      return kBadLineEnding;
    case error::header_limit:
      return kHeadersTooLarge;
    case error::body_limit:
      return kBodyTooLarge;
    case error::bad_content_length:
    case error::multiple_content_length:
      return kBadContentLength;
    case error::bad_transfer_encoding:
      return kBadTransferEncoding;
    case error::bad_chunk:
    case error::bad_chunk_extension:
      return kBadChunk;
    default:
      return kBadHeader;
  }
}

// What the head says, as views into the bytes it was parsed from.
struct Head {
  std::string_view method, target;
  unsigned version = 11;
  std::size_t headers_count = 0;
  std::array<Header, kHeadersMax> headers;
  // Of the headers that decide where the message ends and whom it is for; how often, and the last.
  unsigned hosts = 0, content_lengths = 0, transfer_encodings = 0, expects = 0;
  std::string_view host, content_length, transfer_encoding, expect;
};

// Beast's parser, told to keep views and nothing else.
class Framing final : public beast::http::basic_parser<true> {
 public:
  Framing(Head& head, std::string& body) : head_(head), body_(body) {
    header_limit(kHeaderBytesMax);
    body_limit(boost::none);
  }

  // The body, when it came whole in one piece; otherwise it was gathered.
  std::optional<std::string_view> whole_body() const { return whole_body_; }
  bool too_many_headers() const { return too_many_headers_; }

 private:
  using error_code = beast::error_code;
  using string_view = beast::string_view;

  void on_request_impl(beast::http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    head_.method = view(method);
    head_.target = view(target);
    head_.version = static_cast<unsigned>(version);
  }
  void on_response_impl(int, string_view, int, error_code&) override {}

  void on_field_impl(field name, string_view name_text, string_view value,
                     error_code& code) override {
    if (is_header_done()) return;  // A trailer: nothing here asks for one.
    if (head_.headers_count == kHeadersMax) {
      too_many_headers_ = true;
      code = error::header_limit;
      return;
    }
    head_.headers[head_.headers_count++] = {view(name_text), view(value)};
    if (name == field::host) {
      ++head_.hosts;
      head_.host = view(value);
    } else if (name == field::content_length) {
      ++head_.content_lengths;
      head_.content_length = view(value);
    } else if (name == field::transfer_encoding) {
      ++head_.transfer_encodings;
      head_.transfer_encoding = view(value);
    } else if (name == field::expect) {
      ++head_.expects;
      head_.expect = view(value);
    }
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}

  std::size_t on_body_impl(string_view bytes, error_code&) override {
    if (body_.empty() && bytes.size() == content_length()) {
      whole_body_ = view(bytes);
    } else {
      body_.append(bytes.data(), bytes.size());
    }
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view extensions, error_code& code) override {
    if (extensions.find('"') != string_view::npos) code = error::bad_chunk_extension;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override {
    body_.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(error_code&) override {}

  Head& head_;
  std::string& body_;
  std::optional<std::string_view> whole_body_;
  bool too_many_headers_ = false;
};

// What Beast does not ask of the framing headers; nothing when they are in order.
const Refusal* check_framing(const Head& head) {
  if (head.transfer_encodings > 0) {
    if (head.content_lengths > 0 || head.transfer_encodings > 1 || head.version == 10 ||
        !equal_without_case(head.transfer_encoding, "chunked")) {
      return &kBadTransferEncoding;
    }
  }
  if (head.content_lengths > 1) return &kBadContentLength;
  if (head.content_lengths == 1 && !is_digits(head.content_length)) return &kBadContentLength;
  if (head.hosts > 1 || (head.hosts == 0 && head.version == 11)) return &kBadHost;
  if (!is_host(head.host)) return &kBadHost;
  if (head.expects > 0 && !equal_without_case(head.expect, "100-continue")) {
    return &kBadExpectation;
  }
  return nullptr;
}

// Splits the target into path and query. Absolute form is taken if its authority is the Host's: a
// proxy that routes by the one and a server that answers for the other is how caches are poisoned.
bool split_target(const Head& head, Request& request) {
  std::string_view rest = head.target;
  request.target = rest;
  if (rest == "*" && head.method == "OPTIONS") {
    request.path = rest;
    request.query = {};
    return true;
  }
  if (rest.front() != '/') {
    const auto scheme_end = rest.find("://");
    if (scheme_end == std::string_view::npos) return false;
    const auto scheme = rest.substr(0, scheme_end);
    if (!equal_without_case(scheme, "http") && !equal_without_case(scheme, "https")) return false;
    rest.remove_prefix(scheme_end + 3);
    const auto authority = rest.substr(0, rest.find_first_of("/?"));
    if (authority.empty() || !is_host(authority)) return false;
    if (head.hosts == 1 && !equal_without_case(authority, head.host)) return false;
    rest.remove_prefix(authority.size());
  }
  const auto question = rest.find('?');
  request.path = rest.substr(0, question);
  if (request.path.empty()) request.path = "/";
  request.query =
      question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1);
  return true;
}

// Beast 1.81 asserts that it never looks twice at a last chunk of fewer bytes, which happens when
// it is the first one and comes in pieces.
constexpr std::size_t kLastChunkBytes = 5;  // "0\r\n\r\n"

// Beast 1.81 looks for the end of a quoted extension beyond the end of the chunk's line, and counts
// the chunk against the body's limit each time it looks. Nobody quotes there: such a line is
// refused as soon as it is whole. `waiting` is what Beast has not taken.
bool quotes_in_chunk_line(std::string_view waiting) {
  if (waiting.starts_with("\r\n")) waiting.remove_prefix(2);  // The end of the chunk before.
  const auto end = waiting.find("\r\n");
  return end != std::string_view::npos && waiting.find('"') < end;
}

}  // namespace

class RequestParser::Message {
 public:
  void reset() {
    framing.reset();
    refusal = nullptr;
    body.clear();
    if (body.capacity() > kKeptBytesMax) body.shrink_to_fit();
  }

  Step refuse(const Refusal& why) {
    refusal = &why;
    return Step::refused;
  }

  static constexpr std::size_t kKeptBytesMax = 64 * 1024;

  Head head;
  std::string body;
  std::string kept_head;
  std::optional<Framing> framing;
  Request request;
  std::size_t head_bytes = 0;
  std::size_t body_taken = 0;
  const Refusal* refusal = nullptr;

  Step scan(std::string_view bytes, std::size_t start, std::size_t& scanned);
  Step parse(std::string_view bytes, std::size_t start);
};

// Finds the end of the head and checks what no parser sees any more afterwards: how lines end.
RequestParser::Step RequestParser::Message::scan(std::string_view bytes, std::size_t start,
                                                 std::size_t& scanned) {
  const char* const first = bytes.data();
  const char* const end = first + std::min(bytes.size(), start + kHeaderBytesMax);
  const char* p = first + std::max(start, scanned);
  for (;;) {
    p = find_control(p, end);
    scanned = static_cast<std::size_t>(p - first);
    if (p == end) break;
    if (*p == '\t') {
      ++p;
      continue;
    }
    if (*p == '\n') return refuse(kBadLineEnding);
    if (*p != '\r') return refuse(kControlCharacter);
    if (end - p < 2) break;
    if (p[1] != '\n') return refuse(kBadLineEnding);
    if (end - p < 3) break;
    if (p[2] == ' ' || p[2] == '\t') return refuse(kObsFold);
    if (p[2] == '\r') {
      if (end - p < 4) break;
      if (p[3] != '\n') return refuse(kBadLineEnding);
      head_bytes = static_cast<std::size_t>(p + 4 - first);
      return Step::ready;
    }
    p += 2;
  }
  return bytes.size() >= start + kHeaderBytesMax ? refuse(kHeadersTooLarge) : Step::need_more;
}

RequestParser::Step RequestParser::Message::parse(std::string_view bytes, std::size_t start) {
  body_taken = 0;
  head.headers_count = 0;
  head.hosts = head.content_lengths = head.transfer_encodings = head.expects = 0;
  head.host = {};
  beast::error_code code;
  framing.emplace(head, body);
  const auto size = head_bytes - start;
  const auto parsed = framing->put({bytes.data() + start, size}, code);
  if (code) return refuse(framing->too_many_headers() ? kHeadersTooLarge : refusal_of(code));
  ASSERT(parsed == size && framing->is_header_done());
  if (const auto* why = check_framing(head)) return refuse(*why);
  request.method = head.method;
  if (!split_target(head, request)) return refuse(kBadTarget);
  request.headers = {head.headers.data(), head.headers_count};
  request.body = {};
  return Step::ready;
}

RequestParser::RequestParser() : message_(std::make_unique<Message>()) {}
RequestParser::~RequestParser() = default;
void RequestParser::reset() {
  message_->reset();
}

RequestParser::Step RequestParser::read_head(std::string_view bytes, std::size_t& scanned) {
  // An empty line before a request is left over from a careless client's last one (RFC 9112, 2.2).
  const std::size_t start = bytes.starts_with("\r\n") ? 2 : 0;
  if (bytes.size() > kTargetBytesMax && target_too_long(bytes.substr(start))) {
    return message_->refuse(kTargetTooLong);
  }
  if (bytes == "\r") return Step::need_more;
  const auto step = message_->scan(bytes, start, scanned);
  return step == Step::ready ? message_->parse(bytes, start) : step;
}

std::size_t RequestParser::head_bytes() const {
  return message_->head_bytes;
}
bool RequestParser::has_body() const {
  return !message_->framing->is_done();
}
bool RequestParser::is_head_method() const {
  return message_->head.method == "HEAD";
}
bool RequestParser::is_http_1_0() const {
  return message_->head.version == 10;
}
bool RequestParser::keeps_alive() const {
  return message_->framing->keep_alive();
}
bool RequestParser::expects_continue() const {
  return message_->head.expects > 0 && message_->head.version == 11;
}

RequestParser::Step RequestParser::limit_body(std::size_t bytes_max) {
  auto& framing = *message_->framing;
  if (framing.content_length().value_or(0) > bytes_max) return message_->refuse(kBodyTooLarge);
  framing.body_limit(bytes_max);
  framing.eager(true);
  return Step::ready;
}

void RequestParser::keep_head() {
  auto& message = *message_;
  auto& request = message.request;
  const char* const from = request.method.data();
  const auto& last = message.head.headers;
  const char* const end = request.headers.empty()
                              ? request.target.data() + request.target.size()
                              : last[message.head.headers_count - 1].value.data() +
                                    last[message.head.headers_count - 1].value.size();
  message.kept_head.assign(from, end);
  const auto move = [&](std::string_view& text) {
    if (text.data() < from || text.data() > end) return;
    text = {message.kept_head.data() + (text.data() - from), text.size()};
  };
  for (auto* text :
       {&request.method, &request.target, &request.path, &request.query, &message.head.method}) {
    move(*text);
  }
  for (std::size_t i = 0; i < message.head.headers_count; ++i) {
    move(message.head.headers[i].name);
    move(message.head.headers[i].value);
  }
}

RequestParser::Step RequestParser::read_body(std::string_view bytes, std::size_t& taken) {
  auto& framing = *message_->framing;
  taken = 0;
  if (!framing.is_done()) {
    if (bytes.empty() ||
        (message_->body_taken == 0 && framing.chunked() && bytes.size() < kLastChunkBytes)) {
      return Step::need_more;
    }
    beast::error_code code;
    taken = framing.put({bytes.data(), bytes.size()}, code);
    message_->body_taken += taken;
    if (code == error::need_more) {
      // Only a chunk's first line or the trailer waits for its end.
      if (bytes.size() - taken >= kHeaderBytesMax) return message_->refuse(kHeadersTooLarge);
      if (quotes_in_chunk_line(bytes.substr(taken))) return message_->refuse(kBadChunk);
      return Step::need_more;
    }
    if (code) {
      const auto& why = refusal_of(code);
      return message_->refuse(why.status == 400 ? kBadChunk : why);
    }
    if (!framing.is_done()) return Step::need_more;
  }
  message_->request.body = framing.whole_body().value_or(message_->body);
  return Step::ready;
}

Request& RequestParser::request() {
  return message_->request;
}
const Refusal& RequestParser::refusal() const {
  return *message_->refusal;
}

}  // namespace nando::http
