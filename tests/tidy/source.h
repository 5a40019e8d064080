// The files that tidy reads: the whole tree, each file as text and, for C++, as code alone.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nando::tidy {

struct Source {
  std::string path;  // From the root of the project, with '/'.
  std::string text;

  bool is_header() const { return path.ends_with(".h"); }
  bool is_cpp() const { return is_header() || path.ends_with(".cc"); }
  bool is_test() const;  // A test, a fuzz target, test_*.h, or anything under tests/ or bench/.
  bool is_markdown() const { return path.ends_with(".md"); }
  bool is_script() const { return text.starts_with("#!"); }
  bool is_build_file() const;  // CMake or make.

  // Read by people line by line: C++, scripts, pages, build files; and neither a table nor
  // generated.
  bool is_prose_code() const;

  std::string folder() const;  // "src/base"; "" in the root.
  std::string layer() const;   // "base" for src/base/x.h; "" elsewhere.
};

using Tree = std::vector<Source>;

// Everything under `root` except what the build, the server and git keep there.
Tree read_tree(const std::filesystem::path& root);

// The file at `path`, or null.
const Source* find(const Tree& tree, std::string_view path);

std::vector<std::string_view> lines_of(std::string_view text);

// `text` with comments, strings and character literals blanked, so that what is left is code. Every
// character and line stays where it was. Strings after #include are kept.
std::string code_of(std::string_view text);

// The line, counted from 1, that holds the character at `offset`.
std::size_t line_at(std::string_view text, std::size_t offset);

}  // namespace nando::tidy
