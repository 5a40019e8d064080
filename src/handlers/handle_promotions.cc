// GET /api/v1/promotions/{name}: what a stranger needs to check a draw. Field by field:
// docs/reference/api.md.
#include <memory>

#include "api/loop.h"
#include "handlers/routes.h"
#include "ingest/rate_limiter.h"
#include "promotions/desk.h"

namespace nando {

namespace {

using Page = Result<PrizeDesk::Text>;

void answer_page(Loop& loop, const Page& page, http::Responder responder) {
  loop.headers().clear();
  if (!page) {
    const bool unknown = page.error().code == Code::not_found;
    return loop.refuse(unknown ? "unknown_promotion" : "stopping", std::move(responder));
  }
  loop.body() = **page;
  loop.answer(200, std::move(responder));
}

}  // namespace

void handle_promotion(Loop& loop, const Call& call, http::Responder responder) {
  const auto& parts = loop.parts();
  const std::string name(call.rest);
  if (const auto recent = parts.prizes.recent_page(name)) {
    return answer_page(loop, recent, std::move(responder));
  }
  const auto client = loop.client(call.request);
  if (!parts.rate_limiter.take(client, SiteId{}, parts.clock.monotonic())) {
    return loop.refuse("rate_limited", std::move(responder));
  }
  const auto shared = std::make_shared<http::Responder>(std::move(responder));
  const bool taken =
      loop.api().clerk().ask([shared, answerer = &loop, name = std::string(call.rest),
                              mailbox = &loop.mailbox(), desk = &parts.prizes] {
        mailbox->post([shared, answerer, page = desk->page(name)] {
          answer_page(*answerer, page, std::move(*shared));
        });
      });
  if (!taken) loop.refuse("clerk_busy", std::move(*shared));
}

}  // namespace nando
