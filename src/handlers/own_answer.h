// What the handlers of our own pages share: their JSON bodies read whole, and answers that wait for
// the clerk.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "api/loop.h"
#include "registry/fields.h"

namespace nando {

// A flat object: texts, and true or false. Other types are refused, other fields are let be.
std::variant<Fields, WireError> read_own(std::string_view body,
                                         std::span<const std::string_view> needed);
// The first of `needed` that is not there, or is empty.
std::optional<WireError> find_missing(const Fields& fields,
                                      std::span<const std::string_view> needed);

struct OwnAnswer {
  std::string body;  // JSON.
  std::string headers;
  unsigned status = 200;
  std::string_view error;  // A word of errors.h: then `body` is the message, or empty.

  static OwnAnswer refusal(std::string_view word, std::string message = {}) {
    return {.body = std::move(message), .headers = {}, .error = word};
  }
};

// Neither CORS nor cached.
void refuse_own(Loop& loop, std::string_view word, http::Responder responder,
                std::string_view message = {});
void answer_own(Loop& loop, const OwnAnswer& answer, http::Responder responder);

// Does `work` on the clerk's thread, then answers. It must not touch the loop or the request.
void answer_later(Loop& loop, http::Responder responder, std::function<OwnAnswer()> work);
// The same with the fields of the body; one that read_own() refuses is refused at once.
void answer_later(Loop& loop, const Call& call, http::Responder responder,
                  std::span<const std::string_view> needed,
                  std::function<OwnAnswer(const Fields& fields)> work);

// The word for what a registry says of a change.
std::string_view word_of(const Error& error);

}  // namespace nando
