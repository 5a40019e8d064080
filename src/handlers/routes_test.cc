// The two tables of this layer, walked row by row: addresses (routes.cc) and errors (errors.h),
// against each other, against the code that names words, and against docs/reference/api.md.
#include "handlers/routes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "api/errors.h"
#include "embed/badge_text.h"
#include "ledger/hit_batch.h"
#include "model/drop_reason.h"

namespace nando {
namespace {

namespace fs = std::filesystem;

fs::path project() {
  return fs::path(__FILE__).parent_path() / "../..";
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

// Every literal segment that any row has, one that none has, and an empty one: two patterns that
// meet at all meet on a path of these.
std::vector<std::string> segments() {
  std::set<std::string> all{"elsewhere", ""};
  for (const auto& route : routes()) {
    std::istringstream in(std::string(route.pattern.substr(1)));
    for (std::string segment; std::getline(in, segment, '/');) {
      if (!segment.starts_with('{')) all.insert(segment);
    }
  }
  return {all.begin(), all.end()};
}

std::vector<std::string> sample_paths() {
  constexpr std::size_t kSegmentsMax = 4;
  std::vector<std::string> paths{""};
  std::size_t begin = 0;
  for (std::size_t length = 1; length <= kSegmentsMax; ++length) {
    const auto end = paths.size();
    for (; begin < end; ++begin) {
      for (const auto& segment : segments()) paths.push_back(paths[begin] + "/" + segment);
    }
  }
  return paths;
}

// Of two rows that both match, which is the more exact, by the rule in routes.h, reckoned here once
// more: 1 the first, -1 the second, 0 neither. "{...}" is the least, "{}" next, a literal the most.
int compare(std::string_view a, std::string_view b) {
  const auto rank = [](const std::string& segment) {
    return segment == "{...}" ? 0 : segment == "{}" ? 1 : 2;
  };
  std::istringstream left{std::string(a)};
  std::istringstream right{std::string(b)};
  std::string x;
  std::string y;
  while (std::getline(left, x, '/') && std::getline(right, y, '/')) {
    if (rank(x) != rank(y)) return rank(x) > rank(y) ? 1 : -1;
  }
  return 0;
}

using Rows = std::vector<std::pair<std::string_view, std::string_view>>;  // Method, pattern.

Rows rows() {
  Rows all;
  for (const auto& route : routes()) all.emplace_back(route.method, route.pattern);
  return all;
}

// Two rows and a path that both of them match with neither more exact; empty if there are none.
std::string conflict(const Rows& all, const std::vector<std::string>& paths) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      const auto& [method, pattern] = all[i];
      const auto& [other_method, other] = all[j];
      if (method != other_method || compare(pattern, other) != 0) continue;
      std::string_view rest;
      for (const auto& path : paths) {
        if (matches(pattern, path, rest) && matches(other, path, rest)) {
          return std::string(pattern) + " and " + std::string(other) + " at " + path;
        }
      }
    }
  }
  return "";
}

TEST(Routes, NoTwoRowsMatchOneRequest) {
  EXPECT_EQ(conflict(rows(), sample_paths()), "");
}

TEST(Routes, ARowThatIsThereTwiceWouldBeSeen) {
  auto all = rows();
  all.push_back(all.front());
  EXPECT_NE(conflict(all, sample_paths()), "");
  all.back() = {"GET", "/{}"};  // No more exact than itself, whatever the others are.
  all.emplace_back("GET", "/{}");
  EXPECT_EQ(conflict(all, sample_paths()), "/{} and /{} at /api");
}

TEST(Routes, OfTheRowsThatMatchTheMostExactOneIsTaken) {
  std::size_t contested = 0;
  for (const auto& path : sample_paths()) {
    for (const std::string_view method : {"GET", "POST"}) {
      const Route* best = nullptr;
      std::string_view rest;
      for (const auto& route : routes()) {
        if (route.method != method || !matches(route.pattern, path, rest)) continue;
        contested += best != nullptr;
        if (best == nullptr || compare(route.pattern, best->pattern) > 0) best = &route;
      }
      EXPECT_EQ(match_route(routes(), method, path).route, best) << method << " " << path;
    }
  }
  EXPECT_GT(contested, 0U);  // /nandolytics/nandolytics/...
}

