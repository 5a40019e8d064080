// POST /api/v1/try: the page for trying out asks for the promotion of its button. It is opened when
// somebody on this machine first asks for it, where the page's host is counted.
#include "api/loop.h"
#include "base/entropy.h"
#include "handlers/own_answer.h"
#include "handlers/routes.h"
#include "ingest/rate_limiter.h"
#include "promotions/desk.h"

namespace nando {

void handle_try(Loop& loop, const Call& call, http::Responder responder) {
  const auto& parts = loop.parts();
  // Before the clerk, who lets people in too.
  const auto client = loop.client(call.request);
  if (!parts.rate_limiter.take(client, SiteId{}, parts.clock.monotonic())) {
    return refuse_own(loop, "rate_limited", std::move(responder));
  }
  const auto host = std::string(call.request.header("Host").value_or(""));
  const auto url = "http://" + host + parts.base_path + "/try";
  const auto known = loop.ingest().host_of(url);
  // It is opened for whoever runs this server; others find what is there.
  const auto if_none = loop.is_operator(call.request) ? IfNoTrial::open : IfNoTrial::refuse;
  answer_later(loop, std::move(responder), [&parts, known, if_none]() -> OwnAnswer {
    const bool may_make = if_none == IfNoTrial::open && parts.site_maker != nullptr;
    if (!parts.sites_book.find(known) && may_make) {
      (void)parts.site_maker->make_site(known);
    }
    const auto site = parts.sites_book.find(known);
    if (!site) return OwnAnswer::refusal("unknown_site");
    const auto name = parts.prizes.open_trial(*site, parts.base_path + "/try", if_none);
    if (!name) return OwnAnswer::refusal(word_of(name.error()), name.error().message);
    OwnAnswer answer;
    answer.body = R"({"promotion":)";
    append_json_string(answer.body, *name);
    answer.body += "}\n";
    return answer;
  });
}

}  // namespace nando
