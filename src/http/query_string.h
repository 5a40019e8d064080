// Percent-encoded text and query strings ("url=u&url=v"), strictly: an escape is '%' and two hex
// digits. Value in, value out. Decoded text may hold any byte, also none that is UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nando::http {

// In the query of a URL and in a form '+' stands for a space; in a path it is itself.
enum class Plus { is_plus, is_space };

// Nothing if an escape is bad.
std::optional<std::string> percent_decode(std::string_view text, Plus plus);

inline constexpr std::size_t kQueryPairsMax = 1'024;

struct QueryPair {
  std::string name;
  std::string value;  // Empty if there was no '='.

  bool operator==(const QueryPair&) const = default;
};

// Every pair, decoded, in order; a name may come often. Nothing between two '&' is no pair. Nothing
// at all if an escape is bad or there are more than kQueryPairsMax.
std::optional<std::vector<QueryPair>> parse_query(std::string_view query);

}  // namespace nando::http