TEST(Routes, HeadIsGet) {
  for (const auto& path : sample_paths()) {
    const auto get = match_route(routes(), "GET", path);
    const auto head = match_route(routes(), "HEAD", path);
    EXPECT_EQ(head.route, get.route) << path;
    EXPECT_EQ(head.rest, get.rest) << path;
  }
}

TEST(Routes, TheRestOfAPathIsTakenAsItIs) {
  const auto match = match_route(routes(), "GET", "/nandolytics/https:%2F%2Fa.example//b/");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.rest, "https:%2F%2Fa.example//b/");
  EXPECT_EQ(match_route(routes(), "GET", "/dev/nandolytics/x").rest, "x");
  EXPECT_EQ(match_route(routes(), "GET", "/nandolytics/").rest, "");
  EXPECT_EQ(match_route(routes(), "GET", "/nandolytics").route, nullptr);
  EXPECT_EQ(match_route(routes(), "POST", "//nandolytics/record").route, nullptr);
  EXPECT_EQ(match_route(routes(), "POST", "/a/b/nandolytics/record").route, nullptr);
}

TEST(Routes, APathWithoutThatMethodNamesTheMethodsItHas) {
  const auto match = match_route(routes(), "PUT", "/nandolytics/record");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "POST, GET, HEAD");
  ASSERT_NE(match.place, nullptr);
  EXPECT_EQ(match.place->pattern, "/nandolytics/record");
  EXPECT_EQ(match_route(routes(), "get", "/healthz").route, nullptr);
  EXPECT_EQ(match_route(routes(), "PUT", "/nothing").allow, "");
}

// So that what a preflight or a 405 says about a path does not depend on the method asked for.
TEST(Routes, RowsOfOnePathLetTheSamePeopleIn) {
  for (const auto& path : sample_paths()) {
    std::set<Access> seen;
    std::string_view rest;
    for (const auto& route : routes()) {
      if (matches(route.pattern, path, rest)) seen.insert(route.access);
    }
    EXPECT_LE(seen.size(), 1U) << path;
  }
}

// The words that a source names, by what stands before them.
std::set<std::string> words_in(const std::string& source, const char* pattern) {
  const std::regex naming(pattern);
  std::set<std::string> words;
  for (std::sregex_iterator it(source.begin(), source.end(), naming), end; it != end; ++it) {
    words.insert((*it)[1]);
  }
  return words;
}

struct Naming {
  const char* folder;
  const char* pattern;
  std::size_t at_least;  // So that a pattern that finds nothing any more is noticed.
};
const Naming kNamings[] = {
    {"src/wire", R"re(WireError\s*\{\s*"([a-z0-9_]+)")re", 10},
    {"src/wire", R"re(return\s*\{\s*"([a-z0-9_]+)")re", 4},
    {"src/http", R"re(Refusal\s+k\w+\{\s*\d+,\s*"([a-z0-9_]+)")re", 14},
    {"src/handlers", R"re(refuse(?:_pixel|_badge)?\(\s*(?:loop,\s*)?"([a-z0-9_]+)")re", 8},
    {"src/handlers", R"re((?:refusal\(|return )"([a-z0-9_]+)")re", 5},
    {"src/api", R"re((?:refuse\(|return|: )\s*"([a-z0-9_]+_[a-z0-9_]+)";?)re", 5},
    {"src/api", R"re(return "([a-z]+_?[a-z]+)";)re", 3},
};

