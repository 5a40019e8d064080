// UrlReader: the parts of a URL that a visitor's browser, or anybody, sent. libcurl's URL API takes
// it apart; around it stands what libcurl leaves to its callers, so that equal URLs have equal
// parts.
//
// Promise
//   - Percent-escapes: two upper-case hex digits; letters, digits and -._~ are never escaped; a '%'
//     that begins no escape is %25. So "%2e%2E" is "..", and dot segments are resolved after that.
//   - Host: lower case, without final dot; names beyond ASCII as punycode (IDNA 2008, by libidn2
//     through libcurl); IPv4 and IPv6 addresses in their one usual form, v6 in brackets, no zone.
//   - A backslash before the query is a slash: browsers read it so, and host must be theirs.
//   - User, password and fragment are gone.
//
// Threads: one.
#pragma once

#include <memory>
#include <string>
#include <string_view>

using CURLU = struct Curl_URL;

namespace nando {

struct UrlParts {
  std::string_view scheme;  // Lower case.
  std::string_view host;
  std::string_view port;   // Digits; empty if the URL names none.
  std::string_view path;   // Begins with '/'; raw but for what is promised above.
  std::string_view query;  // After the '?'; raw likewise.
};

class UrlReader {
 public:
  UrlReader();

  // Nothing if `text` is no absolute URL with a host, or has a control character; spaces at its
  // ends do not matter. What it points to is valid until the next call.
  const UrlParts* read(std::string_view text);

 private:
  struct Free {
    void operator()(CURLU* handle) const;
    void operator()(char* text) const;
  };
  using Text = std::unique_ptr<char, Free>;

  bool tidy(std::string_view text);
  bool take_host();

  std::unique_ptr<CURLU, Free> handle_;
  std::string tidied_;
  std::string host_;
  Text scheme_;
  Text port_;
  Text path_;
  Text query_;
  UrlParts parts_;
};

// The value of a hex digit, or -1.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Appends a byte as %XX.
void put_escape(std::string& to, char byte);

}  // namespace nando
