// GET /badge/{host}/{path}.svg: the count of https://host/path as a badge. It shows and never
// counts. Whoever looks at an <img> sees no status and no JSON, so a refusal is a badge too: grey,
// with the error's word for a message.
#include <algorithm>

#include "api/loop.h"
#include "base/assert.h"
#include "embed/badge.h"
#include "embed/badge_options.h"
#include "handlers/routes.h"
#include "http/query_string.h"
#include "prizes/winners.h"

namespace nando {

namespace {

constexpr std::string_view kEnding = ".svg";
constexpr std::string_view kNoPrize = "none";
constexpr std::string_view kByADraw = "by a draw";
constexpr std::string_view kSvg = "image/svg+xml; charset=utf-8";
// GitHub's image proxy asks again only where max-age, no-cache and no-store say so together. The
// policy is for who opens the address itself: then it is a document of this origin, and an inert
// one.
constexpr std::string_view kBadgeHeaders =
    "Access-Control-Allow-Origin: *\r\n"
    "Cache-Control: max-age=0, no-cache, no-store, must-revalidate\r\n"
    "Content-Security-Policy: default-src 'none'; sandbox\r\n"
    "Cross-Origin-Resource-Policy: cross-origin\r\n"
    "X-Content-Type-Options: nosniff\r\n";

struct Wish {
  BadgeOptions options;
  std::string url;  // Of the page.
};

void answer_badge(Loop& loop, unsigned status, const Badge& badge, http::Responder responder) {
  auto& body = loop.body();
  append_badge(body, badge);
  loop.answer_raw(status, kSvg, kBadgeHeaders, body, std::move(responder));
}

void refuse_badge(Loop& loop, std::string_view word, const BadgeOptions& options,
                  http::Responder responder) {
  const auto row = find_error(word);
  ASSERT(row);
  loop.count_refusal(*row);
  std::string message(word);
  std::replace(message.begin(), message.end(), '_', ' ');
  answer_badge(loop, kErrors[*row].status,
               {.label = options.label_or_default(),
                .message = BadgeText::ours(message),
                .color = kBadgeRefusedColor,
                .label_color = options.label_color,
                .style = options.style},
               std::move(responder));
}

// The word of the refusal, if there is one; `wish` then has what was read before.
std::optional<std::string_view> read_wish(const Call& call, Wish& wish) {
  const auto pairs = http::parse_query(call.request.query);
  if (!pairs) return "bad_escape";
  wish.url = "https://";
  wish.url += call.rest.substr(0, call.rest.size() - kEnding.size());
  std::string_view query;
  for (const auto& [name, value] : *pairs) {
    if (name == "query") query = value;
    if (const auto refusal = set_option(wish.options, name, value)) return name_of(*refusal);
  }
  if (!query.empty()) {
    wish.url += '?';
    wish.url += query;
  }
  return std::nullopt;
}

// Where it can be told beforehand which entry wins. Entries, not hits, so that it says how far it
// is and not which number to wait for.
std::string next_prize(Loop& loop, const Ingest::PageName& page, CountFormat format) {
  const auto* promotion = loop.promotion_of(page);
  if (promotion == nullptr) return std::string(kNoPrize);
  const auto& rules = *promotion->rules;
  if (rules.rule == WinRule::instant || rules.rule == WinRule::sealed) return std::string(kByADraw);
  const auto entries = promotion->entries->load(std::memory_order_relaxed);
  const auto next = next_winner(rules, entries);
  return next ? "in " + count_text(*next - entries, format) : std::string(kNoPrize);
}

std::string message_of(Loop& loop, const Ingest::PageName& page, const BadgeOptions& options) {
  if (options.of == BadgeOf::prize) return next_prize(loop, page, options.format);
  const auto counts = loop.parts().ledger.counts(page.site->id, page.page);
  const auto count = options.of == BadgeOf::site ? counts.site_shown : counts.page_shown;
  return count_text(count, options.format);
}

}  // namespace

void handle_badge(Loop& loop, const Call& call, http::Responder responder) {
  if (!call.rest.ends_with(kEnding)) return loop.refuse("not_found", std::move(responder));
  Wish wish;
  if (const auto word = read_wish(call, wish)) {
    return refuse_badge(loop, *word, wish.options, std::move(responder));
  }
  const auto& options = wish.options;
  const auto named = loop.ingest().page_of(wish.url);
  if (const auto* reason = std::get_if<DropReason>(&named)) {
    return refuse_badge(loop, name_of(*reason), options, std::move(responder));
  }
  const auto& page = std::get<Ingest::PageName>(named);
  if (!loop.may_read(*page.site, call.request)) {
    return refuse_badge(loop, "unknown_site", options, std::move(responder));
  }
  answer_badge(loop, 200,
               {.label = options.label_or_default(),
                .message = BadgeText::ours(message_of(loop, page, options)),
                .color = options.color,
                .label_color = options.label_color,
                .style = options.style},
               std::move(responder));
}

}  // namespace nando
