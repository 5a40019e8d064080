// POST /api/v1/claims: {"receipt": ..., "secret": ...} in, whether it won out. The same question
// gets the same answer. Field by field: docs/reference/api.md.
#include "api/loop.h"
#include "handlers/own_answer.h"
#include "handlers/routes.h"
#include "ingest/rate_limiter.h"
#include "model/day.h"
#include "prizes/entry_chain.h"
#include "promotions/desk.h"

namespace nando {

namespace {

constexpr std::string_view kReceipt = "receipt";
constexpr std::string_view kSecret = "secret";
constexpr std::array kNeeded{kReceipt, kSecret};

void append_text(std::string& body, std::string_view key, std::string_view value) {
  body += ",\"";
  body += key;
  body += "\":";
  append_json_string(body, value);
}
void append_number(std::string& body, std::string_view key, std::uint64_t value) {
  body += ",\"";
  body += key;
  body += "\":";
  append_json_number(body, value);
}

void append_verdict(std::string& body, ClaimOutcome::Status status) {
  const bool won = status == ClaimOutcome::Status::won;
  const bool pending = status == ClaimOutcome::Status::pending;
  body = won ? R"({"won":true)" : pending ? R"({"won":null)" : R"({"won":false)";
}

// False if the prize's code is not to be had now.
bool append_prize(Loop& loop, const ClaimOutcome& outcome) {
  auto& body = loop.body();
  const auto& rules = *outcome.rules;
  body += R"(,"prize":{"kind":")";
  body += name_of(rules.prize);
  body += '"';
  append_text(body, "says", rules.says);
  if (rules.prize == PrizeKind::code) {
    const auto code = loop.parts().prizes.code(rules.name, outcome.prize);
    if (!code) return false;
    append_text(body, "code", *code);
  }
  append_number(body, "number", outcome.prize);
  body += '}';
  append_text(body, "claimed", to_string(outcome.claimed));
  body += outcome.is_repeated ? R"(,"duplicate":true)" : R"(,"duplicate":false)";
  return true;
}

void append_reason(std::string& body, const ClaimOutcome& outcome) {
  append_text(body, "reason", name_of(outcome.status));
  if (outcome.status != ClaimOutcome::Status::pending) return;
  if (outcome.known_at) return append_text(body, "known_at", to_string(*outcome.known_at));
  body += R"(,"known_at":null)";
}

void write_claim(Loop& loop, const Claim& claim, const ClaimOutcome& outcome,
                 http::Responder responder) {
  using Status = ClaimOutcome::Status;
  loop.headers().clear();
  const bool undecided = outcome.status == Status::disk_full ||
                         outcome.status == Status::outcome_unknown ||
                         outcome.status == Status::failed;
  if (undecided) return loop.refuse(name_of(outcome.status), std::move(responder));
  auto& body = loop.body();
  append_verdict(body, outcome.status);
  if (outcome.rules != nullptr) {
    append_text(body, "promotion", outcome.rules->name);
    append_number(body, "window", outcome.window);
    append_number(body, "entry", claim.receipt.entry_ordinal);
  }
  append_number(body, "hit", claim.receipt.page_ordinal);
  if (outcome.status != Status::won) {
    append_reason(body, outcome);
  } else if (!append_prize(loop, outcome)) {
    return loop.refuse("no_code", std::move(responder));
  }
  body += "}\n";
  loop.answer(200, std::move(responder));
}

// Why a receipt and a secret are no claim; nothing if they are one.
std::optional<std::string_view> refusal_of(Loop& loop, const Receipt& receipt,
                                           std::string_view secret) {
  if (receipt.epoch != loop.parts().ledger.position().epoch) return "former_life";
  if (receipt.secret_hash == SecretHash{}) return "no_secret";
  if (hash_secret(secret) != receipt.secret_hash) return "wrong_secret";
  return std::nullopt;
}

}  // namespace

void handle_claim(Loop& loop, const Call& call, http::Responder responder) {
  const auto read = read_own(call.request.body, kNeeded);
  if (const auto* error = std::get_if<WireError>(&read)) {
    return loop.refuse(error->word, std::move(responder), error->message);
  }
  const auto& fields = std::get<Fields>(read);
  const auto receipt = open_receipt(field(fields, kReceipt), *loop.parts().ledger.keys());
  if (!receipt) return loop.refuse("bad_receipt", std::move(responder), receipt.error().message);
  if (const auto word = refusal_of(loop, *receipt, field(fields, kSecret))) {
    return loop.refuse(*word, std::move(responder));
  }
  const auto& parts = loop.parts();
  if (!parts.rate_limiter.take(loop.client(call.request), receipt->site, parts.clock.monotonic())) {
    return loop.refuse("rate_limited", std::move(responder));
  }
  auto& batch = loop.gate().batch();
  loop.gate().expect({.responder = std::move(responder),
                      .write_claim = write_claim,
                      .first = batch.claims.size(),
                      .count = 1});
  batch.claims.push_back({*receipt});
}

}  // namespace nando
