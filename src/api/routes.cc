#include "api/routes.h"

#include <array>

namespace nando {

namespace {

constexpr std::size_t kSmallBody = 128 << 10;
constexpr std::size_t kHitsBody = 2 << 20;
constexpr std::size_t kNoBody = 0;

constexpr std::array kRoutes = {
    // The seed's own two, and below one leading stage segment, as API Gateway has it.
    Route{"POST", "/nandolytics/record", Access::open, kSmallBody, handle_record},
    Route{"GET", "/nandolytics/{...}", Access::open, kNoBody, handle_read},
    Route{"POST", "/{}/nandolytics/record", Access::open, kSmallBody, handle_record},
    Route{"GET", "/{}/nandolytics/{...}", Access::open, kNoBody, handle_read},

    Route{"POST", "/api/v1/hits", Access::open, kHitsBody, handle_hits},
    Route{"GET", "/api/v1/counts", Access::open, kNoBody, handle_counts},
    Route{"GET", "/api/v1/live", Access::open, kNoBody, handle_live},
    Route{"GET", "/hit.gif", Access::open, kNoBody, handle_pixel},

    Route{"GET", "/healthz", Access::open, kNoBody, handle_health},
    Route{"GET", "/api/health", Access::open, kNoBody, handle_health},
    Route{"GET", "/api/heartbeat", Access::open, kNoBody, handle_health},
    Route{"GET", "/readyz", Access::operators, kNoBody, handle_ready},
    Route{"GET", "/metrics", Access::operators, kNoBody, handle_metrics},

    Route{"GET", "/try", Access::trial, kNoBody, handle_try},
    Route{"GET", "/try/try.js", Access::trial, kNoBody, handle_try_script},
    Route{"GET", "/try/try.css", Access::trial, kNoBody, handle_try_style},
    Route{"GET", "/try/icon.svg", Access::trial, kNoBody, handle_try_icon},
};

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

std::span<const Route> routes() {
  return kRoutes;
}

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

Match match_route(std::string_view method, std::string_view path) {
  const auto wanted = method == "HEAD" ? std::string_view("GET") : method;
  Match best;
  // A path that a row spells out in full is that row's: no pattern is more exact. The path of a hit
  // ends here.
  for (const auto& route : kRoutes) {
    if (route.pattern == path && route.method == wanted) {
      best.route = best.place = &route;
      best.allow = route.method;
      return best;
    }
  }
  for (const auto& route : kRoutes) {
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
