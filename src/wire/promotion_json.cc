#include "wire/promotion_json.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <limits>

#include "model/day.h"
#include "wire/json.h"

namespace nando {

namespace {

namespace json = boost::json;

class Writer {
 public:
  Writer& key(std::string_view name) {
    out += out.ends_with('{') ? "\"" : ",\"";
    out.append(name).append("\":");
    return *this;
  }
  void text(std::string_view name, std::string_view value) {
    append_json_string(key(name).out, value);
  }
  void number(std::string_view name, std::uint64_t value) {
    append_json_number(key(name).out, value);
  }
  void hex(std::string_view name, Bytes value) { text(name, to_hex(value)); }
  void null(std::string_view name) { key(name).out += "null"; }

  std::string out;
};

void write_window(Writer& writer, const WindowProof& window) {
  writer.out += '{';
  writer.number("window", window.window);
  writer.number("first", window.span.first);
  writer.number("last", window.span.last);
  writer.hex("head", window.head);
  window.seed ? writer.hex("seed", *window.seed) : writer.null("seed");
  writer.key("winners").out += '[';
  for (const auto winner : window.winners) {
    if (!writer.out.ends_with('[')) writer.out += ',';
    append_json_number(writer.out, winner);
  }
  writer.out += "]}";
}

void write_signed(Writer& writer, const SignedStatement& statement) {
  writer.key("signed").out += '{';
  writer.hex("message", statement.message);
  writer.hex("signature", statement.signature);
  writer.hex("key", statement.key);
  writer.out += '}';
}

// The first thing that is wrong; what is read after it is of no value.
struct Problem {
  std::string says;

  void set(const std::string& where, const std::string& what) {
    if (says.empty()) says = where + " " + what;
  }
};

// An object whose keys are known: each is asked for once, and then no other may be there.
class Reader {
 public:
  Reader(const json::value& value, std::string path, Problem& problem)
      : object_(value.if_object()), path_(std::move(path)), problem_(problem) {
    if (object_ == nullptr) problem_.set(path_.empty() ? "the document" : path_, "is no object");
  }

  std::string where(std::string_view name) const {
    return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
  }
  // Null where it is missing.
  const json::value* find(std::string_view name) {
    asked_.push_back(name);
    const auto* const value =
        object_ == nullptr ? nullptr : object_->if_contains({name.data(), name.size()});
    if (value == nullptr) problem_.set(where(name), "is missing");
    return value;
  }
  // Null where it is missing or says null.
  const json::value* find_or_null(std::string_view name) {
    const auto* const value = find(name);
    return value != nullptr && value->is_null() ? nullptr : value;
  }
  void text(std::string_view name, std::string& into) {
    if (const auto* const value = find(name)) text_of(*value, name, into);
  }
  void text_of(const json::value& value, std::string_view name, std::string& into) {
    const auto* const found = value.if_string();
    if (found == nullptr) return problem_.set(where(name), "is no text");
    into.assign(found->data(), found->size());
  }
  template <class Number>
  void number(std::string_view name, Number& into) {
    if (const auto* const value = find(name)) into = number_of<Number>(*value, where(name));
  }
  template <class Number>
  Number number_of(const json::value& value, const std::string& place) {
    const auto* const small = value.if_int64();
    const auto* const large = value.if_uint64();
    if ((small == nullptr || *small < 0) && large == nullptr) {
      problem_.set(place, "is no whole number from 0 on");
      return 0;
    }
    const auto number = large != nullptr ? *large : static_cast<std::uint64_t>(*small);
    if (number > std::numeric_limits<Number>::max()) problem_.set(place, "is too large");
    return static_cast<Number>(number);
  }
  template <std::size_t n>
  void hex(std::string_view name, std::array<std::byte, n>& into) {
    if (const auto* const value = find(name)) hex_of(*value, name, into);
  }
  template <std::size_t n>
  void hex_of(const json::value& value, std::string_view name, std::array<std::byte, n>& into) {
    const auto* const found = value.if_string();
    const auto bytes = found == nullptr ? std::nullopt : from_hex({found->data(), found->size()});
    if (!bytes || bytes->size() != n || to_hex(*bytes) != *found) {
      return problem_.set(where(name), "is not " + std::to_string(2 * n) + " hex digits 0-9a-f");
    }
    std::ranges::copy(*bytes, into.begin());
  }
  const json::array* list(std::string_view name, std::size_t size_max) {
    const auto* const value = find(name);
    const auto* const found = value == nullptr ? nullptr : value->if_array();
    if (found == nullptr) return problem_.set(where(name), "is no list"), nullptr;
    if (found->size() > size_max) return problem_.set(where(name), "is too long"), nullptr;
    return found;
  }
  void end() {
    if (object_ == nullptr) return;
    for (const auto& pair : *object_) {
      const std::string_view key(pair.key().data(), pair.key().size());
      if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) {
        problem_.set(where(key), "does not belong here");
      }
    }
  }

