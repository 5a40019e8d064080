// /api/v1/session, for our own pages: GET says who is logged in, POST logs in (by the set-up token
// of the address that a start prints, or by address and password), DELETE logs out. And POST
// /api/v1/owner: whoever set this server up says who they are.
#include "api/own_page.h"
#include "handlers/own_answer.h"
#include "handlers/routes.h"
#include "ingest/rate_limiter.h"

namespace nando {

namespace {

constexpr std::string_view kEmail = "email";
constexpr std::string_view kPassword = "password";
constexpr std::string_view kSetUpToken = "set_up_token";
constexpr std::array kByPassword{kEmail, kPassword};

OwnAnswer let_in(const ApiParts& parts, const Result<std::string>& text) {
  if (!text) return OwnAnswer::refusal(word_of(text.error()), text.error().message);
  return {.body = "{\"state\":\"in\"}\n", .headers = cookie_line(parts, *text), .error = {}};
}

OwnAnswer log_in(const ApiParts& parts, const Fields& fields) {
  if (fields.contains(kSetUpToken)) {
    return let_in(parts, parts.people.sessions->begin_set_up(field(fields, kSetUpToken)));
  }
  if (const auto error = find_missing(fields, kByPassword)) {
    return OwnAnswer::refusal(error->word, error->message);
  }
  const auto user = parts.people.users->check(field(fields, kEmail), field(fields, kPassword));
  if (!user) return OwnAnswer::refusal("not_let_in");
  return let_in(parts, parts.people.sessions->begin(*user));
}

OwnAnswer make_owner(const ApiParts& parts, const Fields& fields) {
  const auto user = parts.people.users->add_owner(field(fields, kEmail), field(fields, kPassword));
  if (!user) return OwnAnswer::refusal(word_of(user.error()), user.error().message);
  return let_in(parts, parts.people.sessions->begin(*user));
}

}  // namespace

void handle_session(Loop& loop, const Call& call, http::Responder responder) {
  const auto& parts = loop.parts();
  const auto session = session_of(parts, call.request);
  OwnAnswer answer;
  auto& body = answer.body;
  body = R"({"state":")";
  body += session ? "in" : parts.people.users->has_owner() ? "log_in" : "set_up";
  body += R"(","email":)";
  append_json_string(body, session ? session->email : "");
  body += R"(,"public_url":)";
  append_json_string(body, parts.public_url);
  body += R"(,"warnings":)";
  append_json_string(body, session && parts.warnings ? parts.warnings() : "");
  body += "}\n";
  answer_own(loop, answer, std::move(responder));
}

void handle_log_in(Loop& loop, const Call& call, http::Responder responder) {
  const auto& parts = loop.parts();
  const auto client = loop.client(call.request);
  if (!parts.log_in_limiter.take(client, SiteId{}, parts.clock.monotonic())) {
    return refuse_own(loop, "too_many_attempts", std::move(responder));
  }
  answer_later(loop, call, std::move(responder), {},
               [&parts](const Fields& fields) { return log_in(parts, fields); });
}

void handle_log_out(Loop& loop, const Call& call, http::Responder responder) {
  std::vector<std::string> texts;
  for (const auto text : cookie_texts(loop.parts(), call.request)) texts.emplace_back(text);
  answer_later(
      loop, std::move(responder), [&parts = loop.parts(), texts = std::move(texts)]() -> OwnAnswer {
        for (const auto& text : texts) {
          const auto ended = parts.people.sessions->end(text);
          if (ended) continue;
          return OwnAnswer::refusal(word_of(ended.error()), ended.error().message);
        }
        return {.body = "{\"state\":\"log_in\"}\n", .headers = cookie_line(parts, ""), .error = {}};
      });
}

void handle_owner(Loop& loop, const Call& call, http::Responder responder) {
  answer_later(loop, call, std::move(responder), kByPassword,
               [&parts = loop.parts()](const Fields& fields) { return make_owner(parts, fields); });
}

}  // namespace nando
