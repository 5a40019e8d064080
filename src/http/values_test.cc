// The parser of requests, query strings, whose request it is, and the client where nobody answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/client_address.h"
#include "http/query_string.h"
#include "http/request_parser.h"
#include "http/socket.h"

namespace nando::http {
namespace {

using namespace std::chrono_literals;

using testing::ElementsAre;
using Step = RequestParser::Step;

TEST(PercentDecode, EscapesAreTwoHexDigitsAndNothingElse) {
  EXPECT_EQ(percent_decode("a%2Fb%2fc", Plus::is_plus), "a/b/c");
  EXPECT_EQ(percent_decode("%00%ff", Plus::is_plus), std::string("\0\xff", 2));
  EXPECT_EQ(percent_decode("", Plus::is_plus), "");
  EXPECT_EQ(percent_decode("%25zz", Plus::is_plus), "%zz");  // Decoded once.
  for (const auto* bad : {"%", "%4", "a%", "%zz", "%4z", "%z4", "%%41", "% 41", "%+1"}) {
    EXPECT_EQ(percent_decode(bad, Plus::is_plus), std::nullopt) << bad;
  }
}

TEST(PercentDecode, PlusIsASpaceOnlyWhereAskedFor) {
  EXPECT_EQ(percent_decode("a+b%2B", Plus::is_plus), "a+b+");
  EXPECT_EQ(percent_decode("a+b%2B", Plus::is_space), "a b+");
}

TEST(ParseQuery, KeepsOrderAndRepeats) {
  EXPECT_THAT(*parse_query("url=u&url=v&x"),
              ElementsAre(QueryPair{"url", "u"}, QueryPair{"url", "v"}, QueryPair{"x", ""}));
  EXPECT_THAT(*parse_query("a=b=c&%61=1+2&=v"),
              ElementsAre(QueryPair{"a", "b=c"}, QueryPair{"a", "1 2"}, QueryPair{"", "v"}));
  EXPECT_THAT(*parse_query("&&a=1&"), ElementsAre(QueryPair{"a", "1"}));
  EXPECT_THAT(*parse_query(""), ElementsAre());
  EXPECT_EQ(parse_query("a=%zz"), std::nullopt);
  EXPECT_EQ(parse_query("%=a"), std::nullopt);
  EXPECT_EQ(parse_query("a=1&b=%4"), std::nullopt);
}

TEST(ParseQuery, TakesSoManyPairsAndNoMore) {
  std::string query;
  for (std::size_t i = 0; i < kQueryPairsMax; ++i) query += "a&";
  EXPECT_EQ(parse_query(query)->size(), kQueryPairsMax);
  EXPECT_EQ(parse_query(query + "a"), std::nullopt);
}

std::vector<IpNetwork> proxies() {
  return {*IpNetwork::parse("10.0.0.0/8"), *IpNetwork::parse("fd00::/8")};
}

struct Case {
  const char* what;
  const char* peer;
  std::vector<Header> headers;
  const char* client;
};

TEST(ClientAddress, IsTheRightMostUntrustedHopAndWithoutATrustedPeerThePeer) {
  const std::vector<Case> cases = {
      {"no header", "10.0.0.1", {}, "10.0.0.1"},
      {"no trusted peer", "192.0.2.9", {{"X-Forwarded-For", "203.0.113.5"}}, "192.0.2.9"},
      {"no trusted peer", "192.0.2.9", {{"Forwarded", "for=203.0.113.5"}}, "192.0.2.9"},
      {"v6 is not v4", "::10", {{"X-Forwarded-For", "203.0.113.5"}}, "::10"},
      {"one hop", "10.0.0.1", {{"X-Forwarded-For", "203.0.113.5"}}, "203.0.113.5"},
      {"any case", "10.0.0.1", {{"x-forwarded-for", "203.0.113.5"}}, "203.0.113.5"},
      {"v6 proxy", "fd00::1", {{"X-Forwarded-For", "2001:db8::5"}}, "2001:db8::5"},
      {"spoofed left", "10.0.0.1", {{"X-Forwarded-For", "1.1.1.1, 203.0.113.5"}}, "203.0.113.5"},
      {"two proxies",
       "10.0.0.1",
       {{"X-Forwarded-For", "1.1.1.1,203.0.113.5 , 10.9.9.9"}},
       "203.0.113.5"},
      {"all lines, in order",
       "10.0.0.1",
       {{"X-Forwarded-For", "1.1.1.1"},
        {"Accept", "*/*"},
        {"X-Forwarded-For", "203.0.113.5"},
        {"X-Forwarded-For", "10.0.0.2"}},
       "203.0.113.5"},
      {"spoofed first line",
       "10.0.0.1",
       {{"X-Forwarded-For", "10.0.0.3"}, {"X-Forwarded-For", "203.0.113.5"}},
       "203.0.113.5"},
      {"all trusted", "10.0.0.1", {{"X-Forwarded-For", "10.0.0.7, 10.0.0.8"}}, "10.0.0.7"},
      {"garbage ends it", "10.0.0.1", {{"X-Forwarded-For", "1.1.1.1, unknown"}}, "10.0.0.1"},
      {"garbage ends it at the last believed",
       "10.0.0.1",
       {{"X-Forwarded-For", "1.1.1.1, <script>, 10.0.0.2"}},
       "10.0.0.2"},
      {"empty elements", "10.0.0.1", {{"X-Forwarded-For", ", 203.0.113.5, ,"}}, "203.0.113.5"},
      {"port", "10.0.0.1", {{"X-Forwarded-For", "203.0.113.5:4711"}}, "203.0.113.5"},
      {"odd port", "10.0.0.1", {{"X-Forwarded-For", "203.0.113.5:x"}}, "10.0.0.1"},
      {"v6 port", "10.0.0.1", {{"X-Forwarded-For", "[2001:db8::5]:4711"}}, "2001:db8::5"},
      {"open bracket", "10.0.0.1", {{"X-Forwarded-For", "[2001:db8::5"}}, "10.0.0.1"},
      {"v4 in brackets", "10.0.0.1", {{"X-Forwarded-For", "[203.0.113.5]"}}, "10.0.0.1"},
      {"mapped", "10.0.0.1", {{"X-Forwarded-For", "::ffff:203.0.113.5"}}, "203.0.113.5"},
      {"list beats Forwarded",
       "10.0.0.1",
       {{"Forwarded", "for=198.51.100.1"}, {"X-Forwarded-For", "203.0.113.5"}},
       "203.0.113.5"},
      {"Forwarded", "10.0.0.1", {{"Forwarded", "for=203.0.113.5;proto=https"}}, "203.0.113.5"},
      {"Forwarded, right-most",
       "10.0.0.1",
       {{"Forwarded", "for=1.1.1.1, for=203.0.113.5;by=10.0.0.1"}, {"Forwarded", "For=10.0.0.2"}},
       "203.0.113.5"},
      {"Forwarded, quoted v6",
       "10.0.0.1",
       {{"Forwarded", R"(proto=http; for="[2001:db8::5]:4711")"}},
       "2001:db8::5"},
      {"Forwarded, separators in quotes",
       "10.0.0.1",
       {{"Forwarded", R"(for=1.1.1.1, for=203.0.113.5;ext="a,for=1.2.3.4;\",b")"}},
       "203.0.113.5"},
      {"Forwarded, a quote left open by the client",
       "10.0.0.1",
       {{"Forwarded", R"(for="1.1.1.1, for=203.0.113.5)"}},
       "203.0.113.5"},
      {"Forwarded, hidden", "10.0.0.1", {{"Forwarded", "for=1.1.1.1, for=_secret"}}, "10.0.0.1"},
      {"Forwarded, unknown", "10.0.0.1", {{"Forwarded", "for=unknown"}}, "10.0.0.1"},
      {"Forwarded, no for", "10.0.0.1", {{"Forwarded", "for=1.1.1.1, by=10.0.0.2"}}, "10.0.0.1"},
      {"Forwarded, twice for", "10.0.0.1", {{"Forwarded", "for=1.1.1.1;for=2.2.2.2"}}, "10.0.0.1"},
  };
  for (const auto& row : cases) {
    const auto client = client_address(*IpAddress::parse(row.peer), row.headers, proxies());
    EXPECT_EQ(client, *IpAddress::parse(row.client)) << row.what << ", from " << row.peer;
  }
}

TEST(ClientAddress, NoHeaderMovesItWhenNobodyIsTrusted) {
  const std::vector<Header> headers = {{"X-Forwarded-For", "203.0.113.5"},
                                       {"Forwarded", "for=203.0.113.5"},
                                       {"X-Real-IP", "203.0.113.5"}};
  const auto peer = *IpAddress::parse("10.0.0.1");
  EXPECT_EQ(client_address(peer, headers, {}), peer);
}

TEST(Client, GivesUpAfterItsTime) {
  const Descriptor silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto endpoint = endpoint_of(*IpAddress::parse("127.0.0.1"), 0);
  ASSERT_EQ(bind(silent.get(), endpoint.get(), endpoint.size), 0);
  ASSERT_EQ(listen(silent.get(), 1), 0);
  ASSERT_EQ(getsockname(silent.get(), endpoint.get(), &endpoint.size), 0);
  const auto late = http::get("127.0.0.1", port_of(endpoint), "/", 50ms);
  EXPECT_EQ(late.error().code, Code::unavailable);
}

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
    "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";

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

// The empty line that ends it counts too; what comes in pieces waits no longer than a whole one.
TEST(RequestParser, TrailerMayBeSoLargeAndNoLarger) {
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  const auto trailer = [](std::size_t size) {
    return "A: " + std::string(size - 7, 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(read_whole(head + trailer(kHeaderBytesMax)), "POST /? []; ");
  EXPECT_EQ(read_whole(head + trailer(kHeaderBytesMax + 1)), "headers_too_large");
  const auto long_one = trailer(2 * kHeaderBytesMax);
  EXPECT_EQ(read_whole(head + long_one.substr(0, kHeaderBytesMax - 10)), "");
  EXPECT_EQ(read_whole(head + long_one.substr(0, kHeaderBytesMax)), "headers_too_large");
}

}  // namespace
}  // namespace nando::http
