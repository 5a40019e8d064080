// GET /api/v1/live?url=u: the page's numbers as server-sent events, the present ones first,
// whatever Last-Event-ID says: the site's number may be new where the page's is not. "id" is the
// page's ordinal; "data" is what is shown.
#include "api/loop.h"
#include "handlers/live.h"
#include "handlers/routes.h"
#include "http/query_string.h"

namespace nando {

namespace {

constexpr std::string_view kPublicHeaders = "Access-Control-Allow-Origin: *\r\n";
constexpr std::string_view kStreamHeaders =
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Accel-Buffering: no\r\n";  // nginx passes each event on at once.
// After a connection that broke, a browser waits so long.
constexpr std::string_view kRetry = "retry: 2000\n\n";

}  // namespace

void stream_live(Loop& loop, const Listeners::WatchedPage& page, http::Responder responder,
                 Audience audience) {
  if (loop.listeners().is_full()) {
    return loop.refuse("too_many_listeners", std::move(responder), {}, audience);
  }
  const auto counts = loop.parts().ledger.counts(page.site, page.key);
  auto& body = loop.body();
  body = kRetry;
  Listeners::append_event(counts, body);
  auto& headers = loop.headers();
  headers = audience == Audience::everybody ? kPublicHeaders : std::string_view();
  headers += kStreamHeaders;
  loop.listeners().listen(page, counts,
                          responder.stream({200, "text/event-stream", headers, body}));
}

void handle_live(Loop& loop, const Call& call, http::Responder responder) {
  const auto pairs = http::parse_query(call.request.query);
  if (!pairs) return loop.refuse("bad_escape", std::move(responder));
  std::string_view url;
  for (const auto& [name, value] : *pairs) {
    if (name == "url") url = value;
  }
  if (url.empty()) return loop.refuse("missing_url", std::move(responder));
  const auto named = loop.ingest().page_of(url);
  if (const auto* reason = std::get_if<DropReason>(&named)) {
    return loop.refuse(name_of(*reason), std::move(responder));
  }
  const auto& page = std::get<Ingest::PageName>(named);
  if (!loop.may_read(*page.site, call.request)) {
    return loop.refuse("unknown_site", std::move(responder));
  }
  stream_live(loop, {page.site->id, page.page}, std::move(responder));
}

}  // namespace nando
