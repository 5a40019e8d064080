#include "tidy/source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>

namespace nando::tidy {
namespace {

// build*, data and node_modules are what .gitignore names.
bool is_kept_out(const std::string& name) {
  return name == ".git" || name == "data" || name == "node_modules" || name == "__pycache__" ||
         name.starts_with("build");
}

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// Walks C++ text and blanks what is not code. Each skip_ function is called at the first character
// of what it skips.
class Scrubber {
 public:
  explicit Scrubber(std::string_view text) : text_(text), code_(text) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        blank_until("\n", 0);
      } else if (starts("/*")) {
        blank_until("*/", 2);
      } else if (starts("R\"") && !is_word(before())) {
        skip_raw_string();
      } else if (text_[at_] == '"') {
        skip_quoted('"');
      } else if (text_[at_] == '\'' && !is_word(before())) {  // Not 1'000.
        skip_quoted('\'');
      } else {
        ++at_;
      }
    }
    return std::move(code_);
  }

 private:
  static bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }
  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }
  char before() const { return at_ == 0 ? ' ' : text_[at_ - 1]; }

  void blank_to(std::size_t end) {
    for (; at_ < std::min(end, text_.size()); ++at_) {
      if (text_[at_] != '\n') {
        code_[at_] = ' ';
      }
    }
  }

  void blank_until(std::string_view mark, std::size_t with) {
    const auto found = text_.find(mark, at_ + with);
    blank_to(found == std::string_view::npos ? text_.size() : found + with);
  }

  void skip_raw_string() {
    const auto open = text_.find('(', at_);
    if (open == std::string_view::npos) {
      blank_to(text_.size());
      return;
    }
    const std::string close = ")" + std::string(text_.substr(at_ + 2, open - at_ - 2)) + "\"";
    const auto end = text_.find(close, open);
    blank_to(end == std::string_view::npos ? text_.size() : end + close.size());
  }

  void skip_quoted(char quote) {
    const auto line = text_.rfind('\n', at_) + 1;
    const bool kept = text_.substr(line).starts_with("#include");
    auto end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    if (kept) {
      at_ = end + 1;
    } else {
      blank_to(end + 1);
    }
  }

  std::string_view text_;
  std::string code_;
  std::size_t at_ = 0;
};

}  // namespace

bool Source::is_test() const {
  return path.find("/test_") != std::string::npos || path.ends_with("_test.cc") ||
         path.ends_with("_fuzz.cc") || path.starts_with("tests/") || path.starts_with("bench/");
}

bool Source::is_build_file() const {
  return path.ends_with(".cmake") || path.ends_with("CMakeLists.txt") || path == "Makefile";
}

bool Source::is_prose_code() const {
  if (path.find("/tables/") != std::string::npos || path.find("/generated/") != std::string::npos) {
    return false;
  }
  constexpr std::array<std::string_view, 5> kEndings = {".py", ".ts", ".mjs", ".css", ".html"};
  return is_cpp() || is_script() || is_build_file() ||
         std::ranges::any_of(kEndings, [&](auto ending) { return path.ends_with(ending); });
}

std::string Source::folder() const {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string Source::layer() const {
  if (!path.starts_with("src/")) {
    return "";
  }
  const auto slash = path.find('/', 4);
  return slash == std::string::npos ? "" : path.substr(4, slash - 4);
}

Tree read_tree(const std::filesystem::path& root) {
  Tree tree;
  auto walk = std::filesystem::recursive_directory_iterator(root);
  for (auto it = begin(walk); it != end(walk); ++it) {
    const auto name = it->path().filename().string();
    if (it->is_directory()) {
      if (is_kept_out(name)) {
        it.disable_recursion_pending();
      }
    } else if (it->is_regular_file()) {
      tree.push_back({it->path().lexically_relative(root).generic_string(), read(it->path())});
    }
  }
  std::sort(tree.begin(), tree.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  return tree;
}

const Source* find(const Tree& tree, std::string_view path) {
  const auto at =
      std::find_if(tree.begin(), tree.end(), [&](const Source& file) { return file.path == path; });
  return at == tree.end() ? nullptr : &*at;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string code_of(std::string_view text) {
  return Scrubber(text).run();
}

std::size_t line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<std::size_t>(std::count(
                 text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

}  // namespace nando::tidy