TEST(Errors, EveryWordThatAnythingNamesHasARow) {
  for (const auto reason : kDropReasonNames) EXPECT_TRUE(find_error(reason)) << reason;
  for (const auto refusal : kBadgeRefusalNames) EXPECT_TRUE(find_error(refusal)) << refusal;
  for (const auto outcome : kOutcomeNames) {
    const bool good = outcome == name_of(Outcome::Status::counted) ||
                      outcome == name_of(Outcome::Status::duplicate);
    EXPECT_EQ(find_error(outcome).has_value(), !good) << outcome;
  }
  for (const auto& naming : kNamings) {
    std::set<std::string> words;
    for (const auto& file : fs::directory_iterator(project() / naming.folder)) {
      const auto name = file.path().filename().string();
      if (name.ends_with("_test.cc") || name.ends_with("_fuzz.cc")) continue;
      words.merge(words_in(text_of(file.path()), naming.pattern));
    }
    EXPECT_GE(words.size(), naming.at_least) << naming.pattern;
    for (const auto& word : words) EXPECT_TRUE(find_error(word)) << naming.folder << ": " << word;
  }
}

TEST(Errors, EveryRowIsNamedSomewhere) {
  std::string all;
  for (const char* const folder : {"wire", "http", "api", "handlers", "model", "ledger", "embed"}) {
    for (const auto& file : fs::directory_iterator(project() / "src" / folder)) {
      const auto name = file.path().filename().string();
      if (file.is_directory()) continue;
      if (!name.ends_with("_test.cc") && name != "errors.h") all += text_of(file.path());
    }
  }
  for (const auto& row : kErrors) {
    EXPECT_NE(all.find("\"" + std::string(row.word) + "\""), std::string::npos) << row.word;
  }
}

TEST(Errors, AWordStandsForOneThing) {
  for (std::size_t i = 0; i < kErrors.size(); ++i) {
    EXPECT_EQ(find_error(kErrors[i].word), i) << kErrors[i].word;
    EXPECT_FALSE(kErrors[i].message.empty()) << kErrors[i].word;
  }
  EXPECT_FALSE(find_error("no_such_word"));
}

TEST(Errors, OnlyWhatMayPassAsksToComeAgain) {
  for (const auto& row : kErrors) {
    const bool passes = row.status == 429 || row.status == 503;
    EXPECT_EQ(row.retry == Retry::later, passes) << row.word;
  }
}

std::string reference() {
  return text_of(project() / "docs/reference/api.md");
}

TEST(ApiReference, HasEveryErrorWithItsStatus) {
  const auto text = reference();
  std::size_t listed = 0;
  const std::regex line(R"re(\n\| `([a-z0-9_]+)` \| (\d{3}) \|)re");
  for (std::sregex_iterator it(text.begin(), text.end(), line), end; it != end; ++it, ++listed) {
    const auto row = find_error((*it)[1].str());
    ASSERT_TRUE(row) << (*it)[1];
    EXPECT_EQ(std::to_string(kErrors[*row].status), (*it)[2]) << (*it)[1];
  }
  EXPECT_EQ(listed, kErrors.size());
}

TEST(ApiReference, HasEveryAddressAndNoOther) {
  // As people write them: "{stage}" for the patterns' "{}", "{url}", "{name}" and the page of a
  // badge for their "{...}".
  std::set<std::string> listed;
  const auto text = reference();
  const std::regex address(R"re(`((?:GET|POST|DELETE) /[^` ?]*)[^`]*`)re");
  for (std::sregex_iterator it(text.begin(), text.end(), address), end; it != end; ++it) {
    const auto plain = replaced((*it)[1], "{host}/{path}.svg", "{...}");
    const auto pattern = replaced(replaced(plain, "{stage}", "{}"), "{url}", "{...}");
    listed.insert(replaced(pattern, "{name}", "{...}"));
  }
  std::set<std::string> known;
  for (const auto& route : routes()) {
    known.insert(std::string(route.method) + " " + std::string(route.pattern));
  }
  EXPECT_EQ(listed, known);
}

}  // namespace
}  // namespace nando
