// GET /hit.gif?url=u: counts by pixel. Without url it counts the page that the Referer names. The
// picture comes whatever becomes of the hit; status and headers say what did.
#include "api/loop.h"
#include "base/assert.h"
#include "handlers/routes.h"
#include "http/query_string.h"
#include "wire/json.h"

namespace nando {

namespace {

// A transparent GIF89a of one pixel, 43 bytes.
constexpr unsigned char kPixel[] = {
    0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00,
    0x00, 0xff, 0xff, 0xff, 0x21, 0xf9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3b};
static_assert(sizeof kPixel == 43);
constexpr std::string_view kPixelHeaders =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Expose-Headers: Nandolytics-Hit, Nandolytics-Dropped, Retry-After\r\n"
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: sandbox\r\n";

void answer_pixel(Loop& loop, unsigned status, http::Responder responder) {
  loop.headers() += kPixelHeaders;
  loop.answer_raw(status, "image/gif", loop.headers(),
                  {reinterpret_cast<const char*>(kPixel), sizeof kPixel}, std::move(responder));
}

void refuse_pixel(Loop& loop, std::string_view word, http::Responder responder) {
  const auto row = find_error(word);
  ASSERT(row);
  const auto& error = kErrors[*row];
  loop.count_refusal(*row);
  loop.headers() += "Nandolytics-Dropped: ";
  loop.headers() += word;
  loop.headers() += error.retry == Retry::later ? "\r\nRetry-After: 1\r\n" : "\r\n";
  answer_pixel(loop, error.status, std::move(responder));
}

void write_answer(Loop& loop, const PendingAnswer& pending, std::span<const Outcome> outcomes,
                  http::Responder responder) {
  const auto& outcome = outcomes.front();
  loop.headers().clear();
  if (!was_counted(outcome)) {
    return refuse_pixel(loop, name_of(outcome.status), std::move(responder));
  }
  if (pending.visibility == Visibility::open) loop.hit_header(outcome);
  answer_pixel(loop, 200, std::move(responder));
}

}  // namespace

void handle_pixel(Loop& loop, const Call& call, http::Responder responder) {
  const auto pairs = http::parse_query(call.request.query);
  if (!pairs) return loop.refuse("bad_escape", std::move(responder));
  if (call.request.method == "HEAD") return answer_pixel(loop, 200, std::move(responder));
  Beacon beacon;
  for (const auto& [name, value] : *pairs) {
    if (name == "url" && beacon.url.empty()) beacon.url = value;
    if (name == "id") beacon.id = value;
  }
  loop.fill(beacon, Door::pixel, call.request);
  if (beacon.url.empty()) beacon.url = beacon.referer;
  if (beacon.url.empty()) return loop.refuse("missing_url", std::move(responder));
  // An id that came by JSON is UTF-8; so is one that came by query.
  if (!beacon.id.empty() && !(is_hit_id(beacon.id) && is_utf8(beacon.id))) {
    return loop.refuse("bad_id", std::move(responder));
  }
  auto& batch = loop.gate().batch();
  const auto accepted = loop.ingest().accept(beacon, batch.arena);
  if (const auto* reason = std::get_if<DropReason>(&accepted)) {
    loop.note_refused(*reason, beacon.url);
    return refuse_pixel(loop, name_of(*reason), std::move(responder));
  }
  const auto& hit = std::get<Hit>(accepted);
  loop.gate().expect({.responder = std::move(responder),
                      .write = write_answer,
                      .first = batch.hits.size(),
                      .count = 1,
                      .visibility = loop.visibility(hit.site)});
  batch.hits.push_back(hit);
}

}  // namespace nando
