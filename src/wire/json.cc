#include "wire/json.h"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstring>

#include "base/bytes.h"

namespace nando {

namespace {

namespace json = boost::json;

// Follows nesting and turns the parser's events into fields. Depth 0 is outside, 1 the top object
// (or the objects in the top array, whose own level is not counted), 2 an object below a field.
class Handler {
 public:
  static constexpr std::size_t max_object_size = 1'024;
  static constexpr std::size_t max_array_size = 100'000;
  static constexpr std::size_t max_key_size = 4'096;
  static constexpr std::size_t max_string_size = 1 << 22;

  void begin(JsonFields::Shape shape, JsonListener& listener) {
    shape_ = shape;
    listener_ = &listener;
    depth_ = 0;
    ignored_ = 0;
    in_array_ = false;
    partial_.clear();
    error_.reset();
    arena_.clear();
    outer_ = {};
  }
  std::optional<WireError> take_error() { return std::move(error_); }
  bool in_array() const { return in_array_; }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code& ec) {
    if (ignored_ > 0) return ++ignored_, true;
    if (depth_ == 0) return ++depth_, told(listener_->begin_object(), ec);
    if (depth_ == 2) return ++ignored_, tell(JsonType::object, {}, {}, ec);
    if (!tell(JsonType::object, {}, {}, ec)) return false;
    outer_ = key_;
    ++depth_;
    return true;
  }
  bool on_object_end(std::size_t, json::error_code& ec) {
    if (ignored_ > 0) return --ignored_, true;
    --depth_;
    outer_ = {};
    return depth_ > 0 || told(listener_->end_object(), ec);
  }
  bool on_array_begin(json::error_code& ec) {
    if (ignored_ > 0) return ++ignored_, true;
    if (depth_ == 0) {
      if (shape_ != JsonFields::Shape::object_or_array || in_array_) return refuse_top(ec);
      in_array_ = true;
      return true;
    }
    ++ignored_;
    return tell(JsonType::array, {}, {}, ec);
  }
  bool on_array_end(std::size_t, json::error_code&) {
    if (ignored_ > 0) --ignored_;
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    return keep_part(part);
  }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    if (ignored_ == 0) key_ = whole({part.data(), part.size()});
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    return keep_part(part);
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    if (ignored_ > 0) return true;
    return tell(JsonType::text, whole({part.data(), part.size()}), {}, ec);
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view written, json::error_code& ec) {
    return tell_number(written, value, ec);
  }
  bool on_uint64(std::uint64_t, json::string_view written, json::error_code& ec) {
    return tell_number(written, {}, ec);
  }
  bool on_double(double, json::string_view written, json::error_code& ec) {
    return tell_number(written, {}, ec);
  }
  bool on_bool(bool value, json::error_code& ec) {
    return tell(JsonType::boolean, value ? "true" : "false", {}, ec);
  }
  bool on_null(json::error_code& ec) { return tell(JsonType::null, {}, {}, ec); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool keep_part(json::string_view part) {
    if (ignored_ == 0) partial_.append(part.data(), part.size());
    return true;
  }
  // The parser passes text that has no escapes as it stands in the body; other text comes in parts
  // from its own buffer.
  std::string_view whole(std::string_view last) {
    if (partial_.empty()) return arena_.keep(last);
    partial_.append(last);
    const auto kept = arena_.keep(partial_);
    partial_.clear();
    return kept;
  }
  bool tell(JsonType type, std::string_view text, std::optional<std::int64_t> integer,
            json::error_code& ec) {
    if (type != JsonType::object && type != JsonType::array && ignored_ > 0) return true;
    if (depth_ == 0) return refuse_top(ec);
    return told(listener_->field({key_, type, text, integer, outer_}), ec);
  }
  bool tell_number(json::string_view written, std::optional<std::int64_t> integer,
                   json::error_code& ec) {
    if (ignored_ > 0) return true;
    return tell(JsonType::number, arena_.keep({written.data(), written.size()}), integer, ec);
  }
  bool refuse_top(json::error_code& ec) {
    return told(
        WireError{"wrong_type", shape_ == JsonFields::Shape::object
                                    ? "the body must be a JSON object"
                                    : "the body must be a JSON object or an array of objects"},
        ec);
  }
  bool told(std::optional<WireError> error, json::error_code& ec) {
    if (!error) return true;
    error_ = std::move(error);
    ec = json::error::incomplete;  // Any error stops the parser; ours says why.
    return false;
  }

  JsonFields::Shape shape_ = JsonFields::Shape::object;
  JsonListener* listener_ = nullptr;
  unsigned depth_ = 0;
  unsigned ignored_ = 0;  // Levels inside something whose inside nobody wants.
  bool in_array_ = false;
  std::string_view key_;
  std::string_view outer_;
  std::string partial_;
  HitArena arena_;
  std::optional<WireError> error_;
};

json::parse_options strict_options() {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  return options;
}

WireError describe(const json::error_code& ec, std::size_t at) {
  const auto where = " (at byte " + std::to_string(at) + ")";
  if (ec == json::error::too_deep) {
    return {"too_deep",
            "the JSON is nested more than " + std::to_string(kJsonDepthMax) + " levels deep"};
  }
  return {"not_json", "the body is not JSON: " + ec.message() + where};
}

std::string as_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto size = utf8_size(text);
    out += size > 0 ? text.substr(0, size) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

// Whether a JSON string may hold it as it is: printable ASCII, no quote and no backslash.
bool is_plain(std::string_view text) {
  const auto bad = [](std::uint64_t word) {
    return bytes_below(word, 0x20) | bytes_equal(word, '"') | bytes_equal(word, '\\') |
           bytes_equal(word, 0x7f) | (word & kEachHighBit);
  };
  std::uint64_t found = 0;
  for (; text.size() >= 8; text.remove_prefix(8)) found |= bad(load_eight(text.data()));
  std::uint64_t rest = kEachByte * ' ';
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  return (found | bad(rest)) == 0;
}

}  // namespace

