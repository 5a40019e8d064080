#include "http/request_parser.h"

#include <gtest/gtest.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace nando::http {
namespace {

using Step = RequestParser::Step;
using namespace std::string_literals;

// Reads messages as a connection does, from pieces; writes down what came out.
class Reader {
 public:
  explicit Reader(std::size_t body_bytes_max = kBodyBytesMax) : body_bytes_max_(body_bytes_max) {}

  void feed(std::string_view piece) {
    waiting_ += piece;
    while (!over_ && advance()) {
    }
  }
  // "POST /path?query [body]; word"
  const std::string& seen() const { return seen_; }

 private:
  bool advance() {
    if (!in_body_) {
      const auto step = parser_.read_head(waiting_, scanned_);
      if (step != Step::ready) return refuse_if(step);
      scanned_ = 0;
      if (refuse_if(parser_.limit_body(body_bytes_max_)); over_) return false;
      parser_.keep_head();
      waiting_.erase(0, parser_.head_bytes());
      in_body_ = true;
    }
    std::size_t taken = 0;
    const auto step = parser_.read_body(waiting_, taken);
    if (step == Step::ready) {
      const auto& request = parser_.request();
      seen_ += std::string(request.method) + " " + std::string(request.path) + "?" +
               std::string(request.query) + " [" + std::string(request.body) + "]; ";
      in_body_ = false;
    }
    waiting_.erase(0, taken);
    if (step == Step::ready) return parser_.reset(), true;
    return refuse_if(step);
  }
  bool refuse_if(Step step) {
    if (step != Step::refused) return false;
    seen_ += parser_.refusal().word;
    over_ = true;
    return false;
  }

  const std::size_t body_bytes_max_;
  RequestParser parser_;
  std::string waiting_;
  std::size_t scanned_ = 0;
  bool in_body_ = false;
  bool over_ = false;
  std::string seen_;
};

std::string read_whole(std::string_view bytes, std::size_t body_bytes_max = kBodyBytesMax) {
  Reader reader(body_bytes_max);
  reader.feed(bytes);
  return reader.seen();
}

const std::string kGet = "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kChunked =
    "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";

TEST(RequestParser, SplitAnywhereTheOutcomeIsTheSame) {
  const std::vector<std::pair<std::string, std::string>> streams = {
      {kGet + kGet, "GET /a?b=c []; GET /a?b=c []; "},
      {"\r\n" + kGet, "GET /a?b=c []; "},
      {"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" + kGet,
       "POST /p? [hello]; GET /a?b=c []; "},
      {kChunked + kGet, "POST /c? [abc0123456789]; GET /a?b=c []; "},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kGet,
       "POST /? []; GET /a?b=c []; "},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n",
       "bad_chunk"},
      {kGet + "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n" + kGet, "GET /a?b=c []; obs_fold"},
      {"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx" + kGet,
       "bad_content_length"},
  };
  for (const auto& [bytes, outcome] : streams) {
    EXPECT_EQ(read_whole(bytes), outcome);
    for (std::size_t at = 0; at <= bytes.size(); ++at) {
      Reader two;
      two.feed(std::string_view(bytes).substr(0, at));
      two.feed(std::string_view(bytes).substr(at));
      ASSERT_EQ(two.seen(), outcome) << "split at " << at;
    }
    Reader bytewise;
    for (const char c : bytes) bytewise.feed({&c, 1});
    EXPECT_EQ(bytewise.seen(), outcome);
  }
}

// What Beast alone makes of the first message: accepted or not.
bool beast_accepts(std::string_view bytes) {
  boost::beast::http::request_parser<boost::beast::http::string_body> parser;
  parser.eager(true);
  boost::beast::error_code code;
  parser.put({bytes.data(), bytes.size()}, code);
  return !code && parser.is_done();
}

// The negative control of the guard: without it, these go through.
TEST(RequestParser, RefusesWhatBeastAloneAccepts) {
  const std::vector<std::pair<std::string, std::string>> messages = {
      {"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", "obs_fold"},
      {"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", "bad_host"},
      {"GET / HTTP/1.1\r\n\r\n", "bad_host"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
       "bad_content_length"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\nx", "bad_content_length"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad_transfer_encoding"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n",
       "bad_transfer_encoding"},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
       "bad_transfer_encoding"},
  };
  for (const auto& [bytes, word] : messages) {
    EXPECT_TRUE(beast_accepts(bytes)) << bytes;
    EXPECT_EQ(read_whole(bytes), word) << bytes;
  }
}

