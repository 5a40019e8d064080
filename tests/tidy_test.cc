// Tidiness is a test: the tree keeps every rule, and every rule finds the sample that breaks it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tidy/rules.h"

namespace nando::tidy {

static void PrintTo(const Rule& rule, std::ostream* stream) {
  *stream << rule.name;
}

namespace {

const Tree& project() {
  static const Tree tree = read_tree(SOURCE_DIR);
  return tree;
}

std::string printed(const Findings& findings) {
  std::string text;
  for (const auto& [where, what] : findings) {
    text += where + ": " + what + "\n";
  }
  return text;
}

std::string repeated(std::size_t times, std::string_view text) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

Tree files(std::size_t count, const std::string& folder) {
  Tree tree;
  for (std::size_t i = 0; i < count; ++i) {
    tree.push_back({folder + "/f" + std::to_string(i) + ".cc", "\n"});
  }
  return tree;
}

// A function of `lines` lines, signature and closing brace included.
std::string function(std::size_t lines, std::string_view signature = "void f() {\n") {
  return std::string(signature) + repeated(lines - 2, "  g();\n") + "}\n";
}

struct Sample {
  std::string_view rule;
  std::string_view says;
  std::size_t findings;
  Tree tree;
};

Tree one(std::string path, std::string text) {
  return {{std::move(path), std::move(text)}};
}

std::vector<Sample> layout_samples() {
  const std::string wide(100, 'x');
  return {
      {"long_lines", "at the limit", 0, one("src/a/x.cc", wide + "\n")},
      {"long_lines", "one past it", 1, one("src/a/x.cc", wide + "x\n")},
      {"long_lines", "characters count, not bytes", 0,
       one("src/a/x.cc", repeated(100, "é") + "\n")},
      {"long_lines", "scripts too", 1, one("tools/x", "#!/usr/bin/env bash\n" + wide + "x\n")},
      {"long_lines", "tables are exempt", 0, one("src/a/tables/x.h", wide + "x\n")},
      {"long_functions", "at the limit", 0, one("src/a/x.cc", function(70))},
      {"long_functions", "one past it", 1, one("src/a/x.cc", function(71))},
      {"long_functions", "two past it", 1, one("src/a/x.cc", function(72))},
      {"long_functions", "far past it", 1, one("src/a/x.cc", function(300))},
      {"long_functions", "inside namespace and class", 1,
       one("src/a/x.h", "namespace n {\nclass C : public B<int> {\n public:\n" +
                            function(71, "  int f() const {\n") + "};\n}\n")},
      {"long_functions", "a test body", 1, one("src/a/x_test.cc", function(71, "TEST(A, B) {\n"))},
      {"long_functions", "a template", 1,
       one("src/a/x.h", function(71, "template <class T>\nauto f(T t) -> int {\n") + "//\n")},
      {"long_functions", "after member initialisers", 1,
       one("src/a/x.cc", function(71, "C::C() : a_{1}, b_{2} {\n"))},
      {"long_functions", "a lambda kept in a variable", 1,
       one("src/a/x.cc", function(71, "const auto f = [](int a) {\n"))},
      {"long_functions", "a local class belongs to its function", 1,
       one("src/a/x.cc", "void f() {\nstruct S {\n" + repeated(70, "int x;\n") + "};\n}\n")},
      {"long_functions", "a brace in a string is none", 0,
       one("src/a/x.cc", "void f() {\n  g(\"{\", '{', R\"({{)\");  // {\n}\n" + function(70))},
      {"long_functions", "a table is no function", 0,
       one("src/a/x.cc", "const std::array kRows = {\n" + repeated(200, "Row{f(1)},\n") + "};\n")},
      {"long_functions", "a class is no function", 0,
       one("src/a/x.h", "class C {\n" + repeated(200, "  int f();\n") + "};\n")},
      {"long_files", "at the limit", 0, one("src/a/x.cc", repeated(500, "\n"))},
      {"long_files", "one past it", 1, one("src/a/x.cc", repeated(501, "\n"))},
      {"long_header_comments", "at the limit", 0,
       one("src/a/x.h", repeated(30, "// x\n") + "#pragma once\nint x;\n// y\n")},
      {"long_header_comments", "one past it", 1,
       one("src/a/x.h", repeated(30, "// x\n") + "#pragma once\nnamespace a {\n// y\nint x;\n")},
      {"untidy_whitespace", "clean", 0, one("src/a/x.cc", "int x;\n")},
      {"untidy_whitespace", "space at the end", 1, one("src/a/x.cc", "int x; \n")},
      {"untidy_whitespace", "carriage return", 1, one("src/a/x.cc", "int x;\r\n")},
      {"untidy_whitespace", "a tab", 1, one("src/a/x.cc", "\tint x;\n")},
      {"untidy_whitespace", "make needs its tabs", 0, one("Makefile", "a:\n\tb\n")},
      {"untidy_whitespace", "no newline at the end", 1, one("docs/x.md", "x")},
  };
}

std::vector<Sample> tree_samples() {
  const std::string plan = "layer(base)\nlayer(model USES base)\n";
  return {
      {"crowded_folders", "at the limit", 0, files(20, "src/base")},
      {"crowded_folders", "one past it", 1, files(21, "src/base")},
      {"deep_folders", "at the limit", 0, one("src/base/x.cc", "")},
      {"deep_folders", "one past it", 1, one("src/base/more/x.cc", "")},
      {"deep_folders", "tables may go one further", 0, one("src/base/tables/x.h", "")},
      {"homeless_sources", "a named layer", 0, {{"CMakeLists.txt", plan}, {"src/model/x.cc", ""}}},
      {"homeless_sources", "no layer", 1, {{"CMakeLists.txt", plan}, {"src/lost/x.cc", ""}}},
      {"homeless_sources", "no folder", 1, {{"CMakeLists.txt", plan}, {"src/x.cc", ""}}},
      {"unused_headers", "used", 0, {{"src/a/x.h", ""}, {"src/b/y.cc", "#include \"a/x.h\"\n"}}},
      {"unused_headers", "used by nobody", 1, {{"src/a/x.h", ""}, {"src/b/y.cc", ""}}},
      {"large_blobs", "at the limit", 0, one("web/x.png", std::string(512 * 1024, 'x'))},
      {"large_blobs", "one past it", 1, one("web/x.png", std::string(512 * 1024 + 1, 'x'))},
      {"careless_scripts", "strict", 0,
       one("tools/x", "#!/usr/bin/env bash\n# Why.\nset -euo pipefail\n")},
      {"careless_scripts", "not strict", 1, one("tools/x", "#!/usr/bin/env bash\necho\n")},
      {"careless_scripts", "another shell", 1, one("tools/x", "#!/bin/sh\nset -euo pipefail\n")},
      {"broken_links",
       "a file, a folder, a heading, the web, code",
       0,
       {{"README.md",
         "[a](docs/a.md) [d](docs/) [h](docs/a.md#two-words) [w](https://x.org)\n"
         "`[c](nowhere.md)`\n"},
        {"docs/a.md", "# Two words\n[up](../README.md)\n"}}},
      {"broken_links", "no such file", 1, one("README.md", "[a](docs/a.md)\n")},
      {"broken_links", "no such heading", 1, one("README.md", "# One\n[a](#two)\n")},
      {"lost_documents",
       "reached by two steps",
       0,
       {{"README.md", "[a](docs/a.md)"}, {"docs/a.md", "[b](b.md)"}, {"docs/b.md", ""}}},
      {"lost_documents", "reached by none", 1, {{"README.md", ""}, {"docs/b.md", ""}}},
  };
}

std::vector<Sample> include_samples() {
  const auto includes = [](std::string path, std::string header) {
    return Tree{{"src/model/hit.h", ""}, {std::move(path), "#include " + header + "\n"}};
  };
  return {
      {"odd_includes", "layer/file.h", 0, includes("src/ledger/x.cc", "\"model/hit.h\"")},
      {"odd_includes", "a table", 0, includes("src/ledger/x.cc", "\"model/tables/zones.h\"")},
      {"odd_includes", "a neighbour without its layer", 1, includes("src/model/x.cc", "\"hit.h\"")},
      {"odd_includes", "upwards", 1, includes("src/ledger/x.cc", "\"../model/hit.h\"")},
      {"odd_includes", "through the middle", 1,
       includes("src/ledger/x.cc", "\"a/../model/hit.h\"")},
      {"odd_includes", "ours in angles", 1, includes("src/ledger/x.cc", "<model/hit.h>")},
      {"odd_includes", "in a comment", 0, one("src/model/x.cc", "// #include \"hit.h\"\n")},
      {"libraries_out_of_place", "standard", 0, includes("src/model/x.cc", "<vector>")},
      {"libraries_out_of_place", "at home", 0, includes("src/registry/x.cc", "<sqlite3.h>")},
      {"libraries_out_of_place", "away", 1, includes("src/ledger/x.cc", "<sqlite3.h>")},
      {"libraries_out_of_place", "JSON in the heart", 1,
       includes("src/ingest/x.cc", "<boost/json.hpp>")},
      {"libraries_out_of_place", "Asio in the heart", 1,
       includes("src/journal/x_test.cc", "<boost/asio/post.hpp>")},
      {"libraries_out_of_place", "awaitable in api", 0,
       includes("src/api/x.h", "<boost/asio/awaitable.hpp>")},
      {"libraries_out_of_place", "the rest of Asio in api", 1,
       includes("src/api/x.h", "<boost/asio/post.hpp>")},
      {"libraries_out_of_place", "unknown", 1,
       includes("src/base/x.cc", "<absl/strings/str_cat.h>")},
      {"libraries_out_of_place", "files outside their seam", 1,
       includes("src/ledger/x.cc", "<fcntl.h>")},
      {"libraries_out_of_place", "files in a test", 0,
       includes("src/ledger/x_test.cc", "<fcntl.h>")},
      {"libraries_out_of_place", "GoogleTest in a test", 0,
       includes("src/ledger/x_test.cc", "<gtest/gtest.h>")},
      {"libraries_out_of_place", "GoogleTest elsewhere", 1,
       includes("src/ledger/x.cc", "<gtest/gtest.h>")},
  };
}

std::vector<Sample> ban_samples() {
  const auto ban = [](std::string_view says, std::size_t findings, std::string path,
                      std::string code) {
    return Sample{"banned_calls", says, findings, one(std::move(path), std::move(code) + "\n")};
  };
  return {
      ban("shell", 1, "src/cli/x.cc", "std::system(\"ls\");"),
      ban("Boost's namespace is not the call", 0, "src/base/x.cc",
          "boost::system::result<int> r();"),
      ban("rand", 1, "src/a/x_test.cc", "int x = rand();"),
      ban("strcpy", 1, "src/a/x.cc", "strcpy(a, b);"),
      ban("sprintf", 1, "src/a/x.cc", "std::sprintf(a, b);"),
      ban("snprintf is another", 0, "src/a/x.cc", "std::snprintf(a, n, b);"),
      ban("cout in a layer", 1, "src/ledger/x.cc", "std::cout << 1;"),
      ban("cout in a command", 0, "src/cli/x.cc", "std::cout << 1;"),
      ban("printf", 1, "src/cli/x.cc", "printf(\"x\");"),
      ban("printf of the assertion", 0, "src/base/assert.h", "std::fprintf(stderr, \"x\");"),
      ban("getenv", 1, "src/cli/serve.cc", "std::getenv(\"X\");"),
      ban("getenv of the settings", 0, "src/cli/settings.cc", "std::getenv(\"X\");"),
      ban("wall clock", 1, "src/ledger/x.cc", "std::chrono::system_clock::now();"),
      ban("its one place", 0, "src/base/clock.h", "std::chrono::system_clock::now();"),
      ban("a type is not a reading", 0, "src/a/x.h", "std::chrono::system_clock::time_point t;"),
      ban("sleeping, even in a test", 1, "src/a/x_test.cc", "std::this_thread::sleep_for(1s);"),
      ban("detach", 1, "src/a/x.cc", "thread.detach();"),
      ban("delete", 1, "src/a/x.cc", "delete pointer;"),
      ban("a deleted function", 0, "src/a/x.h", "X(const X&) = delete;\nint y;"),
      ban("in a comment and a string", 0, "src/a/x.cc", "// rand()\nf(\"rand()\");"),
      ban("using namespace in a header", 1, "src/a/x.h", "using namespace std;"),
      ban("a digit separator hides nothing", 1, "src/a/x.cc", "int x = 1'000 + rand() + 1'0;"),
  };
}

std::vector<Sample> word_samples() {
  const std::string task =
                        "TO"
                        "DO",
                    broken =
                        "FIX"
                        "ME",
                    machine =
                        "/wo"
                        "rk/x",
                    scratch =
                        "/tm"
                        "p/x";
  const std::string header = "// What.\n#pragma once\n";
  return {
      {"bare_headers", "both", 0, one("src/a/x.h", header)},
      {"bare_headers", "no guard", 1, one("src/a/x.h", "// What.\n")},
      {"bare_headers", "no comment", 1, one("src/a/x.h", "#pragma once\n")},
      {"bool_parameters", "one", 1, one("src/a/x.h", "void f(bool on);\n")},
      {"bool_parameters", "second, with default", 1,
       one("src/a/x.h", "void f(int a, bool on = true);\n")},
      {"bool_parameters", "without a name", 1, one("src/a/x.h", "std::function<void(bool)> f;\n")},
      {"bool_parameters", "results and conversions", 0,
       one("src/a/x.h", "bool f();\nexplicit operator bool() const;\nstd::pair<int, bool> g();\n")},
      {"bool_parameters", "a field", 0, one("src/a/x.h", "struct S {\n  bool on;\n};\n")},
      {"forgotten_tasks", "with its issue", 0, one("src/a/x.cc", "// " + task + " (#12): why.\n")},
      {"forgotten_tasks", "without", 1, one("src/a/x.cc", "// " + task + ": why.\n")},
      {"forgotten_tasks", "not on main", 1, one("docs/x.md", broken + " (#12)\n")},
      {"machine_names", "none", 0, one("src/a/x.cc", "int network;\n")},
      {"machine_names", "a path", 1, one("docs/x.md", machine + "\n")},
      {"machine_names", "a scratch path in the program", 1, one("src/a/x.cc", scratch + "\n")},
      {"merge_marks", "arrows in a drawing", 0, one("docs/x.md", "a >>>>>>> b\n")},
      {"merge_marks", "both sides", 2,
       one("x", "a\n" + std::string(7, '<') + " HEAD\nb\n" + std::string(7, '>') + " c\n")},
      {"dead_comments", "a sentence", 0, one("src/a/x.cc", "int x;\n// Why: f() may fail.\n")},
      {"dead_comments", "a banner", 1,
       one("src/a/x.cc",
           "//"
           "--------\n")},
      {"dead_comments", "old code", 2, one("src/a/x.cc", "{\n// f(x);\n// return y;\n}\n")},
  };
}

std::vector<Sample> samples() {
  std::vector<Sample> all;
  for (auto&& part :
       {layout_samples(), tree_samples(), include_samples(), ban_samples(), word_samples()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  all.push_back({"banned_calls", "none", 0, one("src/a/x.cc", "int x;\n")});
  return all;
}

class TidyRule : public testing::TestWithParam<Rule> {};

TEST_P(TidyRule, IsKeptByTheWholeTree) {
  const auto findings = GetParam().check(project());
  EXPECT_TRUE(findings.empty()) << printed(findings);
}

// The negative control: at least one sample breaks the rule, at least one keeps it, and the count
// of findings is right for each.
TEST_P(TidyRule, FindsWhatItShouldAndNothingElse) {
  std::size_t broken = 0, kept = 0;
  for (const auto& [rule, says, expected, tree] : samples()) {
    if (rule == GetParam().name) {
      const auto findings = GetParam().check(tree);
      EXPECT_EQ(findings.size(), expected) << says << "\n" << printed(findings);
      ++(expected > 0 ? broken : kept);
    }
  }
  EXPECT_GT(broken, 0U);
  EXPECT_GT(kept, 0U);
}

INSTANTIATE_TEST_SUITE_P(All, TidyRule, testing::ValuesIn(kRules),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Tidy, ReadsTheWholeProject) {
  for (const auto* path : {"CMakeLists.txt", "Makefile", ".ci/run", "tests/tidy_test.cc",
                           "tests/tidy/rules.h", "src/base/result.h", "docs/ARCHITECTURE.md"}) {
    EXPECT_NE(find(project(), path), nullptr) << path;
  }
}

TEST(Tidy, ReadsNothingThatTheBuildMakes) {
  EXPECT_THAT(project(), testing::Not(testing::Contains(
                             testing::Field(&Source::path, testing::StartsWith("build/")))));
}

TEST(Tidy, CodeKeepsEveryLineAndLosesEveryWord) {
  const std::string text = "a /* b\nb */ c \"d\\\"d\" 'e' R\"x(f\nf)\" )x\" 1'0 // g\nh\n";
  const auto code = code_of(text);
  EXPECT_EQ(code.size(), text.size());
  EXPECT_EQ(lines_of(code).size(), lines_of(text).size());
  EXPECT_THAT(code, testing::Not(testing::ContainsRegex("[bdefg]")));
  EXPECT_THAT(code, testing::ContainsRegex("a .*\n.* c .*\n.*1'0 .*\nh"));
}

}  // namespace
}  // namespace nando::tidy
