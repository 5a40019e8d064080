// Documents: every link leads somewhere, and every page can be reached from README.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "tidy/pattern.h"
#include "tidy/rules.h"

namespace nando::tidy {
namespace {

struct Link {
  std::size_t line;
  std::string path;    // From the root of the project.
  std::string anchor;  // After '#'; may be empty.
};

// Spaces where code stands, fenced or between backquotes: a link in an example is not a link.
std::string without_code(const std::string& text) {
  std::string clean = text;
  for (std::size_t at = 0; (at = text.find('`', at)) != std::string::npos;) {
    const std::string fence = text.substr(at, text.substr(at, 3) == "```" ? 3 : 1);
    const auto close = text.find(fence, at + fence.size());
    const auto end = close == std::string::npos ? text.size() : close + fence.size();
    std::replace_if(
        clean.begin() + static_cast<std::ptrdiff_t>(at),
        clean.begin() + static_cast<std::ptrdiff_t>(end), [](char c) { return c != '\n'; }, ' ');
    at = end;
  }
  return clean;
}

std::vector<Link> links_of(const Source& file) {
  static const Pattern link(R"(\]\(([^)\s#]*)(?:#([^)\s]*))?\))");
  const auto text = without_code(file.text);
  std::vector<Link> links;
  for (const auto& match : link.all(text)) {
    const auto& target = match.groups[1];
    if (target.find(':') != std::string::npos) {
      continue;  // https:, mailto:
    }
    const auto folder = std::filesystem::path(file.folder());
    const auto path =
        target.empty() ? file.path : (folder / target).lexically_normal().generic_string();
    links.push_back({line_at(text, match.position), path, match.groups[2]});
  }
  return links;
}

// As the usual renderers make them: lower case, spaces to hyphens, other punctuation dropped.
std::set<std::string> anchors_of(const Source& file) {
  std::set<std::string> anchors;
  for (const auto line : lines_of(file.text)) {
    if (!line.starts_with("#")) {
      continue;
    }
    std::string anchor;
    for (const char c : line.substr(std::min(line.find_first_not_of("# "), line.size()))) {
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || (c & 0x80)) {
        anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      } else if (c == ' ') {
        anchor += '-';
      }
    }
    anchors.insert(anchor);
  }
  return anchors;
}

bool is_folder(const Tree& tree, std::string path) {
  path += path.ends_with('/') ? "" : "/";
  for (const auto& file : tree) {
    if (file.path.starts_with(path)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Findings broken_links(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    if (!file.is_markdown()) {
      continue;
    }
    for (const auto& link : links_of(file)) {
      const auto where = file.path + ":" + std::to_string(link.line);
      const auto* target = find(tree, link.path);
      if (!target && !is_folder(tree, link.path)) {
        found.push_back({where, "leads to " + link.path + ", which is not there"});
      } else if (target && target->is_markdown() && !link.anchor.empty() &&
                 !anchors_of(*target).contains(link.anchor)) {
        found.push_back({where, link.path + " has no heading #" + link.anchor});
      }
    }
  }
  return found;
}

Findings lost_documents(const Tree& tree) {
  std::set<std::string> reached;
  std::vector<std::string> waiting = {"README.md"};
  while (!waiting.empty()) {
    const auto path = waiting.back();
    waiting.pop_back();
    const auto* file = find(tree, path);
    if (!file || !reached.insert(path).second || !file->is_markdown()) {
      continue;
    }
    for (const auto& link : links_of(*file)) {
      waiting.push_back(link.path);
    }
  }
  Findings found;
  for (const auto& file : tree) {
    if (file.is_markdown() && !reached.contains(file.path)) {
      found.push_back({file.path, "no path of links leads here from README.md"});
    }
  }
  return found;
}

}  // namespace nando::tidy
