// GET /api/v1/live?url=u: the page's numbers as server-sent events, the present ones first, unless
// Last-Event-ID says that they are known. "id" is the page's ordinal; "data" is what is shown.
#include <charconv>

#include "api/loop.h"
#include "handlers/live.h"
#include "handlers/routes.h"
#include "http/query_string.h"

namespace nando {

namespace {

constexpr std::string_view kStreamHeaders =
    "Access-Control-Allow-Origin: *\r\n"
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Accel-Buffering: no\r\n";  // nginx passes each event on at once.
// After a connection that broke, a browser waits so long.
constexpr std::string_view kRetry = "retry: 2000\n\n";

bool knows(const http::Request& request, std::uint64_t ordinal) {
  const auto text = request.header("Last-Event-ID").value_or("");
  std::uint64_t last = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), last);
  return error == std::errc() && end == text.data() + text.size() && last == ordinal;
}

}  // namespace

void stream_live(Loop& loop, const Call& call, const Listeners::WatchedPage& page,
                 http::Responder responder) {
  if (loop.listeners().is_full()) return loop.refuse("too_many_listeners", std::move(responder));
  const auto counts = loop.parts().ledger.counts(page.site, page.key);
  auto& body = loop.body();
  body = kRetry;
  if (!knows(call.request, counts.page)) Listeners::append_event(counts, body);
  loop.listeners().listen(page, counts,
                          responder.stream({200, "text/event-stream", kStreamHeaders, body}));
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
  stream_live(loop, call, {page.site->id, page.page}, std::move(responder));
}

}  // namespace nando
