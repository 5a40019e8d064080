#include "http/client_address.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace nando::http {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711".
std::optional<IpAddress> parse_node(std::string_view node) {
  if (node.starts_with('[')) {
    const auto end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto behind = node.substr(end + 1);
    const auto inside = node.substr(1, end - 1);
    if (!behind.empty() && (behind[0] != ':' || !is_port(behind.substr(1)))) return std::nullopt;
    if (inside.find(':') == std::string_view::npos) return std::nullopt;
    return IpAddress::parse(inside);
  }
  const auto colon = node.find(':');
  if (colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos) {
    if (!is_port(node.substr(colon + 1))) return std::nullopt;
    node = node.substr(0, colon);
  }
  return IpAddress::parse(node);
}

// Whether a double quote at `at` is text inside a quoted string rather than one of its ends.
bool is_escaped(std::string_view text, std::size_t at) {
  std::size_t slashes = 0;
  while (slashes < at && text[at - 1 - slashes] == '\\') ++slashes;
  return slashes % 2 == 1;
}

// Cuts the last element off at `separator`. Read from the right, because that end is the nearest
// proxy's: a quote that a client left open further left cannot swallow it.
std::string_view take_last(std::string_view& rest, char separator) {
  bool quoted = false;
  for (std::size_t at = rest.size(); at-- > 0;) {
    if (rest[at] == '"' && !is_escaped(rest, at)) quoted = !quoted;
    if (rest[at] != separator || quoted) continue;
    const auto last = trim(rest.substr(at + 1));
    rest = rest.substr(0, at);
    return last;
  }
  return trim(std::exchange(rest, {}));
}

// for="[2001:db8::1]:4711";proto=https
std::optional<IpAddress> parse_forwarded(std::string_view element) {
  std::optional<IpAddress> out;
  while (!element.empty()) {
    const auto pair = take_last(element, ';');
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || !equal_without_case(pair.substr(0, equals), "for")) {
      continue;
    }
    if (out) return std::nullopt;
    auto node = pair.substr(equals + 1);
    if (node.size() >= 2 && node.front() == '"' && node.back() == '"') {
      node = node.substr(1, node.size() - 2);
    }
    out = parse_node(node);
    if (!out) return std::nullopt;
  }
  return out;
}

bool is_in(const IpAddress& address, std::span<const IpNetwork> networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const auto& network) { return network.contains(address); });
}

}  // namespace

IpAddress client_address(const IpAddress& peer, std::span<const Header> headers,
                         std::span<const IpNetwork> trusted) {
  if (!is_in(peer, trusted)) return peer;
  const auto is_named = [](std::string_view name) {
    return [name](const Header& header) { return equal_without_case(header.name, name); };
  };
  const bool listed = std::any_of(headers.begin(), headers.end(), is_named("X-Forwarded-For"));
  const auto is_line = is_named(listed ? "X-Forwarded-For" : "Forwarded");
  IpAddress client = peer;
  for (auto line = headers.rbegin(); line != headers.rend(); ++line) {
    if (!is_line(*line)) continue;
    for (auto rest = line->value; !rest.empty();) {
      const auto element = take_last(rest, ',');
      if (element.empty()) continue;  // RFC 9110, 5.6.1.2.
      const auto hop = listed ? parse_node(element) : parse_forwarded(element);
      if (!hop) return client;
      client = *hop;
      if (!is_in(client, trusted)) return client;
    }
  }
  return client;
}

}  // namespace nando::http
