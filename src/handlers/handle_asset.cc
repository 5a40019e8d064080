// GET /js/..., /assets/..., and pages: what browsers get of ours, from memory. Scripts and parts of
// pages are for every origin; pages may load nothing but what is ours.
#include <algorithm>

#include "api/loop.h"
#include "assets/assets.h"
#include "handlers/routes.h"

namespace nando {

namespace {

constexpr std::string_view kPageHeaders =
    "Referrer-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n";
// The policy is for an image that somebody opens as a document; scripts have that of their page.
constexpr std::string_view kPartHeaders =
    "Access-Control-Allow-Origin: *\r\n"
    "Cross-Origin-Resource-Policy: cross-origin\r\n"
    "Content-Security-Policy: default-src 'none'; sandbox\r\n";

constexpr std::string_view kElements = "/js/hit-";

struct Served {
  const Asset* asset;
  Caching caching;
};

// A tracker that a browser has kept names the elements of its own build, which may be gone: it gets
// ours, which are not kept under that name.
Served find(std::string_view path) {
  if (const auto* asset = find_asset(path)) return {asset, asset->caching};
  if (path.starts_with(kElements)) {
    const auto tag = path.substr(0, path.rfind('-') + 1);
    for (const auto& asset : assets()) {
      const bool same = asset.path.substr(0, asset.path.rfind('-') + 1) == tag;
      if (same) return {&asset, Caching::revalidate};
    }
  }
  return {nullptr, Caching::never};
}

std::string_view cache_control(Caching caching) {
  switch (caching) {
    case Caching::forever:
      return "public, max-age=31536000, immutable";
    case Caching::revalidate:
      return "public, max-age=600, stale-while-revalidate=86400";
    case Caching::never:
      break;
  }
  return "no-store";
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool is_wanted(std::string_view parameters) {
  const auto weight = trimmed(parameters);
  return !weight.starts_with("q=") || weight.find_first_of("123456789") != std::string_view::npos;
}

// Of Accept-Encoding, "gzip;q=0.5, br, *;q=0": what is said of gzip counts before what is said of
// any coding.
bool accepts_gzip(const http::Request& request) {
  bool any = false;
  auto rest = request.header("Accept-Encoding").value_or("");
  while (!rest.empty()) {
    const auto coding = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), coding.size() + 1));
    const auto name = coding.substr(0, coding.find(';'));
    const auto parameters = coding.substr(std::min(coding.size(), name.size() + 1));
    if (trimmed(name) == "gzip") return is_wanted(parameters);
    if (trimmed(name) == "*") any = is_wanted(parameters);
  }
  return any;
}

// A tag ends with its quotation mark, so that none is part of another; W/ before it is as good.
bool has_it(const http::Request& request, const Asset& asset) {
  const auto tags = request.header("If-None-Match").value_or("");
  return tags == "*" || tags.find(asset.etag) != std::string_view::npos;
}

}  // namespace

void handle_asset(Loop& loop, const Call& call, http::Responder responder) {
  const auto [asset, caching] = find(loop.path_below_base(call.request.path));
  if (asset == nullptr) return loop.refuse("not_found", std::move(responder));
  const bool packed = !asset->gzip.empty() && accepts_gzip(call.request);
  auto& headers = loop.headers();
  headers = asset->content_type.starts_with("text/html") ? kPageHeaders : kPartHeaders;
  headers += "X-Content-Type-Options: nosniff\r\nVary: Accept-Encoding\r\nCache-Control: ";
  headers += cache_control(caching);
  // Weak: the same page, gzipped or not, has one tag.
  headers += "\r\nETag: W/";
  headers += asset->etag;
  headers += "\r\n";
  if (has_it(call.request, *asset)) {
    return loop.answer_raw(304, {}, headers, {}, std::move(responder));
  }
  if (packed) headers += "Content-Encoding: gzip\r\n";
  loop.answer_raw(200, asset->content_type, headers, packed ? asset->gzip : asset->bytes,
                  std::move(responder));
}

}  // namespace nando
