#include "client/wire.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace crash {

namespace {

constexpr std::size_t kReceiptText = 192;
constexpr std::size_t kSequenceAt = 48;  // Offsets in a receipt: docs/formats/receipt.md.
constexpr std::size_t kPageOrdinalAt = 64;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

template <class N>
std::optional<N> to_number(std::string_view text) {
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

int base64url_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

// Eight bytes at `offset` of what `text` encodes, little endian.
std::uint64_t receipt_number(std::string_view text, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t bit = (offset + i) * 8;
    const int first = base64url_digit(text[bit / 6]);
    const int second = base64url_digit(text[bit / 6 + 1]);
    const int pair = (first << 6 | second) & 0xfff;
    const auto byte = static_cast<std::uint64_t>(pair >> (4 - bit % 6) & 0xff);
    value |= byte << (8 * i);
  }
  return value;
}

// "page=12; site=34"
void read_hit_header(std::string_view value, Entry& entry) {
  const auto pick = [&](std::string_view key) {
    const auto at = value.find(key);
    return at == std::string_view::npos
               ? 0
               : to_number<std::uint64_t>(value.substr(at + key.size())).value_or(0);
  };
  entry.page_ordinal = pick("page=");
  entry.site_ordinal = pick("site=");
}

bool is_refusal(int status) {
  return status == 429 || status == 503 || status == 507;
}

}  // namespace

std::optional<Message> take_message(std::string_view received) {
  const auto end = received.find("\r\n\r\n");
  if (end == std::string_view::npos) return std::nullopt;
  Message message;
  message.head = received.substr(0, end + 2);
  std::size_t length = 0;
  if (const auto text = header_value(message.head, "content-length"); !text.empty()) {
    length = to_number<std::size_t>(text).value_or(0);
  }
  if (received.size() < end + 4 + length) return std::nullopt;
  message.body = received.substr(end + 4, length);
  message.bytes = end + 4 + length;
  if (message.head.starts_with("HTTP/1.") && message.head.size() > 12) {
    message.status = to_number<int>(message.head.substr(9, 3)).value_or(0);
  }
  return message;
}

std::string_view header_value(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos && at + 2 < head.size();) {
    const auto start = at + 2;
    at = head.find("\r\n", start);
    const auto line = head.substr(start, at - start);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (!std::equal(name.begin(), name.end(), line.begin(),
                    [](char a, char b) { return a == lower(b); })) {
      continue;
    }
    auto value = line.substr(name.size() + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    return value;
  }
  return {};
}

std::optional<std::string_view> json_value(std::string_view object, std::string_view key) {
  for (std::size_t at = 0; (at = object.find(key, at)) != std::string_view::npos; ++at) {
    const auto after = at + key.size();
    if (at == 0 || object[at - 1] != '"' || object.substr(after, 1) != "\"") continue;
    auto colon = after + 1;
    while (colon < object.size() && object[colon] == ' ') ++colon;
    if (object.substr(colon, 1) != ":") continue;
    auto value = object.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (value.starts_with('"')) return value.substr(1, value.find('"', 1) - 1);
    return value.substr(0, value.find_first_of(",}] \r\n"));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> json_number(std::string_view object, std::string_view key) {
  const auto value = json_value(object, key);
  return value ? to_number<std::uint64_t>(*value) : std::nullopt;
}

std::vector<std::string_view> json_objects(std::string_view array) {
  std::vector<std::string_view> objects;
  std::size_t begin = 0;
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const char c = array[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{') {
      if (depth++ == 0) begin = i;
    } else if (c == '}') {
      if (--depth == 0) objects.push_back(array.substr(begin, i + 1 - begin));
    }
  }
  return objects;
}

void read_answer(const Message& answer, std::string_view object, Entry& entry) {
  entry.status = static_cast<std::uint16_t>(answer.status);
  const auto error = json_value(object, "error");
  if (error == "outcome_unknown") {
    entry.outcome = Outcome::unknown;
    return;
  }
  if (is_refusal(answer.status)) {
    entry.outcome = Outcome::refused;
    return;
  }
  entry.outcome = Outcome::failed;
  if (answer.status != 200 && answer.status != 202) return;
  if (json_value(object, "dropped") || !header_value(answer.head, "nandolytics-dropped").empty()) {
    entry.outcome = Outcome::dropped;
    return;
  }
  if (error) {
    const bool refused = *error == "busy" || *error == "full" || *error == "disk_full" ||
                         *error == "rate_limited" || *error == "unavailable";
    if (refused) entry.outcome = Outcome::refused;
    return;
  }
  if (const auto page = json_number(object, "page")) {
    entry.page_ordinal = *page;
    entry.site_ordinal = json_number(object, "site").value_or(0);
  } else {
    read_hit_header(header_value(answer.head, "nandolytics-hit"), entry);
  }
  entry.duplicate = json_value(object, "duplicate") == "true" ? 1 : 0;
  if (const auto receipt = json_value(object, "receipt"); receipt) {
    // A receipt that says another ordinal than the answer beside it is a wrong answer.
    if (receipt->size() != kReceiptText) return;
    if (receipt_number(*receipt, kPageOrdinalAt) != entry.page_ordinal) return;
    entry.receipt = fingerprint(*receipt);
    entry.sequence = receipt_number(*receipt, kSequenceAt);
  }
  if (entry.page_ordinal > 0 && entry.site_ordinal > 0) entry.outcome = Outcome::acknowledged;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
                       std::strchr("-._~", c) != nullptr;
    if (plain && c != '\0') {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace crash
