// Whatever parses, encoded again and parsed again, is the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/query_string.h"

namespace {

std::string encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    out += '%';
    out += kHex[c / 16];
    out += kHex[c % 16];
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto pairs =
      nando::http::parse_query(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!pairs) return 0;
  std::string again;
  for (const auto& [name, value] : *pairs) again += encode(name) + "=" + encode(value) + "&";
  if (nando::http::parse_query(again) != pairs) std::abort();
  return 0;
}
