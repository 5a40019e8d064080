// Query strings, whose request it is, and the client where nobody answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/client_address.h"
#include "http/query_string.h"
#include "http/socket.h"

namespace nando::http {
namespace {

using namespace std::chrono_literals;

using testing::ElementsAre;

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

}  // namespace
}  // namespace nando::http
