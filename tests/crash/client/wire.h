// The little of HTTP and JSON that a client needs to pick an answer apart. It trusts the framing
// of nobody: an answer that cannot be read is no acknowledgement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/entry.h"

namespace crash {

struct Message {
  std::string_view head;  // Start line and header lines.
  std::string_view body;
  std::size_t bytes = 0;  // Of the whole message.
  int status = 0;         // Of an answer; 0 in a request.
};

// The first whole message in `received`, or nothing yet. A `Content-Length` frames it.
std::optional<Message> take_message(std::string_view received);

// The value of the first header of that name (lower case), or empty.
std::string_view header_value(std::string_view head, std::string_view name);

// The value of "key" in one flat JSON object: text without its quotes, or a number or word as it
// stands; nothing if the key is not there.
std::optional<std::string_view> json_value(std::string_view object, std::string_view key);
std::optional<std::uint64_t> json_number(std::string_view object, std::string_view key);

// The objects of a JSON array, in order, as text.
std::vector<std::string_view> json_objects(std::string_view array);

// Fills status, outcome, ordinals, receipt and sequence of `entry` from an answer to one hit.
void read_answer(const Message& answer, std::string_view object, Entry& entry);

// Percent-encodes everything but unreserved characters.
std::string percent_encoded(std::string_view text);

}  // namespace crash
