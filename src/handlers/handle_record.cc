// POST /nandolytics/record: the seed's own. {"siteUrl": u} in; {"siteUrl": u, "siteHits": "<n>",
// "receipt": r} out.
#include "api/loop.h"
#include "handlers/routes.h"

namespace nando {

namespace {

void answer_counted(Loop& loop, const PendingAnswer& pending, const Outcome& outcome,
                    http::Responder responder) {
  auto& body = loop.body();
  body = R"({"siteUrl":)";
  append_json_string(body, pending.url);
  if (pending.visibility == Visibility::closed) {
    body += "}\n";
    return loop.answer(202, std::move(responder));
  }
  body += R"(,"siteHits":")";
  append_json_number(body, outcome.page_shown);
  body += R"(","receipt":")";
  loop.append_receipt(outcome.receipt);
  body += outcome.status == Outcome::Status::duplicate ? "\",\"duplicate\":true}\n" : "\"}\n";
  loop.answer(200, std::move(responder), loop.hit_header(outcome));
}

void write_answer(Loop& loop, const PendingAnswer& pending, std::span<const Outcome> outcomes,
                  http::Responder responder) {
  const auto& outcome = outcomes.front();
  loop.headers().clear();
  if (!was_counted(outcome)) return loop.answer_uncounted(outcome, std::move(responder));
  if (outcome.on_other_page) return loop.refuse("pages_full", std::move(responder));
  answer_counted(loop, pending, outcome, std::move(responder));
}

}  // namespace

void handle_record(Loop& loop, const Call& call, http::Responder responder) {
  if (const auto error = loop.reader().read_record(call.request.body)) {
    return loop.refuse(error->word, std::move(responder), error->message);
  }
  auto& beacon = loop.reader().beacons().front();
  loop.fill(beacon, Door::seed, call.request);
  auto& batch = loop.gate().batch();
  const auto accepted = loop.ingest().accept(beacon, batch.arena);
  if (const auto* reason = std::get_if<DropReason>(&accepted)) {
    loop.note_refused(*reason, beacon.url);
    return loop.drop(*reason, std::move(responder));
  }
  const auto& hit = std::get<Hit>(accepted);
  loop.gate().expect({.responder = std::move(responder),
                      .write = write_answer,
                      .first = batch.hits.size(),
                      .count = 1,
                      .visibility = loop.visibility(hit.site),
                      .url = batch.arena.keep(beacon.url)});
  batch.hits.push_back(hit);
}

}  // namespace nando
