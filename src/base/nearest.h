// nearest(): what was probably meant by a word that is not in the list.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace nando {

// Levenshtein's distance: insertions, deletions, replacements.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// The closest of `words`, or an empty text if none is close enough to be a slip of the finger. Long
// words are not compared.
inline std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  constexpr std::size_t kWordBytesMax = 64;
  std::string_view best;
  if (word.size() > kWordBytesMax) return best;
  auto limit = std::max<std::size_t>(1, word.size() / 3);
  for (const auto candidate : words) {
    const auto distance = edit_distance(word, candidate);
    if (distance > limit || (distance == limit && !best.empty())) continue;
    limit = distance;
    best = candidate;
  }
  return best;
}

}  // namespace nando
