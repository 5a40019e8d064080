#include "ingest/page_url.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/assert.h"
#include "ingest/tables/query_names.h"
#include "model/beacon.h"

namespace nando {

namespace {

constexpr std::array<bool, 256> allow(std::string_view marks) {
  std::array<bool, 256> allowed{};
  for (char c = '0'; c <= '9'; ++c) allowed[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) allowed[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) allowed[static_cast<unsigned char>(c)] = true;
  for (const char c : marks) allowed[static_cast<unsigned char>(c)] = true;
  return allowed;
}

// What stands as it is (RFC 3986, pchar and '/'; in a query also '?'); all else is escaped. '%' is
// here because UrlReader leaves none that begins no escape.
constexpr auto kPathAllowed = allow("-._~!$&'()*+,;=:@/%");
constexpr auto kQueryAllowed = allow("-._~!$&'()*,;=:@/?%");

void put_escaped(std::string& to, std::string_view text, const std::array<bool, 256>& allowed) {
  for (const char c : text) {
    if (allowed[static_cast<unsigned char>(c)]) {
      to += c;
    } else {
      put_escape(to, c);
    }
  }
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_value(text[i + 2]);
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high << 4 | low);
      i += 2;
    }
  }
  return out;
}

// As query_names.h compares names: "amp;user%5BEmail%5D" -> "email".
std::string plain_name(std::string_view name) {
  auto plain = percent_decoded(name);
  std::transform(plain.begin(), plain.end(), plain.begin(), ascii_lower);
  while (plain.starts_with("amp;")) plain.erase(0, 4);
  while (plain.ends_with("[]")) plain.resize(plain.size() - 2);
  if (plain.ends_with(']')) {
    plain.pop_back();
    plain.erase(0, plain.rfind('[') + 1);
  }
  return plain;
}

template <std::size_t n>
bool has(const std::array<std::string_view, n>& table, std::string_view name) {
  return std::find(table.begin(), table.end(), name) != table.end();
}

struct Parameter {
  std::string_view whole;  // "name=value", or "name".
  std::string_view name;
};

// How often a URL is looked for inside the value of another's parameter. What is wrapped deeper
// cannot be read here and is not kept.
constexpr int kNestingMax = 4;

// Whether a parameter holds, somewhere, one with a secret name, in any depth of escapes:
// "next=/a?token=..."
bool holds_secret(std::string_view parameter) {
  if (parameter.find_first_of("%?&;") == std::string_view::npos) return false;
  std::string text(parameter);
  for (int depth = 0; depth < kNestingMax; ++depth) {
    std::size_t begin = 0;
    while (begin < text.size()) {
      const auto end = std::min(text.find_first_of("?&#;", begin), text.size());
      const auto piece = std::string_view(text).substr(begin, end - begin);
      const auto equals = piece.find('=');
      if (equals != std::string_view::npos && is_secret_name(piece.substr(0, equals))) return true;
      begin = end + 1;
    }
    auto decoded = percent_decoded(text);
    if (decoded == text) return false;
    text = std::move(decoded);
  }
  return true;
}

bool is_kept(const Parameter& parameter, const Site& site) {
  if (parameter.whole.empty()) return false;
  if (is_secret_name(parameter.name) || holds_secret(parameter.whole)) return false;
  if (site.query == QueryRule::keep) return !is_tracking_name(parameter.name);
  const auto& keep = site.query_keep;
  return std::find(keep.begin(), keep.end(), percent_decoded(parameter.name)) != keep.end();
}

Parameter parameter_of(std::string_view piece) {
  const auto equals = std::min(piece.find('='), piece.size());
  const auto name = piece.substr(0, equals);
  const bool has_value = equals + 1 < piece.size();
  return {has_value ? piece : name, name};  // "a=" is "a".
}

