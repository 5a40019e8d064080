#include "api/route.h"

namespace nando {

namespace {

// Takes the next segment off `path`, which begins with a slash or is empty.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

// How exact a pattern is: of two that match, the one whose first differing segment is more exact
// wins.
int exactness(std::string_view segment) {
  return segment == "{...}" ? 0 : segment == "{}" ? 1 : 2;
}

bool more_exact(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const int left = exactness(take_segment(a));
    const int right = exactness(take_segment(b));
    if (left != right) return left > right;
  }
  return false;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view path, std::string_view& rest) {
  while (!pattern.empty()) {
    if (path.empty() || path.front() != '/') return false;
    if (pattern == "/{...}") {
      rest = path.substr(1);
      return true;
    }
    const auto wanted = take_segment(pattern);
    const auto segment = take_segment(path);
    if (wanted != "{}" && wanted != segment) return false;
    if (wanted == "{}" && segment.empty()) return false;
  }
  return path.empty();
}

Match match_route(std::span<const Route> routes, std::string_view method, std::string_view path) {
  const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  Match best;
  // A path that a row spells out in full is that row's: no pattern is more exact. The path of a hit
  // ends here.
  for (const auto& route : routes) {
    if (route.pattern == path && route.method == wanted) {
      best.route = best.place = &route;
      best.allow = route.method;
      return best;
    }
  }
  for (const auto& route : routes) {
    std::string_view rest;
    if (!matches(route.pattern, path, rest)) continue;
    if (best.allow.find(route.method) == std::string::npos) {
      best.allow += best.allow.empty() ? "" : ", ";
      best.allow += route.method == "GET" ? "GET, HEAD" : route.method;
    }
    if (best.place == nullptr || more_exact(route.pattern, best.place->pattern)) {
      best.place = &route;
    }
    if (route.method != wanted) continue;
    if (best.route == nullptr || more_exact(route.pattern, best.route->pattern)) {
      best.route = &route;
      best.rest = rest;
    }
  }
  return best;
}

}  // namespace nando
