// /api/v1/sites, for who is logged in: GET lists the sites and what they count, POST adds one,
// POST /api/v1/sites/set says who may see its numbers; POST /api/v1/sites/test counts a hit of its
// own for one, GET /api/v1/sites/live tells its numbers as they change. GET /api/v1/knocks: hosts
// that send hits and are no site.
#include <algorithm>

#include "handlers/live.h"
#include "handlers/own_answer.h"
#include "handlers/routes.h"
#include "http/query_string.h"

namespace nando {

namespace {

constexpr std::string_view kHost = "host";
constexpr std::string_view kPublicCounts = "public_counts";

void append_site(std::string& body, const Site& site, std::uint64_t hits) {
  body += R"({"host":)";
  append_json_string(body, site.host);
  body += R"(,"hits":)";
  append_json_number(body, hits);
  body += R"(,"public_counts":)";
  body += site.counts == Visibility::open ? "true" : "false";
  body += R"(,"timezone":)";
  append_json_string(body, site.zone.name());
  body += '}';
}

std::uint64_t hits_of(const Ledger& ledger, SiteId site) {
  return ledger.counts(site, PageKey{}).site_shown;
}

OwnAnswer add_site(Api& api, const Fields& fields) {
  SiteDraft draft{.host = field(fields, kHost), .timezone = field(fields, "timezone")};
  draft.counts = field(fields, kPublicCounts) == "true" ? Visibility::open : Visibility::closed;
  const auto added = api.parts().sites_book.add(draft);
  if (!added) return OwnAnswer::refusal(word_of(added.error()), added.error().message);
  api.knocks().forget(added->site.host);
  OwnAnswer answer{.headers = {}, .status = 201, .error = {}};
  append_site(answer.body, added->site, hits_of(api.parts().ledger, added->site.id));
  answer.body += '\n';
  return answer;
}

OwnAnswer set_site(Api& api, const Fields& fields) {
  const auto* const value = field(fields, kPublicCounts) == "true" ? "on" : "off";
  const auto site = api.parts().sites_book.set(field(fields, kHost), "public_counts", value);
  if (!site) return OwnAnswer::refusal(word_of(site.error()), site.error().message);
  OwnAnswer answer;
  append_site(answer.body, *site, hits_of(api.parts().ledger, site->id));
  answer.body += '\n';
  return answer;
}

void write_test(Loop& loop, const PendingAnswer&, std::span<const Outcome> outcomes,
                http::Responder responder) {
  const auto& outcome = outcomes.front();
  if (!was_counted(outcome)) {
    return refuse_own(loop, name_of(outcome.status), std::move(responder));
  }
  OwnAnswer answer;
  answer.body = R"({"site":)";
  append_json_number(answer.body, outcome.site_ordinal);
  answer.body += R"(,"page":)";
  append_json_number(answer.body, outcome.page_ordinal);
  answer.body += "}\n";
  answer_own(loop, answer, std::move(responder));
}

// "https://HOST/", which is a page of that site.
std::string root_of(std::string_view host) {
  return "https://" + std::string(host) + "/";
}

}  // namespace

void handle_sites(Loop& loop, const Call& /*call*/, http::Responder responder) {
  OwnAnswer answer;
  answer.body = R"({"sites":[)";
  // As published: the book may be waiting for the disk.
  std::vector<const Site*> sites;
  for (const auto& site : loop.site_table().all()) sites.push_back(&site);
  std::ranges::sort(
      sites, {}, [](const Site* site) -> const auto& { return site->host; });
  for (const auto* site : sites) {
    if (answer.body.back() == '}') answer.body += ',';
    append_site(answer.body, *site, hits_of(loop.parts().ledger, site->id));
  }
  answer.body += "]}\n";
  answer_own(loop, answer, std::move(responder));
}

void handle_add_site(Loop& loop, const Call& call, http::Responder responder) {
  constexpr std::array kNeeded{kHost};
  answer_later(loop, call, std::move(responder), kNeeded,
               [&api = loop.api()](const Fields& fields) { return add_site(api, fields); });
}

void handle_set_site(Loop& loop, const Call& call, http::Responder responder) {
  constexpr std::array kNeeded{kHost, kPublicCounts};
  answer_later(loop, call, std::move(responder), kNeeded,
               [&api = loop.api()](const Fields& fields) { return set_site(api, fields); });
}

void handle_test_hit(Loop& loop, const Call& call, http::Responder responder) {
  constexpr std::array kNeeded{kHost};
  auto read = read_own(call.request.body, kNeeded);
  if (const auto* error = std::get_if<WireError>(&read)) {
    return refuse_own(loop, error->word, std::move(responder), error->message);
  }
  const auto& fields = std::get<Fields>(read);
  const auto url = root_of(field(fields, kHost));
  const auto id = field(fields, "id");
  Beacon beacon;
  loop.fill(beacon, Door::api_token, call.request);
  beacon.url = url;
  beacon.title = "Test hit";
  beacon.id = id;
  if (!beacon.id.empty() && !is_hit_id(beacon.id)) {
    return refuse_own(loop, "bad_id", std::move(responder));
  }
  auto& batch = loop.gate().batch();
  const auto accepted = loop.ingest().accept(beacon, batch.arena);
  if (const auto* reason = std::get_if<DropReason>(&accepted)) {
    return refuse_own(loop, name_of(*reason), std::move(responder));
  }
  loop.gate().expect({.responder = std::move(responder),
                      .write = write_test,
                      .first = batch.hits.size(),
                      .count = 1,
                      .visibility = Visibility::open});
  batch.hits.push_back(std::get<Hit>(accepted));
}

void handle_site_live(Loop& loop, const Call& call, http::Responder responder) {
  const auto pairs = http::parse_query(call.request.query);
  if (!pairs) return refuse_own(loop, "bad_escape", std::move(responder));
  std::string host;
  for (const auto& [name, value] : *pairs) {
    if (name == kHost) host = value;
  }
  const auto url = root_of(host);
  const auto named = loop.ingest().page_of(url);
  if (const auto* reason = std::get_if<DropReason>(&named)) {
    return refuse_own(loop, name_of(*reason), std::move(responder));
  }
  const auto& page = std::get<Ingest::PageName>(named);
  stream_live(loop, {page.site->id, page.page}, std::move(responder), Audience::own_pages);
}

void handle_knocks(Loop& loop, const Call& /*call*/, http::Responder responder) {
  OwnAnswer answer;
  auto& body = answer.body;
  body = R"({"knocks":[)";
  for (const auto& knock : loop.api().knocks().list()) {
    if (body.back() == '}') body += ',';
    body += R"({"host":)";
    append_json_string(body, knock.host);
    body += R"(,"hits":)";
    append_json_number(body, knock.hits);
    body += R"(,"last":)";
    append_json_string(body, to_string(knock.last));
    body += '}';
  }
  body += "]}\n";
  answer_own(loop, answer, std::move(responder));
}

}  // namespace nando
