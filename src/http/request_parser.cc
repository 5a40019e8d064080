#include "http/request_parser.h"

#include <algorithm>
#include <array>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/assert.h"
#include "base/bytes.h"

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

using Characters = std::array<bool, 256>;

constexpr Characters these(std::string_view characters) {
  Characters table{};
  for (const char c : characters) table[static_cast<unsigned char>(c)] = true;
  return table;
}

// Of a token (RFC 9110, 5.6.2): methods and the names of headers.
constexpr auto kIsTokenCharacter =
    these("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
// Other control characters are in no head.
constexpr auto kIsNotInHost = these(" \t,/?#@\\");

bool is_host(std::string_view host) {
  return std::none_of(host.begin(), host.end(), [](unsigned char c) { return kIsNotInHost[c]; });
}

bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// What the head says, as views into the bytes it was parsed from.
struct Head {
  std::string_view method, target;
  unsigned version = 11;
  bool says_close = false, says_keep_alive = false;
  std::size_t headers_count = 0;
  std::array<Header, kHeadersMax> headers;
  // Of the headers that decide where the message ends and whom it is for; how often, and the last.
  unsigned hosts = 0, content_lengths = 0, transfer_encodings = 0, expects = 0;
  std::string_view host, content_length, transfer_encoding, expect;

  bool is_chunked() const { return transfer_encodings > 0; }
};

std::size_t token_size(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && kIsTokenCharacter[static_cast<unsigned char>(text[size])]) ++size;
  return size;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// METHOD SP TARGET SP VERSION (RFC 9112, 3), without its end.
const Refusal* parse_request_line(std::string_view line, Head& head) {
  const auto method_size = token_size(line);
  if (method_size == 0 || line.substr(method_size, 1) != " ") return &kBadRequestLine;
  head.method = line.substr(0, method_size);
  line.remove_prefix(method_size + 1);
  const auto target_size = line.find(' ');
  head.target = line.substr(0, target_size);
  if (head.target.empty() || target_size == std::string_view::npos ||
      head.target.find('\t') != std::string_view::npos) {
    return &kBadTarget;
  }
  const auto version = line.substr(target_size + 1);
  head.version = version == "HTTP/1.0" ? 10 : 11;
  return version == "HTTP/1.1" || head.version == 10 ? nullptr : &kBadVersion;
}

// The options of Connection (RFC 9110, 7.6.1), of which two mean something here. False if what
// stands between two commas is no token.
bool read_connection(std::string_view list, Head& head) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const auto option = trimmed(list.substr(0, comma));
    if (token_size(option) != option.size()) return false;
    head.says_close = head.says_close || equal_without_case(option, "close");
    head.says_keep_alive = head.says_keep_alive || equal_without_case(option, "keep-alive");
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return true;
}

// Remembers the headers that the parser itself goes by, told apart by their lengths first. False if
// one is not well formed.
bool note(const Header& header, Head& head) {
  switch (header.name.size()) {
    case 4:
      if (header.is("host")) ++head.hosts, head.host = header.value;
      break;
    case 6:
      if (header.is("expect")) ++head.expects, head.expect = header.value;
      break;
    case 10:
      if (header.is("connection")) return read_connection(header.value, head);
      break;
    case 14:
      if (header.is("content-length")) ++head.content_lengths, head.content_length = header.value;
      break;
    case 17:
      if (header.is("transfer-encoding"))
        ++head.transfer_encodings, head.transfer_encoding = header.value;
      break;
    default:
      break;
  }
  return true;
}

// A head whose lines were scanned: they end in CR LF, and the last one is empty.
const Refusal* parse_head(std::string_view bytes, Head& head) {
  auto line_end = bytes.find('\r');
  if (const auto* why = parse_request_line(bytes.substr(0, line_end), head)) return why;
  for (bytes.remove_prefix(line_end + 2); bytes.size() > 2; bytes.remove_prefix(line_end + 2)) {
    if (head.headers_count == kHeadersMax) return &kHeadersTooLarge;
    const auto name_size = token_size(bytes);
    if (name_size == 0 || bytes[name_size] != ':') return &kBadHeader;
    line_end = bytes.find('\r', name_size);
    auto& header = head.headers[head.headers_count++];
    header.name = bytes.substr(0, name_size);
    header.value = trimmed(bytes.substr(name_size + 1, line_end - name_size - 1));
    if (!note(header, head)) return &kBadHeader;
  }
  return nullptr;
}

// Beast's parser, of which only the decoding of chunks is wanted: it is fed a head of its own.
class Chunks final : public beast::http::basic_parser<true> {
 public:
  explicit Chunks(std::string& body) : body_(body) {
    eager(true);
    header_limit(kHeaderBytesMax);  // Of a trailer that comes in pieces.
    error_code code;
    constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    put({kHead.data(), kHead.size()}, code);
    ASSERT(is_header_done() && chunked());
    trailer_bytes_ = 0;
  }

