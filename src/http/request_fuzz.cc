// Feeds a stream of requests to the parser whole and in pieces: the outcome must be the same. And
// each message that it accepts, Beast must read alike: two readers of one stream that disagree are
// what request smuggling lives on.
#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "http/request_parser.h"

namespace {

using nando::http::RequestParser;
using Step = RequestParser::Step;

namespace beast = boost::beast;

constexpr std::size_t kBodyMax = 300;

bool same(beast::string_view a, std::string_view b) {
  return std::string_view(a.data(), a.size()) == b;
}

// Whether Beast makes the same of the message.
bool beast_agrees(std::string_view bytes, const nando::http::Request& request) {
  beast::http::request_parser<beast::http::string_body> parser;
  parser.eager(true);
  parser.header_limit(1 << 20);
  beast::error_code code;
  while (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  const auto taken = parser.put({bytes.data(), bytes.size()}, code);
  const auto& seen = parser.get();
  return !code && parser.is_done() && taken == bytes.size() &&
         same(seen.method_string(), request.method) && same(seen.target(), request.target) &&
         same(seen.body(), request.body) &&
         std::all_of(request.headers.begin(), request.headers.end(), [&](const auto& header) {
           const auto all = seen.equal_range({header.name.data(), header.name.size()});
           return std::any_of(all.first, all.second,
                              [&](const auto& one) { return same(one.value(), header.value); });
         });
}

// Everything a handler would have seen, and how it ended.
class Reader {
 public:
  void feed(std::string_view piece) {
    waiting_ += piece;
    while (!over_ && advance()) {
    }
  }
  std::string outcome() const { return seen_; }

 private:
  bool advance() {
    if (in_body_) return read_body();
    const auto step = parser_.read_head(waiting_, scanned_);
    if (step == Step::refused) return refuse();
    if (step == Step::need_more) return false;
    scanned_ = 0;
    if (parser_.limit_body(kBodyMax) == Step::refused) return refuse();
    parser_.keep_head();
    message_ = waiting_.substr(0, parser_.head_bytes());
    waiting_.erase(0, parser_.head_bytes());
    in_body_ = true;
    return true;
  }

  bool read_body() {
    std::size_t taken = 0;
    const auto step = parser_.read_body(waiting_, taken);
    if (step == Step::refused) return refuse();
    message_.append(waiting_, 0, taken);
    if (step == Step::ready) write_down();
    waiting_.erase(0, taken);
    if (step == Step::need_more) return false;
    parser_.reset();
    in_body_ = false;
    return true;
  }

  void write_down() {
    const auto& request = parser_.request();
    if (!beast_agrees(message_, request)) std::abort();
    for (const auto text : {request.method, request.target, request.path, request.query}) {
      seen_.append(text) += '\n';
    }
    for (const auto& [name, value] : request.headers) {
      seen_.append(name) += ':';
      seen_.append(value) += '\n';
    }
    seen_.append(request.body) += '\n';
    seen_ += parser_.keeps_alive() ? "keep\n" : "close\n";
  }

  bool refuse() {
    seen_ += parser_.refusal().word;
    over_ = true;
    return false;
  }

  RequestParser parser_;
  std::string waiting_;
  std::string message_;  // What was taken of the one that is being read.
  std::size_t scanned_ = 0;
  bool in_body_ = false;
  bool over_ = false;
  std::string seen_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const unsigned piece_max = data[0] % 16U + 1;
  unsigned state = data[1];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  Reader whole;
  whole.feed(bytes);
  Reader pieces;
  for (std::size_t at = 0; at < bytes.size();) {
    state = state * 1103515245U + 12345U;
    const std::size_t n = std::min<std::size_t>(bytes.size() - at, (state >> 16) % piece_max + 1);
    pieces.feed(bytes.substr(at, n));
    at += n;
  }
  if (whole.outcome() != pieces.outcome()) std::abort();
  return 0;
}
