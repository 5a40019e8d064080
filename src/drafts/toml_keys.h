// The keys of a promotion's file, as rows: each names its type, the rules it belongs to, and the
// line of the rules (model/promotion.h) that it becomes. To add one, add a row.
#pragma once

#include <toml++/toml.h>

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/day.h"

namespace nando {

enum class KeyType : std::uint8_t { text, number, time, texts, numbers };

struct PromotionKey {
  std::string_view name;
  KeyType type;
  std::string_view rules;  // "every instant": it belongs to these only. Empty: to all.
  std::string_view field;  // Of find_fault(); empty if no fault can be in it.
};

std::span<const PromotionKey> promotion_keys();

// What a file says, by key. Whoever finds something wrong adds it, with its place.
class SaidKeys {
 public:
  SaidKeys(const toml::table& root, std::string path);

  bool has(std::string_view key) const { return nodes_.contains(key); }
  // Empty, or nothing, where the key is not there. The type is right: of other nodes the
  // constructor made problems.
  std::string text(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<std::uint64_t> numbers(std::string_view key) const;
  std::optional<UnixTime> time(std::string_view key, const Zone& zone) const;
  // Problems are negative numbers and those over `max`.
  std::optional<std::uint64_t> number(std::string_view key, std::uint64_t max);

  // At the key's value, or of the file where it is not there.
  void problem(std::string_view key, const std::string& says);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void gather(const toml::table& table, const std::string& prefix);
  std::string place(const toml::source_region& where) const;

  std::string path_;
  std::map<std::string, const toml::node*, std::less<>> nodes_;
  std::vector<std::string> problems_;
};

}  // namespace nando
