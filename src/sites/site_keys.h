// The settings of a site, as rows: the same table writes the registry document, is what `site set`
// takes and what `site list` prints. To add one, add a row.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/site.h"

namespace nando {

struct SiteKey {
  std::string_view name;
  std::string_view takes;  // "on or off"
  std::string_view help;
  std::string (*get)(const Site& site);
  // Code::invalid says what would be right.
  Result<> (*set)(Site& site, std::string_view text);
};

std::span<const SiteKey> site_keys();

// Code::invalid, naming the nearest key, if there is none of that name.
Result<const SiteKey*> find_site_key(std::string_view name);

}  // namespace nando