// Appends "?..." with what remains of the query, by name; parameters of one name keep their order.
void put_query(std::string& to, std::string_view query, const Site& site) {
  if (site.query == QueryRule::drop || query.empty()) return;
  std::string escaped;
  escaped.reserve(query.size());
  for (const char c : query) {
    if (c == '+') {
      escaped += "%20";  // How forms write a space.
    } else {
      put_escaped(escaped, std::string_view(&c, 1), kQueryAllowed);
    }
  }
  std::vector<Parameter> parameters;
  for (std::size_t begin = 0; begin < escaped.size();) {
    const auto end = std::min(escaped.find('&', begin), escaped.size());
    const auto parameter = parameter_of(std::string_view(escaped).substr(begin, end - begin));
    if (is_kept(parameter, site)) parameters.push_back(parameter);
    begin = end + 1;
  }
  std::stable_sort(parameters.begin(), parameters.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  char separator = '?';
  for (const auto& parameter : parameters) {
    to += separator;
    to += parameter.whole;
    separator = '&';
  }
}

// Appends one segment of a path, escaped, without its parameters of secret names
// ("a;jsessionid=1" -> "a").
void put_segment(std::string& to, std::string_view segment) {
  auto parameters = std::min(segment.find(';'), segment.size());
  std::string kept(segment.substr(0, parameters));
  while (parameters < segment.size()) {
    const auto end = std::min(segment.find(';', parameters + 1), segment.size());
    const auto whole = segment.substr(parameters, end - parameters);
    const auto parameter = parameter_of(whole.substr(1));
    if (!is_secret_name(parameter.name) && !holds_secret(parameter.whole)) kept += whole;
    parameters = end;
  }
  if (kept == "." || kept == "..") return;  // It would mean something else now.
  to += kept;
}

void put_path(std::string& to, std::string_view path) {
  std::string escaped;
  escaped.reserve(path.size());
  put_escaped(escaped, path, kPathAllowed);
  for (std::size_t begin = 0; begin < escaped.size();) {
    const auto end = std::min(escaped.find('/', begin), escaped.size());
    put_segment(to, std::string_view(escaped).substr(begin, end - begin));
    if (end < escaped.size()) to += '/';
    begin = end + 1;
  }
}

// Appends the host, and the port unless it is one of the two that need not be said.
void put_host(std::string& to, std::string_view host, std::string_view port) {
  to += host;
  if (port.empty() || port == "80" || port == "443") return;
  to += ':';
  to += port;
}

}  // namespace

bool is_tracking_name(std::string_view name) {
  const auto plain = plain_name(name);
  return has(kTrackingNames, plain) ||
         std::any_of(kTrackingPrefixes.begin(), kTrackingPrefixes.end(),
                     [&](auto prefix) { return plain.starts_with(prefix); });
}

bool is_secret_name(std::string_view name) {
  auto plain = plain_name(name);
  std::erase_if(plain, [](char c) { return c == '-' || c == '_' || c == '.' || c == ' '; });
  return has(kSecretNames, plain) ||
         std::any_of(kSecretEndings.begin(), kSecretEndings.end(),
                     [&](auto ending) { return plain.ends_with(ending); });
}

bool is_web(const UrlParts& url) {
  return url.scheme == "http" || url.scheme == "https";
}

std::string_view page_host(const SiteTable& table, const Site& site, std::string_view host) {
  if (!host.starts_with("www.")) return host;
  const auto rest = host.substr(4);
  return table.find(rest) == &site ? rest : host;
}

void spell_page(const UrlParts& url, std::string_view host, const Site& site, std::string& into) {
  into.clear();
  put_host(into, host, url.port);
  const auto path_begins = into.size();
  put_path(into, url.path);
  if (site.trailing_slash == SlashRule::strip) {
    while (into.size() > path_begins + 1 && into.back() == '/') into.pop_back();
  }
  put_query(into, url.query, site);
}

PageKey page_key(const Key128& key, SiteId site, std::string_view spelled) {
  std::array<std::byte, sizeof(std::uint32_t) + kUrlBytesMax> bytes;
  ASSERT(spelled.size() <= kUrlBytesMax);
  store(bytes.data(), site.value);
  std::memcpy(bytes.data() + sizeof site.value, spelled.data(), spelled.size());
  return siphash128(key, Bytes(bytes).first(sizeof site.value + spelled.size()));
}

void spell_referrer(UrlReader& reader, std::string_view referrer, std::string& into) {
  into.clear();
  const auto* url = reader.read(referrer);
  if (url == nullptr || !(is_web(*url) || url->scheme == "android-app")) return;
  into = url->scheme;
  into += "://";
  put_host(into, url->host, url->port);
  const auto path_begins = into.size();
  put_path(into, url->path);
  if (into.size() > kReferrerBytesMax) into.resize(path_begins + 1);
}

}  // namespace nando
