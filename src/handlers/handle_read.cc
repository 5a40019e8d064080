// GET /nandolytics/{percent-encoded u}: the seed's own. {"siteUrl": u, "siteHits": n}; 404 with
// siteHits 0 for a page that was never counted. A proxy may have decoded the path and merged its
// slashes: /nandolytics/https:/host/path reads the same page.
#include "api/loop.h"
#include "handlers/routes.h"
#include "http/query_string.h"

namespace nando {

namespace {

// Gives back the slash that a proxy merged away: "https:/host" -> "https://host".
void restore_slashes(std::string& url) {
  for (const std::string_view scheme : {"http:/", "https:/"}) {
    if (url.starts_with(scheme) && (url.size() == scheme.size() || url[scheme.size()] != '/')) {
      url.insert(scheme.size(), 1, '/');
      return;
    }
  }
}

}  // namespace

void handle_read(Loop& loop, const Call& call, http::Responder responder) {
  auto url = http::percent_decode(call.rest, http::Plus::is_plus);
  if (!url) return loop.refuse("bad_escape", std::move(responder));
  restore_slashes(*url);
  // A target whose "?" was not encoded: the query is part of the page URL.
  if (!call.request.query.empty()) *url += "?" + std::string(call.request.query);

  const auto named = loop.ingest().page_of(*url);
  std::uint64_t shown = 0;
  bool seen = false;
  if (const auto* reason = std::get_if<DropReason>(&named)) {
    if (*reason != DropReason::unknown_site)
      return loop.refuse(name_of(*reason), std::move(responder));
  } else {
    const auto& page = std::get<Ingest::PageName>(named);
    if (loop.may_read(*page.site, call.request)) {
      const auto counts = loop.parts().ledger.counts(page.site->id, page.page);
      shown = counts.page_shown;
      seen = shown > 0;
    }
  }
  auto& body = loop.body();
  body = R"({"siteUrl":)";
  append_json_string(body, *url);
  body += R"(,"siteHits":)";
  append_json_number(body, shown);
  if (!seen) body += R"(,"error":"not_found","message":"this page was never counted here")";
  body += "}\n";
  loop.answer(seen ? 200 : 404, std::move(responder));
}

}  // namespace nando