 private:
  const json::object* object_;
  std::string path_;
  Problem& problem_;
  std::vector<std::string_view> asked_;
};

WindowProof read_window(const json::value& value, const std::string& path, Problem& problem) {
  Reader in(value, path, problem);
  WindowProof window;
  in.number("window", window.window);
  in.number("first", window.span.first);
  in.number("last", window.span.last);
  in.hex("head", window.head);
  if (const auto* const seed = in.find_or_null("seed")) {
    in.hex_of(*seed, "seed", window.seed.emplace());
  }
  if (const auto* const winners = in.list("winners", kWinnersMax)) {
    for (const auto& winner : *winners) {
      window.winners.push_back(in.number_of<std::uint64_t>(winner, in.where("winners")));
    }
  }
  in.end();
  return window;
}

SignedStatement read_signed(const json::value& value, Problem& problem) {
  Reader in(value, "signed", problem);
  SignedStatement statement;
  in.hex("message", statement.message);
  in.hex("signature", statement.signature);
  in.hex("key", statement.key);
  in.end();
  return statement;
}

void read_status(Reader& in, Proof& proof, Problem& problem) {
  std::string word;
  in.text("status", word);
  const auto status = enum_from<PromotionStatus>(kPromotionStatusNames, word);
  if (!status) problem.set("status", "is none of running, paused, closed, over");
  proof.status = status.value_or(PromotionStatus::running);
  in.text("as_of", word);
  const auto at = parse_time(word);
  if (!at || to_string(*at) != word)
    problem.set("as_of", "is no time like 2026-11-22T17:00:00.000Z");
  proof.as_of = at.value_or(UnixTime{});
}

Proof read_whole(const json::value& value, Problem& problem) {
  Reader in(value, "", problem);
  Proof proof;
  in.text("promotion", proof.promotion);
  in.number("id", proof.id.value);
  in.text("rules", proof.rules);
  read_status(in, proof, problem);
  in.number("entries", proof.entries);
  in.hex("head", proof.head);
  if (const auto* const windows = in.list("windows", kWindowsMax)) {
    for (const auto& window : *windows) {
      const auto number = std::to_string(proof.windows.size());
      proof.windows.push_back(read_window(window, "windows[" + number + "]", problem));
      if (!problem.says.empty()) return proof;
    }
  }
  if (const auto* const outside = in.find_or_null("outside")) {
    in.text_of(*outside, "outside", proof.outside.emplace());
  }
  in.number("stock", proof.stock);
  in.number("claimed", proof.claimed);
  if (const auto* const statement = in.find_or_null("signed")) {
    proof.statement = read_signed(*statement, problem);
  }
  in.end();
  return proof;
}

}  // namespace

std::string write_proof(const Proof& proof) {
  Writer writer;
  writer.out = "{";
  writer.text("promotion", proof.promotion);
  writer.number("id", proof.id.value);
  writer.text("rules", proof.rules);
  writer.text("status", name_of(proof.status));
  writer.text("as_of", to_string(proof.as_of));
  writer.number("entries", proof.entries);
  writer.hex("head", proof.head);
  writer.key("windows").out += '[';
  for (const auto& window : proof.windows) {
    if (!writer.out.ends_with('[')) writer.out += ',';
    write_window(writer, window);
  }
  writer.out += ']';
  proof.outside ? writer.text("outside", *proof.outside) : writer.null("outside");
  writer.number("stock", proof.stock);
  writer.number("claimed", proof.claimed);
  proof.statement ? write_signed(writer, *proof.statement) : writer.null("signed");
  writer.out += '}';
  return std::move(writer.out);
}

Result<Proof> read_proof(std::string_view text) {
  json::error_code failure;
  const auto value = json::parse({text.data(), text.size()}, failure);
  if (failure) return Error{Code::invalid, "this is not JSON: " + failure.message()};
  Problem problem;
  auto proof = read_whole(value, problem);
  if (!problem.says.empty()) return Error{Code::invalid, problem.says};
  return proof;
}

}  // namespace nando
