#include "assets/assets.h"

#include <algorithm>

namespace nando {

const Asset* find_asset(std::string_view path) {
  const auto all = assets();
  const auto at =
      std::lower_bound(all.begin(), all.end(), path,
                       [](const Asset& asset, std::string_view want) { return asset.path < want; });
  return at != all.end() && at->path == path ? &*at : nullptr;
}

}  // namespace nando