 private:
  using error_code = beast::error_code;
  using string_view = beast::string_view;

  void on_request_impl(beast::http::verb, string_view, string_view, int, error_code&) override {}
  void on_response_impl(int, string_view, int, error_code&) override {}
  // Of a trailer that is whole at once Beast limits nothing.
  void on_field_impl(field, string_view name, string_view value, error_code& code) override {
    constexpr std::size_t kAround = 4;  // ": " and the line's end.
    trailer_bytes_ += name.size() + value.size() + kAround;
    if (trailer_bytes_ + 2 > kHeaderBytesMax) code = error::header_limit;
  }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, string_view extensions, error_code& code) override {
    if (extensions.find('"') != string_view::npos) code = error::bad_chunk_extension;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes, error_code&) override {
    body_.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  void on_finish_impl(error_code&) override {}

  std::string& body_;
  std::size_t trailer_bytes_ = 0;
};

// Where the message ends must have one reading only; nothing when it has.
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
    chunks.reset();
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
  std::optional<Chunks> chunks;  // Of a body in chunks.
  Request request;
  std::size_t head_bytes = 0;
  std::size_t body_bytes = 0;  // Of a body that is not in chunks.
  std::size_t body_taken = 0;
  const Refusal* refusal = nullptr;

  Step scan(std::string_view bytes, std::size_t start, std::size_t& scanned);
  Step parse(std::string_view bytes, std::size_t start);
  Step read_plain(std::string_view bytes, std::size_t& taken);
  Step read_chunks(std::string_view bytes, std::size_t& taken);
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
  body_bytes = 0;
  head.headers_count = 0;
  head.hosts = head.content_lengths = head.transfer_encodings = head.expects = 0;
  head.says_close = head.says_keep_alive = false;
  head.host = {};
  if (const auto* why = parse_head(bytes.substr(start, head_bytes - start), head)) {
    return refuse(*why);
  }
  if (const auto* why = check_framing(head)) return refuse(*why);
  if (head.content_lengths == 1) {
    const auto& digits = head.content_length;
    const auto read = std::from_chars(digits.begin(), digits.end(), body_bytes);
    if (read.ec != std::errc{}) return refuse(kBadContentLength);
  }
  if (head.is_chunked()) chunks.emplace(body);
  request.method = head.method;
  if (!split_target(head, request)) return refuse(kBadTarget);
  request.headers = {head.headers.data(), head.headers_count};
  request.body = {};
  return Step::ready;
}

RequestParser::Step RequestParser::Message::read_plain(std::string_view bytes, std::size_t& taken) {
  taken = std::min(bytes.size(), body_bytes - body_taken);
  body_taken += taken;
  if (taken == body_bytes) {
    request.body = bytes.substr(0, taken);  // It came whole, in one piece.
    return Step::ready;
  }
  body.append(bytes.substr(0, taken));
  if (body_taken < body_bytes) return Step::need_more;
  request.body = body;
  return Step::ready;
}

RequestParser::Step RequestParser::Message::read_chunks(std::string_view bytes,
                                                        std::size_t& taken) {
  taken = 0;
  if (bytes.empty() || (body_taken == 0 && bytes.size() < kLastChunkBytes)) return Step::need_more;
  beast::error_code code;
  taken = chunks->put({bytes.data(), bytes.size()}, code);
  body_taken += taken;
  if (code == error::need_more) {
    // Only a chunk's first line or the trailer waits for its end.
    if (bytes.size() - taken >= kHeaderBytesMax) return refuse(kHeadersTooLarge);
    if (quotes_in_chunk_line(bytes.substr(taken))) return refuse(kBadChunk);
    return Step::need_more;
  }
  if (code == error::body_limit) return refuse(kBodyTooLarge);
  if (code == error::header_limit) return refuse(kHeadersTooLarge);
  if (code) return refuse(kBadChunk);
  if (!chunks->is_done()) return Step::need_more;
  request.body = body;
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
  return message_->body_bytes > 0 || message_->chunks;
}
bool RequestParser::is_head_method() const {
  return message_->head.method == "HEAD";
}
bool RequestParser::is_http_1_0() const {
  return message_->head.version == 10;
}
bool RequestParser::keeps_alive() const {
  const auto& head = message_->head;
  return head.version == 10 ? head.says_keep_alive && !head.says_close : !head.says_close;
}
bool RequestParser::expects_continue() const {
  return message_->head.expects > 0 && message_->head.version == 11;
}

RequestParser::Step RequestParser::limit_body(std::size_t bytes_max) {
  if (message_->body_bytes > bytes_max) return message_->refuse(kBodyTooLarge);
  if (message_->chunks) message_->chunks->body_limit(bytes_max);
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
  return message_->chunks ? message_->read_chunks(bytes, taken)
                          : message_->read_plain(bytes, taken);
}

Request& RequestParser::request() {
  return message_->request;
}
const Refusal& RequestParser::refusal() const {
  return *message_->refusal;
}

}  // namespace nando::http
