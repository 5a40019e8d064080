// Exclusions: requests by which a browser fetches a page that nobody has looked at.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "ingest/url.h"

namespace nando {

// As they stand in Sec-Purpose, Purpose, X-Purpose and X-Moz; Safari says "preview".
inline constexpr std::array<std::string_view, 3> kUnseenPurposes = {"prefetch", "prerender",
                                                                    "preview"};

inline bool is_unseen(std::string_view purpose) {
  const auto same = [](char a, char b) { return ascii_lower(a) == b; };
  return std::any_of(kUnseenPurposes.begin(), kUnseenPurposes.end(), [&](auto word) {
    return std::search(purpose.begin(), purpose.end(), word.begin(), word.end(), same) !=
           purpose.end();
  });
}

}  // namespace nando
