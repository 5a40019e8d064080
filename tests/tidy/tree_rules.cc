// What the tree as a whole must keep: how full and how deep, and that every file has its place.
#include <algorithm>
#include <map>
#include <set>

#include "tidy/pattern.h"
#include "tidy/rules.h"

namespace nando::tidy {
namespace {

std::set<std::string> declared_layers(const Tree& tree) {
  std::set<std::string> names;
  if (const auto* plan = find(tree, "CMakeLists.txt")) {
    static const Pattern layer(R"((?:^|\n)layer\(\s*(\w+))");
    for (const auto& match : layer.all(plan->text)) {
      names.insert(match.groups[1]);
    }
  }
  return names;
}

}  // namespace

Findings crowded_folders(const Tree& tree) {
  std::map<std::string, std::size_t> counts;
  for (const auto& file : tree) {
    if (file.is_prose_code() || file.is_markdown()) {
      ++counts[file.folder()];
    }
  }
  Findings found;
  for (const auto& [folder, files] : counts) {
    if (files > kFolderFilesMax) {
      found.push_back({folder, std::to_string(files) + " files in a folder, at most " +
                                   std::to_string(kFolderFilesMax)});
    }
  }
  return found;
}

Findings deep_folders(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    const auto depth = std::count(file.path.begin(), file.path.end(), '/');
    if (file.path.starts_with("src/") && static_cast<std::size_t>(depth) > kSourceDepthMax &&
        file.folder() != "src/" + file.layer() + "/tables") {
      found.push_back({file.path, "deeper than src/layer/file; only tables/ goes one further"});
    }
  }
  return found;
}

Findings homeless_sources(const Tree& tree) {
  const auto layers = declared_layers(tree);
  Findings found;
  for (const auto& file : tree) {
    if (file.path.starts_with("src/") && file.is_cpp() && !layers.contains(file.layer())) {
      found.push_back({file.path, "in no layer; name one by layer(...) in CMakeLists.txt"});
    }
  }
  return found;
}

Findings unused_headers(const Tree& tree) {
  static const Pattern include(R"re(#include "([^"]+)")re");
  std::set<std::string> used;
  for (const auto& file : tree) {
    if (!file.is_cpp()) {
      continue;
    }
    for (const auto& match : include.all(file.text)) {
      used.insert(match.groups[1]);
    }
  }
  Findings found;
  for (const auto& file : tree) {
    if (file.is_header() && file.path.starts_with("src/") && !used.contains(file.path.substr(4))) {
      found.push_back({file.path, "nobody includes it"});
    }
  }
  return found;
}

Findings large_blobs(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    if (file.text.size() > kBlobBytesMax) {
      found.push_back({file.path, std::to_string(file.text.size()) + " bytes, at most " +
                                      std::to_string(kBlobBytesMax)});
    }
  }
  return found;
}

Findings careless_scripts(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    const bool shell = file.text.starts_with("#!/usr/bin/env bash\n");
    const bool python = file.text.starts_with("#!/usr/bin/env python3\n");
    if (file.is_script() && !shell && !python) {
      found.push_back({file.path, "begins with neither #!/usr/bin/env bash nor python3"});
    }
    if (shell && file.text.find("\nset -euo pipefail\n") == std::string::npos) {
      found.push_back({file.path, "goes on after a failure; set -euo pipefail"});
    }
  }
  return found;
}

}  // namespace nando::tidy
