// JSON as the doors need it: one flat object, or an array of such objects, read field by field
// without building a tree; and strings written back.
//
// Limits: kJsonDepthMax levels; objects and arrays nested deeper than a field that wants one are
// refused by the dialect. Threads: a JsonFields belongs to one thread; it is reused.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/hit_arena.h"

namespace nando {

inline constexpr unsigned kJsonDepthMax = 8;

// What is wrong with a body: the error's one word, and what to do.
struct WireError {
  std::string_view word;
  std::string message;
};

enum class JsonType : std::uint8_t { text, number, boolean, null, object, array };
std::string_view name_of(JsonType type);

struct JsonField {
  std::string_view key;
  JsonType type = JsonType::null;
  std::string_view
      text;  // Of a text, unescaped; of a number, true or false, as written; otherwise empty.
  std::optional<std::int64_t> integer;  // Of a number that is one.
  std::string_view outer;  // In a nested object: the key it stands under. Empty at the top.
};

// Hears a document in order. Text is valid until the document has been read.
class JsonListener {
 public:
  virtual ~JsonListener() = default;
  virtual std::optional<WireError> begin_object() { return std::nullopt; }  // Of the top level.
  virtual std::optional<WireError> field(const JsonField& field) = 0;
  virtual std::optional<WireError> end_object() { return std::nullopt; }
};

class JsonFields {
 public:
  enum class Shape : std::uint8_t { object, object_or_array };

  JsonFields();
  ~JsonFields();

  // Reads all of `body`. Errors: not_json, not_utf8, too_deep, wrong_type (the top is no object),
  // or the listener's own.
  std::optional<WireError> read(std::string_view body, Shape shape, JsonListener& listener);
  // Of the document last read: whether its top was an array.
  bool was_array() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Appends a number, without locale or allocation.
void append_json_number(std::string& out, std::uint64_t number);

// Appends `text` as a JSON string, quotes included. What is no UTF-8 becomes U+FFFD, byte by byte.
void append_json_string(std::string& out, std::string_view text);
// {"key":"value",...} of properties as they are encoded (model/beacon.h).
void append_json_props(std::string& out, std::string_view encoded);

}  // namespace nando
