// Limits on how much a reader meets at once: columns, lines of a function, of a file, of a preface.
#include <algorithm>
#include <cctype>

#include "tidy/pattern.h"
#include "tidy/rules.h"

namespace nando::tidy {
namespace {

std::string place(const Source& file, std::size_t line) {
  return file.path + ":" + std::to_string(line);
}

std::string over(std::size_t is, std::string_view unit, std::size_t limit) {
  return std::to_string(is) + " " + std::string(unit) + ", at most " + std::to_string(limit);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\n");
  return first == std::string_view::npos
             ? ""
             : text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

// Characters, not bytes: UTF-8 continuation bytes take no column.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// What an opening brace opens, judged by the text since the last `;`, `{` or `}`.
enum class Block { scope, function, other };

Block classify(std::string_view head) {
  static const Pattern scope(R"((template\s*<[^{}]*?>\s*|(private|public|protected)\s*:\s*)*)"
                             R"((inline\s+)?(namespace|class|struct|union|enum|extern)\b[^]*)");
  const auto text = trimmed(head);
  if (scope.whole(text)) {
    return Block::scope;
  }
  const bool value = text.empty() || text.back() == '=' || text.back() == ',' || text.back() == '(';
  return !value && text.find(')') != std::string_view::npos ? Block::function : Block::other;
}

struct Extent {
  std::size_t first;
  std::size_t last;
};

// Every outermost function in `code`, from the first line of its signature to its closing brace. A
// lambda or a local class belongs to the function around it.
class FunctionFinder {
 public:
  explicit FunctionFinder(const std::string& code) : code_(code) {}

  std::vector<Extent> run() {
    for (at_ = 0; at_ < code_.size(); ++at_) {
      switch (code_[at_]) {
        case '#':
          skip_directive();
          break;
        case ';':
          head_ = at_ + 1;
          break;
        case '{':
          open();
          break;
        case '}':
          head_ = at_ + 1;
          break;
        default:
          break;
      }
    }
    return std::move(found_);
  }

 private:
  void skip_directive() {
    do {
      at_ = std::min(code_.find('\n', at_ + 1), code_.size());
    } while (at_ < code_.size() && code_[at_ - 1] == '\\');
    head_ = std::max(head_, at_);
  }

  void open() {
    const auto head = std::string_view(code_).substr(head_, at_ - head_);
    const auto kind = classify(head);
    if (kind == Block::scope) {
      head_ = at_ + 1;
      return;
    }
    at_ = closing(at_);
    const auto next = std::min(code_.find_first_not_of(" \n", at_ + 1), code_.size());
    if (next < code_.size() && (code_[next] == ',' || code_[next] == '{')) {
      return;  // A member initialiser, `a_{1}, b_{2} {`: the function is still to be opened.
    }
    if (kind == Block::function) {
      const auto first = head_ + std::min(head.find_first_not_of(" \n"), head.size());
      found_.push_back({line_at(code_, first), line_at(code_, at_)});
    }
    head_ = at_ + 1;
  }

  std::size_t closing(std::size_t at) const {
    for (int depth = 0; at < code_.size(); ++at) {
      depth += code_[at] == '{' ? 1 : code_[at] == '}' ? -1 : 0;
      if (depth == 0) {
        return at;
      }
    }
    return code_.size() - 1;
  }

  const std::string& code_;
  std::size_t at_ = 0;
  std::size_t head_ = 0;
  std::vector<Extent> found_;
};

// True for what may stand between the preface and the first declaration.
bool is_preamble(std::string_view line) {
  return line.empty() || line.starts_with("#") || line.starts_with("namespace") ||
         line.starts_with("using ") || (line.starts_with("class ") && line.ends_with(";")) ||
         (line.starts_with("struct ") && line.ends_with(";"));
}

}  // namespace

Findings long_lines(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    if (!file.is_prose_code()) {
      continue;
    }
    std::size_t number = 0;
    for (const auto line : lines_of(file.text)) {
      ++number;
      if (const auto width = columns(line); width > kLineColumnsMax) {
        found.push_back({place(file, number), over(width, "columns", kLineColumnsMax)});
      }
    }
  }
  return found;
}

Findings long_functions(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    if (!file.is_cpp() || !file.is_prose_code()) {
      continue;
    }
    for (const auto& [first, last] : FunctionFinder(code_of(file.text)).run()) {
      if (const auto lines = last - first + 1; lines > kFunctionLinesMax) {
        found.push_back(
            {place(file, first), over(lines, "lines in a function", kFunctionLinesMax)});
      }
    }
  }
  return found;
}

Findings long_files(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    const auto lines = lines_of(file.text).size();
    if (file.is_prose_code() && lines > kFileLinesMax) {
      found.push_back({file.path, over(lines, "lines", kFileLinesMax)});
    }
  }
  return found;
}

Findings long_header_comments(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    std::size_t comments = 0;
    for (const auto raw : lines_of(file.is_header() ? std::string_view(file.text) : "")) {
      const auto line = trimmed(raw);
      if (line.starts_with("//")) {
        ++comments;
      } else if (!is_preamble(line)) {
        break;
      }
    }
    if (comments > kHeaderCommentLinesMax) {
      found.push_back({file.path, over(comments, "lines of comment above the first declaration",
                                       kHeaderCommentLinesMax)});
    }
  }
  return found;
}

Findings untidy_whitespace(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    if (!file.is_prose_code() && !file.is_markdown()) {
      continue;
    }
    if (!file.text.empty() && !file.text.ends_with('\n')) {
      found.push_back({file.path, "ends without a newline"});
    }
    std::size_t number = 0;
    for (const auto line : lines_of(file.text)) {
      ++number;
      if (line.ends_with(' ') || line.ends_with('\t') || line.ends_with('\r')) {
        found.push_back({place(file, number), "white space at the end of the line"});
      }
      if (line.find('\t') != std::string_view::npos && file.path != "Makefile") {
        found.push_back({place(file, number), "a tab; use spaces"});
      }
    }
  }
  return found;
}

}  // namespace nando::tidy
