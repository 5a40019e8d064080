#include "tidy/pattern.h"

#include <regex>

namespace nando::tidy {

struct Pattern::Compiled {
  std::regex expression;
};

Pattern::Pattern(const std::string& expression)
    : compiled_(std::make_unique<Compiled>(Compiled{std::regex(expression)})) {}

Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;

std::vector<Match> Pattern::all(std::string_view text) const {
  std::vector<Match> matches;
  using Iterator = std::regex_iterator<std::string_view::const_iterator>;
  for (Iterator it(text.begin(), text.end(), compiled_->expression), end; it != end; ++it) {
    Match match{
        static_cast<std::size_t>(it->position()), static_cast<std::size_t>(it->length()), {}};
    for (const auto& group : *it) {
      match.groups.push_back(group.str());
    }
    matches.push_back(std::move(match));
  }
  return matches;
}

bool Pattern::whole(std::string_view text) const {
  return std::regex_match(text.begin(), text.end(), compiled_->expression);
}

}  // namespace nando::tidy
