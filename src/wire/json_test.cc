#include "wire/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace nando {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonText, StringsComeOutQuotedAndEscaped) {
  EXPECT_EQ(quoted(""), "\"\"");
  EXPECT_EQ(quoted("https://a.example/x?y=1"), "\"https://a.example/x?y=1\"");
  EXPECT_EQ(quoted("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(quoted("\u00fc\U0001f600"), "\"\u00fc\U0001f600\"");
}

// A page URL comes percent-encoded and may hold any bytes; the answer that repeats it is JSON all
// the same.
TEST(JsonText, WhatIsNoUtf8IsReplacedByteByByte) {
  EXPECT_EQ(quoted("\xff"), "\"\ufffd\"");
  EXPECT_EQ(quoted("a\xc0\xaf\u00fc"), "\"a\ufffd\ufffd\u00fc\"");
  EXPECT_EQ(quoted("\xe2\x82"), "\"\ufffd\ufffd\"");
  EXPECT_EQ(quoted("\"\xed\xa0\x80"), "\"\\\"\ufffd\ufffd\ufffd\"");
}

TEST(JsonText, NumbersComeOutWhole) {
  std::string out;
  append_json_number(out, 0);
  out += ' ';
  append_json_number(out, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(out, "0 18446744073709551615");
}

}  // namespace
}  // namespace nando
