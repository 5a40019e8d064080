// Words: calls that have a better one, tasks left behind, names that do not belong, comments that
// say nothing.
#include <algorithm>

#include "tidy/pattern.h"
#include "tidy/rules.h"

namespace nando::tidy {
namespace {

bool no_tests(const Source& file) {
  return file.path.starts_with("src/") && !file.is_test();
}
bool all_code(const Source&) {
  return true;
}
bool program_and_tests(const Source& file) {
  return file.path.starts_with("src/") || file.path.ends_with("_test.cc");
}
bool outside_cli(const Source& file) {
  return no_tests(file) && file.layer() != "cli";
}
bool outside_assert(const Source& file) {
  return no_tests(file) && file.path != "src/base/assert.h";
}
bool outside_settings(const Source& file) {
  return no_tests(file) && !file.path.starts_with("src/cli/settings");
}
bool outside_clock(const Source& file) {
  return no_tests(file) && !file.path.starts_with("src/base/clock.");
}
bool outside_entropy(const Source& file) {
  return no_tests(file) && !file.path.starts_with("src/base/entropy.");
}
bool in_header(const Source& file) {
  return file.is_header();
}

struct Ban {
  const char* pattern;
  bool (*applies)(const Source&);
  std::string_view instead;
};

// Strings and comments are blanked before these are looked for.
constexpr Ban kBans[] = {
    {R"(\bsystem\s*\()", all_code, "start no shell"},
    {R"(\bpopen\s*\()", all_code, "start no shell"},
    {R"(\bs?rand\s*\()", all_code, "base/entropy.h, or a seeded engine in a test"},
    {R"(\brandom_device\b)", outside_entropy, "base/entropy.h"},
    {R"(\b(gets|strcpy|strcat|sprintf|vsprintf|strtok)\s*\()", all_code,
     "std::string or fmt::format"},
    {R"(\b(atoi|atol|atoll|atof)\s*\()", all_code, "std::from_chars, which says when it fails"},
    {R"(\bstd::(cout|cerr|clog)\b)", outside_cli, "telemetry/log.h; only commands print"},
    {R"(\b(printf|fprintf|puts|fputs)\s*\()", outside_assert,
     "telemetry/log.h, or fmt::print in cli"},
    {R"(\bstd::endl\b)", all_code, "'\\n'"},
    {R"(\bgetenv\s*\()", outside_settings, "cli/settings, once"},
    {R"(\b(system_clock|steady_clock|high_resolution_clock)::now\b)", outside_clock,
     "base/clock.h"},
    {R"(\b(gettimeofday|clock_gettime)\s*\()", outside_clock, "base/clock.h"},
    {R"(\btime\s*\(\s*(nullptr|NULL|0)\s*\))", outside_clock, "base/clock.h"},
    {R"(\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\()", program_and_tests,
     "wait for the event itself"},
    {R"(\.detach\s*\()", all_code, "a thread with an owner that joins it"},
    {R"(\bstd::(regex|async|auto_ptr|bind)\b)", no_tests, "RE2, a queue, unique_ptr, a lambda"},
    {R"(\bdelete\s+[\w(*]|\bdelete\s*\[)", all_code, "std::unique_ptr or a container"},
    {R"(\b(malloc|calloc|realloc)\s*\()", no_tests, "std::unique_ptr or a container"},
    {R"(\busing\s+namespace\b)", in_header, "names spelled out in headers"},
};

std::string place(const Source& file, std::string_view text, std::size_t offset) {
  return file.path + ":" + std::to_string(line_at(text, offset));
}

// Every match of `pattern` in `text`, reported at its line.
void search(const Source& file, const std::string& text, const Pattern& pattern,
            const std::string& what, Findings& found) {
  for (const auto& match : pattern.all(text)) {
    found.push_back({place(file, text, match.position), what});
  }
}

bool is_text(const Source& file) {
  return file.is_prose_code() || file.is_markdown() || file.path.ends_with(".toml") ||
         file.path == "NOTICE";
}

}  // namespace

Findings bare_headers(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    if (!file.is_header()) {
      continue;
    }
    if (code_of(file.text).find("#pragma once") == std::string::npos) {
      found.push_back({file.path, "no #pragma once"});
    }
    if (!file.text.starts_with("//")) {
      found.push_back({file.path, "does not begin with a comment that says what it is"});
    }
  }
  return found;
}

Findings bool_parameters(const Tree& tree) {
  static const Pattern parameter(R"([(,]\s*(const\s+)?bool\b\s*\w*\s*(=[^,();]*)?[,)])");
  Findings found;
  for (const auto& file : tree) {
    if (file.is_header()) {
      search(file, code_of(file.text), parameter, "a bool parameter; use an enum", found);
    }
  }
  return found;
}

Findings banned_calls(const Tree& tree) {
  static const auto patterns = [] {
    std::vector<Pattern> all;
    for (const auto& ban : kBans) {
      all.emplace_back(ban.pattern);
    }
    return all;
  }();
  Findings found;
  for (const auto& file : tree) {
    if (!file.is_cpp()) {
      continue;
    }
    const auto code = code_of(file.text);
    for (std::size_t i = 0; i < std::size(kBans); ++i) {
      if (kBans[i].applies(file)) {
        search(file, code, patterns[i], "instead: " + std::string(kBans[i].instead), found);
      }
    }
  }
  return found;
}

Findings forgotten_tasks(const Tree& tree) {
  // Spelled so that this file does not find itself.
  static const Pattern fix(
      "\\bFIX"
      "ME\\b|\\bXX"
      "X\\b");
  static const Pattern todo(
      "\\bTO"
      "DO\\b(?!\\s*\\(#\\d+\\))");
  Findings found;
  for (const auto& file : tree) {
    if (is_text(file)) {
      search(file, file.text, fix, "mend it before it is on main", found);
      search(file, file.text, todo, "a task without its issue, (#N)", found);
    }
  }
  return found;
}

Findings machine_names(const Tree& tree) {
  static const Pattern machine(
      "/wo"
      "rk/|\\.lib"
      "rary\\b|fresh-mach"
      "ine|\\bfar"
      "m-\\w|shared/to"
      "ols");
  static const Pattern scratch(
      "/tm"
      "p/|/var/tm"
      "p/|/ho"
      "me/\\w");
  Findings found;
  for (const auto& file : tree) {
    if (is_text(file)) {
      search(file, file.text, machine, "the name of one machine or of its tools", found);
    }
    if (file.path.starts_with("src/")) {
      search(file, file.text, scratch, "a path of one machine; take it as an argument", found);
    }
  }
  return found;
}

Findings merge_marks(const Tree& tree) {
  static const Pattern mark("(^|\n)(<{7}|>{7}|\\|{7}) ");
  Findings found;
  for (const auto& file : tree) {
    search(file, file.text, mark, "a merge that was not finished", found);
  }
  return found;
}

Findings dead_comments(const Tree& tree) {
  static const Pattern banner(R"(//\s*[-=*#~_/+]{4,})");
  static const Pattern code(
      R"(\n\s*//\s*((if|for|while|switch)\s*\(.*\{|return\b.*;|\}|[\w:.>-]+\(.*\);|#include.*))"
      R"(\s*(?=\n))");
  Findings found;
  for (const auto& file : tree) {
    if (file.is_cpp()) {
      search(file, file.text, banner, "a banner line; a blank line divides as well", found);
      search(file, file.text, code, "code commented out; git remembers it", found);
    }
  }
  return found;
}

}  // namespace nando::tidy
