// A regular expression, compiled once and kept out of the headers: <regex> is slow to build.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nando::tidy {

struct Match {
  std::size_t position;
  std::size_t length;
  std::vector<std::string> groups;  // groups[0] is the whole of it; one not taken is empty.
};

class Pattern {
 public:
  explicit Pattern(const std::string& expression);  // As ECMAScript spells them.
  ~Pattern();
  Pattern(Pattern&&) noexcept;

  std::vector<Match> all(std::string_view text) const;
  bool whole(std::string_view text) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace nando::tidy
