#include "api/loop.h"

#include <algorithm>
#include <array>

#include "api/own_page.h"
#include "base/assert.h"
#include "http/client_address.h"
#include "ingest/rate_limiter.h"
#include "sites/host.h"

namespace nando {

namespace {

constexpr std::string_view kPublicHeaders =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Expose-Headers: Nandolytics-Hit, Nandolytics-Dropped, Retry-After\r\n"
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kRetryAfterSeconds = "1";
// A request that a proxy passed on carries one of these, also where trusted_proxies was forgotten.
constexpr std::array<std::string_view, 7> kProxyHeaders = {
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via",
    "CF-Connecting-IP"};

Audience audience_of(Access access) {
  return access == Access::own_page || access == Access::owner ? Audience::own_pages
                                                               : Audience::everybody;
}

}  // namespace

Loop::Loop(Api& api, http::Mailbox& mailbox)
    : api_(api),
      mailbox_(mailbox),
      clock_(api.parts().clock),
      ingest_({api.parts().sites, api.parts().rate_limiter, api.parts().salts,
               api.parts().ledger.hash_key(), clock_, api.parts().site_maker,
               &api.parts().ledger.promotions(), &api.parts().entrant_key}),
      tokens_(api.parts().tokens),
      sites_(api.parts().sites),
      promotions_(api.parts().ledger.promotions()),
      gate_(*this, api.parts().committer, mailbox),
      listeners_(api.parts().ledger, api.parts().clock) {
  api_.enter(this);
}

Loop::~Loop() {
  api_.leave(this);
}

std::string_view Loop::path_below_base(std::string_view path) const {
  const auto& base = parts().base_path;
  const bool below = !base.empty() && path.starts_with(base) && path.size() > base.size() &&
                     path[base.size()] == '/';
  return below ? path.substr(base.size()) : path;
}

std::size_t Loop::body_bytes_max(const http::Request& head) {
  const auto match = match_route(parts().routes, head.method, path_below_base(head.path));
  return match.route == nullptr ? kStrayBodyBytesMax : match.route->body_bytes_max;
}

void Loop::on_request(const http::Request& request, http::Responder responder) {
  body_.clear();
  headers_.clear();
  const auto match = match_route(parts().routes, request.method, path_below_base(request.path));
  if (match.place == nullptr && request.path == parts().base_path) {
    // Links are relative to the page, so it is a folder.
    headers_ = "Location: " + parts().base_path + "/\r\nCache-Control: no-store\r\n";
    return responder.send({308, {}, headers_, {}});
  }
  if (match.place == nullptr || !is_there(match.place->access)) {
    return refuse("not_found", std::move(responder));
  }
  if (request.method == "OPTIONS") return preflight(request, match, std::move(responder));
  if (match.route == nullptr) {
    headers_ = "Allow: " + match.allow + ", OPTIONS\r\n";
    return refuse("method_not_allowed", std::move(responder), "this address takes " + match.allow,
                  audience_of(match.place->access));
  }
  if (const auto word = refusal(match.route->access, request); !word.empty()) {
    return refuse(word, std::move(responder), {}, audience_of(match.route->access));
  }
  match.route->handle(*this, {request, match.rest}, std::move(responder));
  gate_.flush_if_large();
}

bool Loop::is_there(Access access) const {
  return access != Access::trial || parts().trial == TrialPage::shown;
}

// The word it is refused with; empty if it may.
std::string_view Loop::refusal(Access access, const http::Request& request) {
  const bool changes = request.method != "GET" && request.method != "HEAD";
  switch (access) {
    case Access::open:
    case Access::trial:
      return {};
    case Access::operators:
      return is_operator(request) ? std::string_view() : "token_needed";
    case Access::own_page:
      return !changes || is_from_own_page(parts(), request) ? std::string_view() : "foreign_origin";
    case Access::owner:
      break;
  }
  if (session_of(parts(), request)) {
    return !changes || is_from_own_page(parts(), request) ? std::string_view() : "foreign_origin";
  }
  const auto token = bearer(request);
  return token && token->allows_everywhere(Scope::admin) ? std::string_view() : "log_in_needed";
}

bool Loop::is_operator(const http::Request& request) {
  const bool passed_on = std::any_of(kProxyHeaders.begin(), kProxyHeaders.end(),
                                     [&](auto name) { return request.header(name).has_value(); });
  if (client(request).is_loopback() && !passed_on) return true;
  const auto token = bearer(request);
  return token && token->allows_everywhere(Scope::stats);
}

void Loop::note_refused(DropReason reason, std::string_view url) {
  if (reason != DropReason::unknown_site) return;
  const auto host = ingest_.host_of(url);
  const auto name = parse_host(host);
  if (name && name->host == host) api_.knocks().note(host, parts().clock.now());
}

void Loop::preflight(const http::Request& request, const Match& match, http::Responder responder) {
  headers_ = "Allow: " + match.allow + ", OPTIONS\r\n";
  if (match.place->access != Access::open) return responder.send({204, {}, headers_, {}});
  headers_ += kPublicHeaders;
  headers_ +=
      "Access-Control-Allow-Methods: " + match.allow + "\r\nAccess-Control-Max-Age: 86400\r\n";
  if (const auto asked = request.header("Access-Control-Request-Headers")) {
    headers_ += "Access-Control-Allow-Headers: ";
    headers_ += *asked;
    headers_ += "\r\nVary: Access-Control-Request-Headers\r\n";
  }
  responder.send({204, {}, headers_, {}});
}

IpAddress Loop::client(const http::Request& request) const {
  return http::client_address(request.peer, request.headers, parts().trusted_proxies);
}

std::optional<Token> Loop::bearer(const http::Request& request) {
  constexpr std::string_view kBearer = "bearer ";
  const auto header = request.header("Authorization");
  if (!header || header->size() <= kBearer.size()) return std::nullopt;
  const bool is_bearer = std::equal(kBearer.begin(), kBearer.end(), header->begin(),
                                    [](char want, char got) { return want == (got | 0x20); });
  return is_bearer ? tokens_.check(header->substr(kBearer.size())) : std::nullopt;
}

const RunningPromotion* Loop::promotion_of(const Ingest::PageName& page) {
  const auto* found = promotions_.get().covering(page.site->id, page.url);
  const auto now = parts().clock.now();
  const bool is_open = found != nullptr && now >= found->rules->opens && now < found->rules->closes;
  return is_open ? found : nullptr;
}

Visibility Loop::visibility(SiteId id) {
  const auto* site = sites_.get().find(id);
  return site == nullptr ? Visibility::closed : site->counts;
}

bool Loop::may_read(const Site& site, const http::Request& request) {
  if (site.counts == Visibility::open) return true;
  const auto token = bearer(request);
  return token && token->allows(Scope::stats, site.id);
}

void Loop::fill(Beacon& beacon, Door door, const http::Request& request) const {
  beacon.door = door;
  if (beacon.address.family == IpAddress::Family::none) beacon.address = client(request);
  bool passed_on = false;
  const bool has_agent = !beacon.user_agent.empty();
  for (const auto& header : request.headers) {
    switch (header.name.size()) {
      case 5:
        if (header.is("x-moz") && beacon.sec_purpose.empty()) beacon.sec_purpose = header.value;
        break;
      case 6:
        if (header.is("origin")) beacon.origin = header.value;
        break;
      case 7:
        if (header.is("referer")) beacon.referer = header.value;
        if (header.is("purpose") && beacon.sec_purpose.empty()) beacon.sec_purpose = header.value;
        break;
      case 9:
        if (header.is("x-purpose") && beacon.sec_purpose.empty()) beacon.sec_purpose = header.value;
        if (header.is("forwarded") || header.is("x-real-ip")) passed_on = true;
        break;
      case 10:
        if (!has_agent && header.is("user-agent")) beacon.user_agent = header.value;
        break;
      case 11:
        if (header.is("sec-purpose")) beacon.sec_purpose = header.value;
        break;
      case 15:
        if (header.is("x-forwarded-for")) passed_on = true;
        break;
      default:
        break;
    }
  }
  // Headers that did not move the address. Behind a trusted proxy they do, and this costs nothing.
  if (passed_on && beacon.address == request.peer) api_.proxy_watch_.saw(request.peer);
}

void Loop::answer(unsigned status, http::Responder responder, std::string_view headers) {
  if (headers.data() != headers_.data()) headers_ = headers;
  headers_ += kPublicHeaders;
  responder.send({status, kJson, headers_, body_});
}

void Loop::answer_raw(unsigned status, std::string_view content_type, std::string_view headers,
                      std::string_view body, http::Responder responder) {
  responder.send({status, content_type, headers, body});
}

void Loop::refuse(std::string_view word, http::Responder responder, std::string_view message,
                  Audience audience) {
  const auto row = find_error(word);
  ASSERT(row);
  const auto& error = kErrors[*row];
  count_refusal(*row);
  body_ = R"({"error":")";
  body_ += word;
  body_ += R"(","message":)";
  append_json_string(body_, message.empty() ? error.message : message);
  body_ += "}\n";
  if (error.retry == Retry::later) {
    headers_ += "Retry-After: ";
    headers_ += word == "rate_limited" ? std::to_string(parts().rate_limiter.retry_after().count())
                                       : kRetryAfterSeconds;
    headers_ += "\r\n";
  }
  if (error.status == 401) headers_ += "WWW-Authenticate: Bearer\r\n";
  if (audience == Audience::own_pages) {
    headers_ += kOwnHeaders;
    responder.send({error.status, kJson, headers_, body_});
  } else {
    answer(error.status, std::move(responder), headers_);
  }
  headers_.clear();
}

