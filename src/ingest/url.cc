#include "ingest/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <locale.h>

#include <algorithm>
#include <array>
#include <clocale>

#include "base/assert.h"
#include "model/site.h"

namespace nando {

namespace {

constexpr bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

constexpr bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string_view trim_spaces(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

// libcurl gives libidn2 text in the thread's locale, and a server's locale is "C". While one of
// these lives, this thread's character type is UTF-8.
class Utf8Locale {
 public:
  Utf8Locale()
      : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)),
        before_(locale_ == nullptr ? nullptr : uselocale(locale_)) {}
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    if (locale_ == nullptr) return;
    uselocale(before_);
    freelocale(locale_);
  }

 private:
  locale_t locale_;
  locale_t before_;
};

// "[0:0::1]" -> "[::1]"
bool tidy_v6(std::string& host) {
  if (host.size() < 2 || host.back() != ']') return false;
  in6_addr address{};
  if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) != 1) return false;
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(AF_INET6, &address, text.data(), text.size());
  host = "[" + std::string(text.data()) + "]";
  return true;
}

// Whether a host claims to be an IPv4 address, as browsers see it: its last label is a number.
bool ends_in_number(std::string_view host) {
  auto label = host.substr(host.rfind('.') + 1);
  const bool is_hex = label.starts_with("0x");
  if (is_hex) label.remove_prefix(2);
  return std::all_of(label.begin(), label.end(),
                     [&](char c) { return is_hex ? hex_value(c) >= 0 : c >= '0' && c <= '9'; });
}

// libcurl gave every IPv4 address its usual form, or took it for a name.
bool is_v4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > kHostBytesMax) return false;
  char before = '.';
  for (const char c : host) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                      (c == '.' && before != '.');
    if (!fits) return false;
    before = c;
  }
  return before != '.';
}

}  // namespace

void put_escape(std::string& to, char byte) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  to += '%';
  to += kHex[value >> 4];
  to += kHex[value & 15];
}

void UrlReader::Free::operator()(CURLU* handle) const {
  curl_url_cleanup(handle);
}

void UrlReader::Free::operator()(char* text) const {
  curl_free(text);
}

UrlReader::UrlReader() : handle_(curl_url()) {
  ASSERT(handle_ != nullptr);
}

const UrlParts* UrlReader::read(std::string_view text) {
  if (!tidy(trim_spaces(text))) return nullptr;
  // With the last URL still in it, the handle would take "/a" for a part of that one.
  curl_url_set(handle_.get(), CURLUPART_SCHEME, nullptr, 0);
  const auto set = curl_url_set(handle_.get(), CURLUPART_URL, tidied_.c_str(),
                                CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME);
  if (set != CURLUE_OK || !take_host()) return nullptr;
  const auto take = [&](CURLUPart part, Text& into) -> std::string_view {
    char* value = nullptr;
    const auto got = curl_url_get(handle_.get(), part, &value, 0);
    into.reset(value);
    return got == CURLUE_OK ? std::string_view(value) : std::string_view();
  };
  parts_ = {.scheme = take(CURLUPART_SCHEME, scheme_),
            .host = host_,
            .port = take(CURLUPART_PORT, port_),
            .path = take(CURLUPART_PATH, path_),
            .query = take(CURLUPART_QUERY, query_)};
  return &parts_;
}

// `text` without its fragment and with escapes and backslashes as promised, into tidied_. False if
// it has a control character.
bool UrlReader::tidy(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_control)) return false;
  text = text.substr(0, text.find('#'));
  tidied_.clear();
  bool in_query = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    in_query |= c == '?';
    if (c == '\\' && !in_query) {
      tidied_ += '/';
    } else if (c != '%') {
      tidied_ += c;
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = high < 0 ? -1 : hex_value(text[i + 2]);
      const bool is_escape = low >= 0;
      const char byte = is_escape ? static_cast<char>(high << 4 | low) : '%';
      if (is_escape && is_unreserved(byte)) {
        tidied_ += byte;
      } else {
        put_escape(tidied_, byte);
      }
      if (is_escape) i += 2;
    }
  }
  return true;
}

// The host as promised, into host_. False if it is no host.
bool UrlReader::take_host() {
  char* value = nullptr;
  auto got = curl_url_get(handle_.get(), CURLUPART_HOST, &value, 0);
  Text host(value);
  if (got != CURLUE_OK) return false;
  host_ = host.get();
  if (std::any_of(host_.begin(), host_.end(), [](char c) { return (c & 0x80) != 0; })) {
    const Utf8Locale locale;
    value = nullptr;
    got = curl_url_get(handle_.get(), CURLUPART_HOST, &value, CURLU_PUNYCODE);
    host.reset(value);
    if (got != CURLUE_OK) return false;
    host_ = host.get();
  }
  std::transform(host_.begin(), host_.end(), host_.begin(), ascii_lower);
  if (host_.starts_with('[')) return tidy_v6(host_);
  if (host_.ends_with('.')) host_.pop_back();
  return is_host_name(host_) && (!ends_in_number(host_) || is_v4(host_));
}

}  // namespace nando
