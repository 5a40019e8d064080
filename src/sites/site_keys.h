// The settings of a site, as rows: the same table writes the registry document, is what `site set`
// takes and what `site list` prints. To add one, add a row.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/site.h"

namespace nando {

struct SiteKey {
  std::string_view name;
  enum class Kind : std::uint8_t { text, number, on_off, list } kind;  // What its text means.
  std::string_view takes;                                              // "on or off"
  std::string_view help;
  std::string (*get)(const Site& site);
  // Code::invalid says what would be right.
  Result<> (*set)(Site& site, std::string_view text);
};

std::span<const SiteKey> site_keys();

// Code::invalid, naming the nearest key, if there is none of that name.
Result<const SiteKey*> find_site_key(std::string_view name);

// The words between commas, without the spaces around them; an empty text has none.
std::vector<std::string> split_list(std::string_view text);

}  // namespace nando