TEST(RequestParser, BeastAloneWouldReadTheBodyOfAnUnknownEncodingAsTheNextRequest) {
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n"
      "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  boost::beast::http::request_parser<boost::beast::http::string_body> first, second;
  boost::beast::error_code code;
  first.eager(true);
  const auto taken = first.put({bytes.data(), bytes.size()}, code);
  ASSERT_FALSE(code);
  ASSERT_TRUE(first.is_done());
  second.put({bytes.data() + taken, bytes.size() - taken}, code);
  EXPECT_FALSE(code);
  EXPECT_EQ(second.get().target(), "/smuggled");

  EXPECT_EQ(read_whole(bytes), "bad_transfer_encoding");
}

TEST(RequestParser, AbsoluteFormIsReducedAndMustNameTheHost) {
  const auto get = [](const std::string& target, const std::string& host) {
    return read_whole("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  };
  EXPECT_EQ(get("http://h/a?b", "h"), "GET /a?b []; ");
  EXPECT_EQ(get("HTTPS://H:80/a", "h:80"), "GET /a? []; ");
  EXPECT_EQ(get("http://h", "h"), "GET /? []; ");
  EXPECT_EQ(get("http://h?q", "h"), "GET /?q []; ");
  EXPECT_EQ(get("http://other/a", "h"), "bad_target");
  EXPECT_EQ(get("http:///a", "h"), "bad_target");
  EXPECT_EQ(get("http://u@h/a", "h"), "bad_target");
  EXPECT_EQ(get("ftp://h/a", "h"), "bad_target");
  EXPECT_EQ(get("h:80", "h"), "bad_target");
  EXPECT_EQ(get("*", "h"), "bad_target");
  EXPECT_EQ(read_whole("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), "OPTIONS *? []; ");
  EXPECT_EQ(get("//h/a?b?c", "h"), "GET //h/a?b?c []; ");
}

TEST(RequestParser, TargetMayBeSoLongAndNoLonger) {
  const auto get = [](std::size_t size) {
    return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  EXPECT_EQ(read_whole(get(kTargetBytesMax)).substr(0, 6), "GET /a");
  EXPECT_EQ(read_whole(get(kTargetBytesMax + 1)), "target_too_long");
  // Before its end has come.
  EXPECT_EQ(read_whole(get(kTargetBytesMax + 1).substr(0, 4 + kTargetBytesMax)), "");
  EXPECT_EQ(read_whole(get(kTargetBytesMax + 1).substr(0, 5 + kTargetBytesMax)), "target_too_long");
}

TEST(RequestParser, HeadMayBeSoLargeAndNoLarger) {
  const auto get = [](std::size_t size) {
    const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nA: ";
    return start + std::string(size - start.size() - 4, 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(read_whole(get(kHeaderBytesMax)), "GET /? []; ");
  EXPECT_EQ(read_whole(get(kHeaderBytesMax + 1)), "headers_too_large");
  EXPECT_EQ(read_whole(get(2 * kHeaderBytesMax).substr(0, kHeaderBytesMax - 1)), "");
  EXPECT_EQ(read_whole(get(2 * kHeaderBytesMax).substr(0, kHeaderBytesMax)), "headers_too_large");
}

TEST(RequestParser, HeadersMayBeSoManyAndNoMore) {
  const auto get = [](std::size_t count) {
    std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (std::size_t i = 1; i < count; ++i) bytes += "A: b\r\n";
    return bytes + "\r\n";
  };
  EXPECT_EQ(read_whole(get(kHeadersMax)), "GET /? []; ");
  EXPECT_EQ(read_whole(get(kHeadersMax + 1)), "headers_too_large");
}

TEST(RequestParser, BodyMayBeSoLargeAndNoLarger) {
  const auto sized = [](const std::string& length, const std::string& body) {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + length + "\r\n\r\n" + body;
  };
  const auto chunked = [](const std::string& chunks) {
    return "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
  };
  EXPECT_EQ(read_whole(sized("4", "abcd"), 4), "POST /? [abcd]; ");
  EXPECT_EQ(read_whole(sized("5", ""), 4), "body_too_large");  // Before it has come.
  EXPECT_EQ(read_whole(sized("99999999999999999999", ""), 4), "bad_content_length");
  EXPECT_EQ(read_whole(sized("18446744073709551615", ""), 4), "body_too_large");
  EXPECT_EQ(read_whole(chunked("2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"), 4), "POST /? [abcd]; ");
  EXPECT_EQ(read_whole(chunked("2\r\nab\r\n3\r\n"), 4), "body_too_large");
  EXPECT_EQ(read_whole(chunked("FFFFFFFFFFFFFFFFF\r\n"), 4), "bad_chunk");
  EXPECT_EQ(read_whole(chunked("2;" + std::string(kHeaderBytesMax, 'a'))), "headers_too_large");
}

}  // namespace
}  // namespace nando::http
