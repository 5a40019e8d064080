#include "drafts/toml_keys.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/nearest.h"

namespace nando {

namespace {

constexpr std::array kKeys = {
    PromotionKey{"name", KeyType::text, "", "name"},
    PromotionKey{"site", KeyType::text, "", "host"},
    PromotionKey{"pages", KeyType::texts, "", "page"},
    PromotionKey{"opens", KeyType::time, "", "opens"},
    PromotionKey{"closes", KeyType::time, "", "closes"},
    PromotionKey{"claim_within", KeyType::text, "", "claim_within_ms"},
    PromotionKey{"win.rule", KeyType::text, "", "rule"},
    PromotionKey{"win.ordinals", KeyType::numbers, "exact", "ordinal"},
    PromotionKey{"win.every", KeyType::number, "every", "window_entries"},
    PromotionKey{"win.entries", KeyType::number, "instant", "window_entries"},
    PromotionKey{"win.windows", KeyType::number, "every instant", "window_count"},
    PromotionKey{"win.each", KeyType::text, "instant", "window_end"},
    PromotionKey{"win.winners", KeyType::number, "instant sealed", "winners"},
    PromotionKey{"win.outside", KeyType::text, "sealed", "outside"},
    PromotionKey{"win.outside_at", KeyType::time, "sealed", "outside_at"},
    PromotionKey{"who.visitor", KeyType::number, "", ""},
    PromotionKey{"who.ipv4_24", KeyType::number, "", ""},
    PromotionKey{"who.ipv6_64", KeyType::number, "", ""},
    PromotionKey{"who.ipv6_56", KeyType::number, "", ""},
    PromotionKey{"who.ipv6_48", KeyType::number, "", ""},
    PromotionKey{"prize.kind", KeyType::text, "", "prize"},
    PromotionKey{"prize.says", KeyType::text, "", "says"},
    PromotionKey{"prize.codes", KeyType::text, "", "codes_hash"},
    PromotionKey{"prize.stock", KeyType::number, "", "stock"},
};

const PromotionKey* key_of(std::string_view name) {
  const auto found = std::ranges::find(kKeys, name, &PromotionKey::name);
  return found == kKeys.end() ? nullptr : found;
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(
      kKeys, [&](const auto& key) { return key.name.starts_with(std::string(name) + "."); });
}

template <class Value>
bool is_list_of(const toml::node& node) {
  const auto* const list = node.as_array();
  return list != nullptr && std::all_of(list->begin(), list->end(), [](const auto& item) {
           return item.template value_exact<Value>().has_value();
         });
}

bool has_type(const toml::node& node, KeyType type) {
  switch (type) {
    case KeyType::text:
      return node.is_string();
    case KeyType::number:
      return node.is_integer();
    case KeyType::time:
      return node.is_date_time();
    case KeyType::texts:
      return is_list_of<std::string>(node);
    case KeyType::numbers:
      return is_list_of<std::int64_t>(node);
  }
  ASSERT(false);
}

std::string_view words_of(KeyType type) {
  switch (type) {
    case KeyType::text:
      return "a text in quotes";
    case KeyType::number:
      return "a whole number, without quotes";
    case KeyType::time:
      return "a date and time without quotes, as 2026-12-01T09:00:00";
    case KeyType::texts:
      return "a list of texts, as [\"/launch\", \"/blog/*\"]";
    case KeyType::numbers:
      return "a list of whole numbers, as [100, 10000]";
  }
  ASSERT(false);
}

std::string unknown(const std::string& name) {
  if (is_section(name)) return name + " is a section, as [" + name + "]";
  std::vector<std::string_view> names;
  for (const auto& key : kKeys) names.push_back(key.name);
  // A key in the wrong section is as likely as a slip of the finger.
  const auto last = name.substr(name.rfind('.') + 1);
  auto close = nearest(name, names);
  for (const auto candidate : names) {
    if (candidate.substr(candidate.rfind('.') + 1) == last) close = candidate;
  }
  return "there is no key '" + name + "'" +
         (close.empty() ? "; see docs/reference/promotion_file.md"
                        : "; did you mean " + std::string(close) + "?");
}

UnixTime time_of(const toml::date_time& at, const Zone& zone) {
  using namespace std::chrono;
  const auto day = sys_days{year{at.date.year} / month{at.date.month} / at.date.day};
  const auto local = milliseconds{day.time_since_epoch()} + hours{at.time.hour} +
                     minutes{at.time.minute} + seconds{at.time.second} +
                     duration_cast<milliseconds>(nanoseconds{at.time.nanosecond});
  if (at.offset) return UnixTime{local - minutes{at.offset->minutes}};
  return zone.to_utc(local);
}

}  // namespace

std::span<const PromotionKey> promotion_keys() {
  return kKeys;
}

SaidKeys::SaidKeys(const toml::table& root, std::string path) : path_(std::move(path)) {
  gather(root, "");
}

void SaidKeys::gather(const toml::table& table, const std::string& prefix) {
  for (const auto& [key, node] : table) {
    const auto name = prefix + std::string(key.str());
    if (const auto* const section = node.as_table();
        section != nullptr && prefix.empty() && is_section(name)) {
      gather(*section, name + ".");
      continue;
    }
    const auto* const known = key_of(name);
    if (known == nullptr) {
      problems_.push_back(place(key.source()) + ": " + unknown(name));
    } else if (!has_type(node, known->type)) {
      problems_.push_back(place(node.source()) + ": " + name + " is " +
                          std::string(words_of(known->type)));
    } else {
      nodes_.emplace(name, &node);
    }
  }
}

std::string SaidKeys::place(const toml::source_region& where) const {
  return path_ + ":" + std::to_string(where.begin.line) + ":" + std::to_string(where.begin.column);
}

std::string SaidKeys::text(std::string_view key) const {
  const auto found = nodes_.find(key);
  return found == nodes_.end() ? "" : found->second->as_string()->get();
}

std::vector<std::string> SaidKeys::texts(std::string_view key) const {
  std::vector<std::string> words;
  if (!has(key)) return words;
  for (const auto& item : *nodes_.find(key)->second->as_array()) {
    words.push_back(item.as_string()->get());
  }
  return words;
}

std::vector<std::uint64_t> SaidKeys::numbers(std::string_view key) const {
  std::vector<std::uint64_t> numbers;
  if (!has(key)) return numbers;
  for (const auto& item : *nodes_.find(key)->second->as_array()) {
    numbers.push_back(
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, item.as_integer()->get())));
  }
  return numbers;
}

std::optional<UnixTime> SaidKeys::time(std::string_view key, const Zone& zone) const {
  const auto found = nodes_.find(key);
  if (found == nodes_.end()) return std::nullopt;
  return time_of(found->second->as_date_time()->get(), zone);
}

std::optional<std::uint64_t> SaidKeys::number(std::string_view key, std::uint64_t max) {
  const auto found = nodes_.find(key);
  if (found == nodes_.end()) return std::nullopt;
  const auto number = static_cast<std::uint64_t>(found->second->as_integer()->get());
  if (number > max) {  // As a negative one is.
    problem(key, std::string(key) + " is a number from 0 to " + std::to_string(max));
    return std::nullopt;
  }
  return number;
}

void SaidKeys::problem(std::string_view key, const std::string& says) {
  const auto found = nodes_.find(key);
  problems_.push_back((found == nodes_.end() ? path_ : place(found->second->source())) + ": " +
                      says);
}

}  // namespace nando
