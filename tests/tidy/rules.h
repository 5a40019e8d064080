// What tidy holds every file of the project to: style.md's limits, house.md's walls, and words that
// have a better one. No rule has exceptions but the folders tables/ and generated/.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tidy/source.h"

namespace nando::tidy {

inline constexpr std::size_t kLineColumnsMax = 100;
inline constexpr std::size_t kFunctionLinesMax = 70;
inline constexpr std::size_t kFileLinesMax = 500;
inline constexpr std::size_t kHeaderCommentLinesMax = 30;
inline constexpr std::size_t kFolderFilesMax = 20;
inline constexpr std::size_t kSourceDepthMax = 2;
inline constexpr std::size_t kBlobBytesMax = 512 * 1024;

struct Finding {
  std::string where;  // path:line, or a path.
  std::string what;   // What is wrong, and what would be right.
};
using Findings = std::vector<Finding>;

struct Rule {
  std::string_view name;
  Findings (*check)(const Tree&);
};

// layout_rules.cc
Findings long_lines(const Tree&);
Findings long_functions(const Tree&);
Findings long_files(const Tree&);
Findings long_header_comments(const Tree&);
Findings untidy_whitespace(const Tree&);

// tree_rules.cc
Findings crowded_folders(const Tree&);
Findings deep_folders(const Tree&);
Findings homeless_sources(const Tree&);
Findings unused_headers(const Tree&);
Findings large_blobs(const Tree&);
Findings careless_scripts(const Tree&);

// document_rules.cc
Findings broken_links(const Tree&);
Findings lost_documents(const Tree&);

// include_rules.cc
Findings odd_includes(const Tree&);
Findings libraries_out_of_place(const Tree&);

// word_rules.cc
Findings bare_headers(const Tree&);
Findings bool_parameters(const Tree&);
Findings banned_calls(const Tree&);
Findings forgotten_tasks(const Tree&);
Findings machine_names(const Tree&);
Findings merge_marks(const Tree&);
Findings dead_comments(const Tree&);

inline constexpr std::array kRules = {
    Rule{"long_lines", long_lines},
    Rule{"long_functions", long_functions},
    Rule{"long_files", long_files},
    Rule{"long_header_comments", long_header_comments},
    Rule{"untidy_whitespace", untidy_whitespace},
    Rule{"crowded_folders", crowded_folders},
    Rule{"deep_folders", deep_folders},
    Rule{"homeless_sources", homeless_sources},
    Rule{"unused_headers", unused_headers},
    Rule{"large_blobs", large_blobs},
    Rule{"careless_scripts", careless_scripts},
    Rule{"broken_links", broken_links},
    Rule{"lost_documents", lost_documents},
    Rule{"odd_includes", odd_includes},
    Rule{"libraries_out_of_place", libraries_out_of_place},
    Rule{"bare_headers", bare_headers},
    Rule{"bool_parameters", bool_parameters},
    Rule{"banned_calls", banned_calls},
    Rule{"forgotten_tasks", forgotten_tasks},
    Rule{"machine_names", machine_names},
    Rule{"merge_marks", merge_marks},
    Rule{"dead_comments", dead_comments},
};

}  // namespace nando::tidy
