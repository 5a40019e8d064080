#include "sites/host.h"

#include <gtest/gtest.h>

#include "model/site.h"

namespace nando {
namespace {

struct Row {
  std::string text;
  std::string host;  // Empty: refused.
  std::string says;  // In the note, or in the refusal.
};

std::string label(std::size_t bytes) {
  return std::string(bytes, 'a');
}

// 63 + 1 + 63 + 1 + 63 + 1 and the rest: `bytes` in all.
std::string long_name(std::size_t bytes) {
  const auto three = label(63) + "." + label(63) + "." + label(63) + ".";
  return three + label(bytes - three.size());
}

TEST(Host, IsWhatAnOperatorMeansOrRefusedWithWhatIsRight) {
  const Row rows[] = {
      {"blog.example.com", "blog.example.com", ""},
      {"Blog.EXAMPLE.com", "blog.example.com", ""},
      {"example.com.", "example.com", ""},
      {"localhost", "localhost", ""},
      {"my_site.example", "my_site.example", ""},
      {"xn--bcher-kva.example", "xn--bcher-kva.example", ""},
      {"www.example.com", "example.com", "www.example.com is counted with example.com"},
      {"www.com", "www.com", ""},
      {"www.www.example", "www.example", "counted with"},
      {"192.0.2.1", "192.0.2.1", ""},
      {"127.0.0.1", "127.0.0.1", ""},
      {"::1", "[::1]", ""},
      {"[2001:DB8::1]", "[2001:db8::1]", ""},
      {label(63) + ".example", label(63) + ".example", ""},
      {label(64) + ".example", "", "63"},
      {long_name(kHostBytesMax), long_name(kHostBytesMax), ""},
      {long_name(kHostBytesMax + 1), "", "253"},
      {"https://Blog.example.com/", "", "the host in it is blog.example.com"},
      {"https://www.example.com/a?b#c", "", "the host in it is example.com"},
      {"http://user:pw@example.com:8080/a", "", "the host in it is example.com"},
      {"http://[::1]:8080/", "", "the host in it is [::1]"},
      {"//example.com/a", "", "it is a URL"},
      {"example.com/blog", "", "the host in it is example.com"},
      {"example.com:8080", "", "it has a port"},
      {"me@example.com", "", "the host in it is example.com"},
      {"", "", "empty"},
      {"https://", "", "it is a URL"},
      {"a..b", "", "empty"},
      {".example", "", "empty"},
      {"-a.example", "", "hyphen"},
      {"a-.example", "", "hyphen"},
      {"a b.example", "", "letter"},
      {"b\xc3\xbc"
       "cher.example",
       "", "xn--"},
      {std::string("a\0b", 3), "", "letter"},
      {"1.2.3", "", "number"},
      {"256.1.1.1", "", "number"},
      {"7", "", "number"},
      {"a:b:c", "", "port"},
  };
  for (const auto& row : rows) {
    const auto parsed = parse_host(row.text);
    EXPECT_EQ(parsed ? parsed->host : "", row.host) << row.text;
    const auto said = parsed ? parsed->note : parsed.error().message;
    EXPECT_NE(said.find(row.says), std::string::npos) << row.text << ": " << said;
    if (parsed && row.says.empty()) {
      EXPECT_EQ(parsed->note, "") << row.text;
    }
    if (!parsed) {
      EXPECT_EQ(parsed.error().code, Code::invalid) << row.text;
    }
  }
}

TEST(Host, WhatComesOutIsTakenBackUnchanged) {
  for (const auto* text : {"www.example.com", "example.com.", "::1", "[2001:db8::1]", "10.0.0.1"}) {
    const auto once = parse_host(text);
    ASSERT_TRUE(once);
    const auto twice = parse_host(once->host);
    ASSERT_TRUE(twice);
    EXPECT_EQ(twice->host, once->host);
    EXPECT_EQ(twice->note, "");
  }
}

}  // namespace
}  // namespace nando