std::string_view name_of(JsonType type) {
  static constexpr std::array<std::string_view, 6> kNames = {
      "a string", "a number", "true or false", "null", "an object", "an array"};
  return kNames[static_cast<std::size_t>(type)];
}

struct JsonFields::State {
  json::basic_parser<Handler> parser{strict_options()};
};

JsonFields::JsonFields() : state_(std::make_unique<State>()) {}
JsonFields::~JsonFields() = default;

std::optional<WireError> JsonFields::read(std::string_view body, Shape shape,
                                          JsonListener& listener) {
  auto& parser = state_->parser;
  parser.reset();
  parser.handler().begin(shape, listener);
  json::error_code ec;
  const auto consumed = parser.write_some(false, body.data(), body.size(), ec);
  if (auto error = parser.handler().take_error()) return error;
  if (ec) {
    if (!is_utf8(body)) return WireError{"not_utf8", "the body is not UTF-8"};
    return describe(ec, consumed);
  }
  if (consumed < body.size()) {
    return WireError{"not_json",
                     "the body goes on after its JSON (at byte " + std::to_string(consumed) + ")"};
  }
  return std::nullopt;
}

bool JsonFields::was_array() const {
  return state_->parser.handler().in_array();
}

void append_json_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto* end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_json_string(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  const auto serialize = [&](std::string_view good) {
    out += json::serialize(json::string_view(good.data(), good.size()));
  };
  if (is_utf8(text)) return serialize(text);
  serialize(as_utf8(text));
}

void append_json_props(std::string& out, std::string_view encoded) {
  ByteReader reader(as_bytes(encoded));
  out += '{';
  for (bool first = true; !reader.rest().empty(); first = false) {
    if (!first) out += ',';
    append_json_string(out, as_text(reader.sized()));
    out += ':';
    append_json_string(out, as_text(reader.sized()));
  }
  out += '}';
}

}  // namespace nando
