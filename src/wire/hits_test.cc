#include "wire/hits.h"

#include <gtest/gtest.h>

namespace nando {
namespace {

constexpr std::string_view kId = "an id of 16 byte";

struct BadRow {
  std::string body;
  std::string_view word;
};

std::string array_of(std::size_t hits) {
  std::string body = "[";
  for (std::size_t i = 0; i < hits; ++i)
    body += std::string(i == 0 ? "" : ",") + R"({"url":"https://a.example/"})";
  return body + "]";
}

std::string with(std::string_view key, std::string_view value) {
  return R"({"url":"https://a.example/",")" + std::string(key) + "\":" + std::string(value) + "}";
}
std::string text_of(std::size_t bytes) {
  return "\"" + std::string(bytes, 'x') + "\"";
}

std::string props_of(std::size_t pairs) {
  std::string body = R"({"url":"https://a.example/","props":{)";
  for (std::size_t i = 0; i < pairs; ++i)
    body += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":\"v\"";
  return body + "}}";
}

TEST(HitReader, ReadsTheSeedsBody) {
  HitReader reader;
  ASSERT_FALSE(reader.read_record(
      R"({"siteUrl":"https://a.example/p","id":"an id of 16 byte","other":[1,{"x":2}]})"));
  ASSERT_EQ(reader.beacons().size(), 1U);
  EXPECT_EQ(reader.beacons()[0].url, "https://a.example/p");
  EXPECT_EQ(reader.beacons()[0].id, kId);
}

TEST(HitReader, ReadsEveryFieldOfAHit) {
  HitReader reader;
  ASSERT_FALSE(reader.read_hits(
      R"({"url":"https://a.example/\u00fc","id":"an id of 16 byte",
          "referrer":"https://b.example/","title":"T","name":"signup",
          "props":{"plan":"pro","n":3,"yes":true,"none":null},"screen":"1x1","language":"de",
          "secret_hash":"000102030405060708090a0b0c0d0e0f","time":1700000000000,
          "ip":"192.0.2.1","user_agent":"curl"})",
      Trust::token));
  const auto& beacon = reader.beacons().front();
  EXPECT_EQ(beacon.url, "https://a.example/\u00fc");
  EXPECT_EQ(beacon.referrer, "https://b.example/");
  EXPECT_EQ(beacon.name, "signup");
  EXPECT_EQ(beacon.language, "de");
  EXPECT_EQ(beacon.user_agent, "curl");
  EXPECT_EQ(beacon.address, IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(beacon.time, UnixTime{std::chrono::milliseconds{1'700'000'000'000}});
  EXPECT_EQ((*beacon.secret_hash)[15], std::byte{15});
  ByteReader props(as_bytes(beacon.props));
  std::string pairs;
  while (!props.rest().empty()) pairs += std::string(as_text(props.sized())) + ";";
  EXPECT_EQ(pairs, "plan;pro;n;3;yes;true;");
}

TEST(HitReader, TakesADateAsTime) {
  HitReader reader;
  ASSERT_FALSE(reader.read_hits(with("time", "\"2023-11-14T23:13:20+01:00\""), Trust::token));
  EXPECT_EQ(reader.beacons()[0].time, UnixTime{std::chrono::milliseconds{1'700'000'000'000}});
}

TEST(HitReader, TakesASecretHashAsBase64Url) {
  EXPECT_TRUE(parse_secret_hash("AAECAwQFBgcICQoLDA0ODw"));
  EXPECT_EQ(parse_secret_hash("AAECAwQFBgcICQoLDA0ODw"),
            parse_secret_hash("000102030405060708090A0B0C0D0E0F"));
  EXPECT_FALSE(parse_secret_hash("000102030405060708090a0b0c0d0e0"));
}

TEST(HitReader, RefusesWhatIsNoRecord) {
  const BadRow rows[] = {
      {"", "not_json"},
      {"{", "not_json"},
      {"nonsense", "not_json"},
      {R"({"siteUrl":"https://a.example/"} and more)", "not_json"},
      {"{\"siteUrl\":\"https://a.example/\xff\"}", "not_utf8"},
      {"[[[[[[[[[]]]]]]]]]", "wrong_type"},
      {R"({"siteUrl":"u","x":[[[[[[[[[[1]]]]]]]]]]})", "too_deep"},
      {"5", "wrong_type"},
      {"\"text\"", "wrong_type"},
      {R"([{"siteUrl":"https://a.example/"}])", "wrong_type"},
      {"{}", "missing_site_url"},
      {R"({"url":"https://a.example/"})", "missing_site_url"},
      {R"({"siteUrl":5})", "wrong_type"},
      {R"({"siteUrl":null})", "wrong_type"},
      {R"({"siteUrl":{"a":1}})", "wrong_type"},
      {R"({"siteUrl":["u"]})", "wrong_type"},
      {R"({"siteUrl":"https://a.example/","id":5})", "wrong_type"},
      {R"({"siteUrl":"https://a.example/","id":"15 bytes of text"})", ""},
      {R"({"siteUrl":"https://a.example/","id":"15 bytes of tex"})", "bad_id"},
      {R"({"siteUrl":"https://a.example/","secret_hash":"short"})", "bad_secret_hash"},
  };
  HitReader reader;
  for (const auto& row : rows) {
    const auto error = reader.read_record(row.body);
    EXPECT_EQ(error ? error->word : "", row.word) << row.body;
  }
}

TEST(HitReader, HoldsEveryLimitAtTheLimitAndOnePast) {
  const auto limit = [](std::string_view key, std::size_t bytes) {
    return std::pair{BadRow{with(key, text_of(bytes)), ""},
                     BadRow{with(key, text_of(bytes + 1)), "text_too_long"}};
  };
  std::vector<BadRow> rows = {
      {array_of(1000), ""},
      {array_of(1001), "too_many_hits"},
      {"[]", "empty_array"},
      {"[5]", "wrong_type"},
      {props_of(kPropsMax), ""},
      {props_of(kPropsMax + 1), "bad_props"},
      {with("props", R"({"k":{"deep":1}})"), "bad_props"},
      {with("props", "5"), "wrong_type"},
      {with("props", "{" + text_of(kPropKeyBytesMax) + ":1}"), ""},
      {with("props", "{" + text_of(kPropKeyBytesMax + 1) + ":1}"), "text_too_long"},
      {with("props", "{\"k\":" + text_of(kPropValueBytesMax) + "}"), ""},
      {with("props", "{\"k\":" + text_of(kPropValueBytesMax + 1) + "}"), "text_too_long"},
      {with("id", text_of(kHitIdBytesMax)), ""},
      {with("id", text_of(kHitIdBytesMax + 1)), "bad_id"},
      {with("time", "-1"), "bad_time"},
      {with("time", "253402300799999"), ""},
      {with("time", "253402300800000"), "bad_time"},
      {with("time", "\"yesterday\""), "bad_time"},
      {with("ip", "\"300.1.1.1\""), "bad_ip"},
      {"{}", "missing_url"},
  };
  for (const auto& [key, bytes] : {std::pair{"referrer", kReferrerBytesMax},
                                   {"title", kTitleBytesMax},
                                   {"name", kEventNameBytesMax},
                                   {"screen", kScreenBytesMax},
                                   {"language", kLanguageBytesMax}}) {
    const auto [at, past] = limit(key, bytes);
    rows.push_back(at);
    rows.push_back(past);
  }
  HitReader reader;
  for (const auto& row : rows) {
    const auto error = reader.read_hits(row.body, Trust::token);
    EXPECT_EQ(error ? error->word : "", row.word) << row.body.substr(0, 100);
  }
}

TEST(HitReader, TakesFromVisitorsOnlyWhatVisitorsMaySay) {
  HitReader reader;
  for (const auto* key : {"time", "ip", "user_agent"}) {
    const auto body =
        with(key, key == std::string_view("time") ? "1700000000000" : "\"192.0.2.1\"");
    EXPECT_EQ(reader.read_hits(body, Trust::visitor)->word, "token_needed") << key;
    EXPECT_FALSE(reader.read_hits(body, Trust::token)) << key;
  }
  EXPECT_EQ(reader.read_hits(array_of(1), Trust::visitor)->word, "token_needed");
  EXPECT_FALSE(reader.read_hits(array_of(1), Trust::token));
}

TEST(HitReader, NothingOfOneBodyIsLeftForTheNext) {
  HitReader reader;
  ASSERT_FALSE(reader.read_hits(props_of(3), Trust::token));
  ASSERT_FALSE(reader.read_hits(with("title", "\"T\""), Trust::token));
  EXPECT_TRUE(reader.beacons().front().props.empty());
  EXPECT_EQ(reader.beacons().size(), 1U);
}

TEST(Json, DepthIsHeldAtTheLimitAndOnePast) {
  const auto nested = [](unsigned levels) {
    return R"({"siteUrl":"https://a.example/","x":)" + std::string(levels - 1, '[') +
           std::string(levels - 1, ']') + "}";
  };
  HitReader reader;
  EXPECT_FALSE(reader.read_record(nested(kJsonDepthMax)));
  EXPECT_EQ(reader.read_record(nested(kJsonDepthMax + 1))->word, "too_deep");
}

TEST(Json, StringsAreWrittenSoThatTheyReadBack) {
  const std::string awkward = "a\"b\\c\n\t\x01 \xc3\xbc </script>";
  std::string out;
  append_json_string(out, awkward);
  HitReader reader;
  ASSERT_FALSE(reader.read_record("{\"siteUrl\":" + out + "}"));
  EXPECT_EQ(reader.beacons().front().url, awkward);
}

}  // namespace
}  // namespace nando
