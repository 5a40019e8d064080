#include "api/own_page.h"

#include <algorithm>

namespace nando {

namespace {

bool is_https(const ApiParts& parts) {
  return parts.public_url.starts_with("https://");
}

std::string_view cookie_name(const ApiParts& parts) {
  return is_https(parts) ? "__Host-nandolytics" : "nandolytics";
}

}  // namespace

std::vector<std::string_view> cookie_texts(const ApiParts& parts, const http::Request& request) {
  std::vector<std::string_view> found;
  const auto name = cookie_name(parts);
  auto rest = request.header("Cookie").value_or("");
  while (!rest.empty()) {
    auto pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    pair.remove_prefix(std::min(pair.size(), pair.find_first_not_of(' ')));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      found.push_back(pair.substr(name.size() + 1));
    }
  }
  return found;
}

std::optional<Session> session_of(const ApiParts& parts, const http::Request& request) {
  for (const auto text : cookie_texts(parts, request)) {
    if (auto session = parts.people.sessions->find(text)) return session;
  }
  return std::nullopt;
}

std::string cookie_line(const ApiParts& parts, std::string_view text) {
  constexpr auto kSeconds = std::chrono::seconds(kSessionLife).count();
  std::string line = "Set-Cookie: ";
  line += cookie_name(parts);
  line += '=';
  line += text;
  line += "; Path=/; HttpOnly; SameSite=Strict; Max-Age=";
  line += std::to_string(text.empty() ? 0 : kSeconds);
  line += is_https(parts) ? "; Secure\r\n" : "\r\n";
  return line;
}

bool is_from_own_page(const ApiParts& parts, const http::Request& request) {
  if (const auto site = request.header("Sec-Fetch-Site")) return *site == "same-origin";
  const auto origin = request.header("Origin");
  const auto scheme = origin ? origin->find("://") : std::string_view::npos;
  if (scheme == std::string_view::npos) return false;
  if (origin->substr(scheme + 3) == request.header("Host").value_or("")) return true;
  const std::string_view url = parts.public_url;
  return !url.empty() && *origin == url.substr(0, url.size() - parts.base_path.size());
}

}  // namespace nando
