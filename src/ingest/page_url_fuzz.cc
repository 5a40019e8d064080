// Fuzz: any bytes as a URL. The spelling is ASCII, spells itself, and shows no secret, wherever in
// the query that stands.
#include <algorithm>

#include "base/assert.h"
#include "ingest/page_url.h"

namespace nando {
namespace {

constexpr std::string_view kMarker = "MARKER7f3a";

Site site_of(unsigned choice) {
  Site site;
  site.id = {1};
  site.query = static_cast<QueryRule>(choice % 3);
  site.query_keep = {"id", "token", "next"};
  site.trailing_slash = static_cast<SlashRule>(choice / 3 % 2);
  return site;
}

// Empty if it is no page.
std::string spelled(UrlReader& reader, const std::string& url, const Site& site) {
  std::string text;
  const auto* parts = reader.read(url);
  if (parts != nullptr && is_web(*parts)) spell_page(*parts, parts->host, site, text);
  return text;
}

void check_spelling(UrlReader& reader, const std::string& url, const Site& site) {
  const auto once = spelled(reader, url, site);
  if (once.empty()) return;
  ASSERT(std::all_of(once.begin(), once.end(), [](char c) { return c > 0x20 && c < 0x7f; }));
  ASSERT(once.find('/') != std::string::npos && once.find('#') == std::string::npos);
  ASSERT(spelled(reader, "https://" + once, site) == once);
}

void check_secrets(UrlReader& reader, const std::string& text, const Site& site) {
  const auto pair = "&toKEN=" + std::string(kMarker);
  std::string nested;
  for (const char c : "/?" + text + pair) put_escape(nested, c);
  for (const auto& query :
       {text + pair, "token=" + std::string(kMarker) + "&" + text, "next=" + nested}) {
    ASSERT(spelled(reader, "https://example.com/?" + query, site).find(kMarker) ==
           std::string::npos);
  }
}

}  // namespace
}  // namespace nando

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace nando;
  if (size == 0 || size > 4096) return 0;
  static UrlReader reader;
  const auto site = site_of(data[0]);
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  check_spelling(reader, text, site);
  check_spelling(reader, "https://" + text, site);
  check_spelling(reader, "https://example.com/" + text, site);
  if (text.find(kMarker) == std::string::npos) check_secrets(reader, text, site);
  std::string referrer;
  spell_referrer(reader, text, referrer);
  ASSERT(referrer.find_first_of("?#") == std::string::npos);
  return 0;
}
