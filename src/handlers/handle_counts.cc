// GET /api/v1/counts?url=u&url=v: shown counts and ordinals, from memory. A known site's unseen
// page has 0; a page whose site is unknown, or does not show its counts, has an error in place of
// numbers, and alone it is a 404.
#include "api/loop.h"
#include "handlers/routes.h"
#include "http/query_string.h"

namespace nando {

namespace {

constexpr std::size_t kUrlsMax = 100;

// Appends one element; returns the error's word if there were no numbers to give.
std::optional<std::string_view> append_counts(Loop& loop, const Call& call,
                                              const std::string& url) {
  auto& body = loop.body();
  body += R"({"url":)";
  append_json_string(body, url);
  const auto named = loop.ingest().page_of(url);
  std::optional<std::string_view> error;
  if (const auto* reason = std::get_if<DropReason>(&named)) {
    error = name_of(*reason);
  } else if (const auto& page = std::get<Ingest::PageName>(named);
             !loop.may_read(*page.site, call.request)) {
    error = name_of(DropReason::unknown_site);
  } else {
    const auto counts = loop.parts().ledger.counts(page.site->id, page.page);
    body += R"(,"page":)";
    append_json_number(body, counts.page);
    body += R"(,"site":)";
    append_json_number(body, counts.site);
    body += R"(,"shown":)";
    append_json_number(body, counts.page_shown);
  }
  if (error) {
    body += R"(,"error":")";
    body += *error;
    body += '"';
  }
  body += '}';
  return error;
}

}  // namespace

void handle_counts(Loop& loop, const Call& call, http::Responder responder) {
  const auto pairs = http::parse_query(call.request.query);
  if (!pairs) return loop.refuse("bad_escape", std::move(responder));
  auto& body = loop.body();
  body = R"({"counts":[)";
  std::size_t urls = 0;
  std::optional<std::string_view> error;
  for (const auto& [name, value] : *pairs) {
    if (name != "url") continue;
    if (++urls > kUrlsMax) return loop.refuse("too_many_urls", std::move(responder));
    if (urls > 1) body += ',';
    error = append_counts(loop, call, value);
  }
  if (urls == 0) return loop.refuse("missing_url", std::move(responder));
  if (urls == 1 && error) return loop.refuse(*error, std::move(responder));
  body += "]}\n";
  loop.answer(200, std::move(responder));
}

}  // namespace nando