void Loop::drop(std::string_view word, http::Responder responder) {
  headers_ = "Nandolytics-Dropped: ";
  headers_ += word;
  headers_ += "\r\n";
  refuse(word, std::move(responder));
}

void Loop::answer_uncounted(const Outcome& outcome, http::Responder responder) {
  const auto word = name_of(outcome.status);
  if (outcome.status == Outcome::Status::bot) return drop(word, std::move(responder));
  refuse(word, std::move(responder));
}

void Loop::on_bad_request(unsigned status, std::string_view word, std::string_view message,
                          std::string& body) {
  (void)status;
  if (const auto row = find_error(word)) count_refusal(*row);
  body = R"({"error":")";
  body += word;
  body += R"(","message":)";
  append_json_string(body, message);
  body += "}\n";
}

std::string_view Loop::bad_request_headers() const {
  return kPublicHeaders;
}

void Loop::append_receipt(const Receipt& receipt) {
  if (keys_ == nullptr) hold_keys();
  if (keys_->find(receipt.key) == nullptr) return;
  const auto at = body_.size();
  body_.resize(at + kReceiptTextBytes);
  sealer_.seal(receipt, *keys_, body_.data() + at);
}

std::string_view Loop::hit_header(const Outcome& outcome) {
  headers_ = "Nandolytics-Hit: page=";
  append_json_number(headers_, outcome.page_ordinal);
  headers_ += "; site=";
  append_json_number(headers_, outcome.site_ordinal);
  headers_ += "\r\n";
  return headers_;
}

void Loop::describe(MetricsPage& page, const std::string& label) const {
  listeners_.describe(page, label);
  for (std::size_t i = 0; i < kErrors.size(); ++i) {
    const auto count = refusals_[i].load(std::memory_order_relaxed);
    page.counter("nandolytics_refusals_total", "Requests answered with an error, by its word.",
                 static_cast<double>(count),
                 {{"error", std::string(kErrors[i].word)}, {"loop", label}});
  }
  for (const auto& [step, reason, beacons] : ingest_.refusals()) {
    page.counter(
        "nandolytics_dropped_total", "Beacons that became no hit, by step and reason.",
        static_cast<double>(beacons),
        {{"step", std::string(step)}, {"reason", std::string(name_of(reason))}, {"loop", label}});
  }
}

}  // namespace nando
