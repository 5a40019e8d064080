#include "handlers/own_answer.h"

#include <memory>

namespace nando {

namespace {

class Collector final : public JsonListener {
 public:
  std::optional<WireError> field(const JsonField& field) override {
    if (!field.outer.empty()) return std::nullopt;
    if (field.type != JsonType::text && field.type != JsonType::boolean) {
      return WireError{"wrong_type", "'" + std::string(field.key) + "' is a string, true or false"};
    }
    fields.insert_or_assign(std::string(field.key), std::string(field.text));
    return std::nullopt;
  }

  Fields fields;
};

}  // namespace

std::variant<Fields, WireError> read_own(std::string_view body,
                                         std::span<const std::string_view> needed) {
  JsonFields json;
  Collector collector;
  if (auto error = json.read(body, JsonFields::Shape::object, collector)) return std::move(*error);
  if (auto error = find_missing(collector.fields, needed)) return std::move(*error);
  return std::move(collector.fields);
}

std::optional<WireError> find_missing(const Fields& fields,
                                      std::span<const std::string_view> needed) {
  for (const auto name : needed) {
    if (!field(fields, name).empty()) continue;
    return WireError{"missing_field", "send '" + std::string(name) + "'"};
  }
  return std::nullopt;
}

void refuse_own(Loop& loop, std::string_view word, http::Responder responder,
                std::string_view message) {
  loop.headers().clear();
  loop.refuse(word, std::move(responder), message, Audience::own_pages);
}

void answer_own(Loop& loop, const OwnAnswer& answer, http::Responder responder) {
  if (!answer.error.empty()) {
    return refuse_own(loop, answer.error, std::move(responder), answer.body);
  }
  const auto headers = answer.headers + std::string(kOwnHeaders);
  loop.answer_raw(answer.status, "application/json", headers, answer.body, std::move(responder));
}

void answer_later(Loop& loop, http::Responder responder, std::function<OwnAnswer()> work) {
  const auto shared = std::make_shared<http::Responder>(std::move(responder));
  auto* const mailbox = &loop.mailbox();
  auto* const answerer = &loop;
  const bool taken = loop.api().clerk().ask([shared, mailbox, answerer, work = std::move(work)] {
    mailbox->post(
        [shared, answerer, answer = work()] { answer_own(*answerer, answer, std::move(*shared)); });
  });
  if (!taken) refuse_own(loop, "clerk_busy", std::move(*shared));
}

void answer_later(Loop& loop, const Call& call, http::Responder responder,
                  std::span<const std::string_view> needed,
                  std::function<OwnAnswer(const Fields& fields)> work) {
  auto read = read_own(call.request.body, needed);
  if (const auto* error = std::get_if<WireError>(&read)) {
    return refuse_own(loop, error->word, std::move(responder), error->message);
  }
  answer_later(loop, std::move(responder),
               [work = std::move(work), fields = std::get<Fields>(std::move(read))] {
                 return work(fields);
               });
}

std::string_view word_of(const Error& error) {
  switch (error.code) {
    case Code::invalid:
      return "bad_value";
    case Code::conflict:
      return "already_there";
    case Code::not_found:
      return "not_found";
    case Code::denied:
      return "not_let_in";
    default:
      return "not_saved";
  }
}

}  // namespace nando
