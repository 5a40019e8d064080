// POST /api/v1/hits: one hit as an object, or with a hits token an array of at most 1,000. Field by
// field: docs/reference/api.md.
#include "api/loop.h"
#include "handlers/routes.h"

namespace nando {

namespace {

void append_counted(Loop& loop, const Outcome& outcome, Visibility visibility) {
  auto& body = loop.body();
  if (visibility == Visibility::closed) {
    body += R"({"counted":true})";
    return;
  }
  body += R"({"page":)";
  if (outcome.on_other_page) {
    body += "null";
  } else {
    append_json_number(body, outcome.page_ordinal);
  }
  body += R"(,"site":)";
  append_json_number(body, outcome.site_ordinal);
  body += R"(,"shown":)";
  append_json_number(body, outcome.page_shown);
  body += R"(,"receipt":")";
  loop.append_receipt(outcome.receipt);
  body += R"(","duplicate":)";
  body += outcome.status == Outcome::Status::duplicate ? "true}" : "false}";
}

void write_one(Loop& loop, const PendingAnswer& pending, std::span<const Outcome> outcomes,
               http::Responder responder) {
  const auto& outcome = outcomes.front();
  loop.headers().clear();
  loop.body().clear();
  if (!was_counted(outcome)) return loop.answer_uncounted(outcome, std::move(responder));
  append_counted(loop, outcome, pending.visibility);
  loop.body() += '\n';
  const bool open = pending.visibility == Visibility::open;
  loop.answer(open ? 200 : 202, std::move(responder),
              open ? loop.hit_header(outcome) : std::string_view());
}

void append_word(std::string& body, std::string_view key, std::string_view word) {
  body += R"({")";
  body += key;
  body += R"(":")";
  body += word;
  body += R"("})";
}

// The first outcome that was refused for now, or may have been lost: then the whole answer is an
// error, and because ids make asking again safe, the caller sends the same array again.
const Outcome* first_refused(std::span<const Outcome> outcomes) {
  for (const auto& outcome : outcomes) {
    const bool is_final = was_counted(outcome) || outcome.status == Outcome::Status::bot ||
                          outcome.status == Outcome::Status::id_reused;
    if (!is_final) return &outcome;
  }
  return nullptr;
}

void write_array(Loop& loop, const PendingAnswer& pending, std::span<const Outcome> outcomes,
                 http::Responder responder) {
  loop.headers().clear();
  if (const auto* refused = first_refused(outcomes))
    return loop.refuse(name_of(refused->status), std::move(responder));
  auto& body = loop.body();
  body = "[";
  std::size_t next = 0;
  for (const auto& slot : pending.slots) {
    if (body.size() > 1) body += ',';
    if (slot) {
      append_word(body, "dropped", name_of(*slot));
      continue;
    }
    const auto& outcome = outcomes[next++];
    if (was_counted(outcome)) {
      append_counted(loop, outcome, Visibility::open);
    } else {
      const bool is_bot = outcome.status == Outcome::Status::bot;
      append_word(body, is_bot ? "dropped" : "error", name_of(outcome.status));
    }
  }
  body += "]\n";
  loop.answer(200, std::move(responder));
}

void take_one(Loop& loop, const std::optional<Token>& token, http::Responder responder) {
  auto& batch = loop.gate().batch();
  const auto accepted = loop.ingest().accept(loop.reader().beacons().front(), batch.arena);
  if (const auto* reason = std::get_if<DropReason>(&accepted)) {
    loop.note_refused(*reason, loop.reader().beacons().front().url);
    return loop.drop(*reason, std::move(responder));
  }
  const auto& hit = std::get<Hit>(accepted);
  if (token && !token->allows(Scope::hits, hit.site))
    return loop.refuse("denied", std::move(responder));
  loop.gate().expect({.responder = std::move(responder),
                      .write = write_one,
                      .first = batch.hits.size(),
                      .count = 1,
                      .visibility = token ? Visibility::open : loop.visibility(hit.site)});
  batch.hits.push_back(hit);
}

void take_array(Loop& loop, const Token& token, http::Responder responder) {
  auto& batch = loop.gate().batch();
  PendingAnswer pending{
      .write = write_array, .first = batch.hits.size(), .visibility = Visibility::open};
  pending.slots.reserve(loop.reader().beacons().size());
  for (const auto& beacon : loop.reader().beacons()) {
    const auto accepted = loop.ingest().accept(beacon, batch.arena);
    if (const auto* reason = std::get_if<DropReason>(&accepted)) {
      pending.slots.emplace_back(*reason);
      continue;
    }
    const auto& hit = std::get<Hit>(accepted);
    if (!token.allows(Scope::hits, hit.site)) {
      pending.slots.emplace_back(
          DropReason::unknown_site);  // To this token there are no other sites.
      continue;
    }
    pending.slots.emplace_back(std::nullopt);
    batch.hits.push_back(hit);
    ++pending.count;
  }
  if (pending.count == 0) return write_array(loop, pending, {}, std::move(responder));
  pending.responder = std::move(responder);
  loop.gate().expect(std::move(pending));
}

}  // namespace

void handle_hits(Loop& loop, const Call& call, http::Responder responder) {
  const auto token = loop.bearer(call.request);
  if (!token && call.request.header("Authorization")) {
    return loop.refuse("token_needed", std::move(responder), "this token is not good here");
  }
  const bool trusted = token && (token->scope == Scope::hits || token->scope == Scope::admin);
  if (token && !trusted)
    return loop.refuse("denied", std::move(responder), "this needs a token of scope hits");
  const auto trust = trusted ? Trust::token : Trust::visitor;
  if (const auto error = loop.reader().read_hits(call.request.body, trust)) {
    return loop.refuse(error->word, std::move(responder), error->message);
  }
  for (auto& beacon : loop.reader().beacons()) {
    loop.fill(beacon, trusted ? Door::api_token : Door::script, call.request);
    beacon.is_of_known_site = token && token->site;
  }
  if (loop.reader().was_array()) return take_array(loop, *token, std::move(responder));
  take_one(loop, token, std::move(responder));
}

}  // namespace nando
