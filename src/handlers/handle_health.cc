// GET /healthz: whether hits can be counted now, from a commit less than a second old. GET /readyz
// and GET /metrics, for operators: where the journal stands, and everything that is counted about
// ourselves.
#include "api/loop.h"
#include "handlers/routes.h"

namespace nando {

void handle_health(Loop& loop, const Call& /*call*/, http::Responder responder) {
  // The answer may come from the committer's thread or the ticking one; the responder stays with
  // its loop.
  auto shared = std::make_shared<http::Responder>(std::move(responder));
  auto* mailbox = &loop.mailbox();
  auto* answerer = &loop;
  loop.parts().health.ask([shared, mailbox, answerer](std::string why_not) {
    mailbox->post([shared, answerer, why_not = std::move(why_not)] {
      auto& body = answerer->body();
      body =
          why_not.empty() ? R"({"status":"counting"})" : R"({"status":"not_counting","message":)";
      if (!why_not.empty()) {
        append_json_string(body, why_not);
        body += '}';
      }
      body += '\n';
      answerer->answer(why_not.empty() ? 200 : 503, std::move(*shared));
    });
  });
}

namespace {

// Counting does not wait for the copy, so it makes no server unready.
void append_copy(std::string& body, const CopyState& copy) {
  body += R"(,"warehouse":{"sequence":)";
  append_json_number(body, copy.sequence);
  body += R"(,"lag":)";
  append_json_number(body, copy.lag);
  body += R"(,"filling":)";
  body += copy.filling ? "true" : "false";
  body += R"(,"problem":)";
  append_json_string(body, copy.problem);
  body += '}';
}

void append_scrub(std::string& body, const ScrubState& scrub) {
  body += R"(,"scrub":{"segments":)";
  append_json_number(body, scrub.segments);
  body += R"(,"last_pass":)";
  append_json_string(body, scrub.last_pass ? to_string(*scrub.last_pass) : "");
  body += R"(,"damage":)";
  append_json_string(body, scrub.damage);
  body += '}';
}

}  // namespace

void handle_ready(Loop& loop, const Call& /*call*/, http::Responder responder) {
  const auto& ledger = loop.parts().ledger;
  const auto failure = ledger.failure();
  const auto warnings = loop.parts().warnings ? loop.parts().warnings() : std::string();
  auto& body = loop.body();
  body = R"({"ready":)";
  body += failure.empty() ? "true" : "false";
  body += R"(,"sequence":)";
  append_json_number(body, ledger.position().sequence.value);
  body += R"(,"failure":)";
  append_json_string(body, failure);
  body += R"(,"recovery":)";
  append_json_string(body, ledger.recovery());
  body += R"(,"warnings":)";
  append_json_string(body, warnings);
  if (loop.parts().warehouse) append_copy(body, loop.parts().warehouse());
  if (loop.parts().scrub) append_scrub(body, loop.parts().scrub());
  body += "}\n";
  loop.answer_raw(failure.empty() ? 200 : 503, "application/json", "Cache-Control: no-store\r\n",
                  body, std::move(responder));
}

void handle_metrics(Loop& loop, const Call& /*call*/, http::Responder responder) {
  MetricsPage page;
  loop.describe_all(page);
  const auto text = page.text();
  loop.answer_raw(200, "text/plain; version=0.0.4; charset=utf-8", "Cache-Control: no-store\r\n",
                  text, std::move(responder));
}

}  // namespace nando
