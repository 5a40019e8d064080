// Includes: how they are spelled, and which layer may see which library (house.md's table).
#include <algorithm>
#include <set>

#include "tidy/pattern.h"
#include "tidy/rules.h"

namespace nando::tidy {
namespace {

// The first row whose prefix the header has decides. "*" is every layer.
struct Library {
  std::string_view prefix;
  std::vector<std::string_view> layers;
};

const std::vector<Library>& libraries() {
  static const std::vector<Library> table = {
      // Words of the language that Debian's compiler lacks: text, containers, results.
      {"fmt/", {"*"}},
      {"boost/unordered/", {"*"}},
      {"boost/container_hash/", {"*"}},
      {"boost/system/", {"base"}},
      // One library, one layer.
      {"sodium.h", {"base", "auth"}},
      {"xxhash.h", {"base"}},
      {"spdlog/", {"telemetry"}},
      {"prometheus/", {"telemetry"}},
      {"date/", {"model"}},
      {"re2/", {"agents"}},
      {"zstd.h", {"journal"}},
      {"zdict.h", {"journal"}},
      {"sqlite3.h", {"registry"}},
      {"duckdb.h", {"warehouse"}},
      {"curl/", {"ingest", "http", "webhooks"}},
      {"boost/json", {"wire", "api"}},
      {"boost/asio/awaitable.hpp", {"http", "api"}},
      {"boost/asio", {"http"}},
      {"boost/beast", {"http"}},
      {"boost/core/", {"http", "wire", "api"}},  // What Beast and JSON have in their signatures.
      {"toml++/", {"settings", "drafts", "cli"}},
      {"CLI/", {"cli"}},
      // The system. Text and numbers for all; files, sockets and processes where they are wrapped.
      {"arpa/inet.h", {"*"}},
      {"endian.h", {"*"}},
      {"locale.h", {"*"}},
      {"dirent.h", {"disk"}},
      {"fcntl.h", {"disk", "datadir", "http", "cli"}},
      {"linux/", {"http"}},
      {"malloc.h", {"disk"}},
      {"netdb.h", {"http"}},
      {"netinet/", {"http", "webhooks"}},
      {"poll.h", {"datadir", "http", "cli"}},
      {"pthread.h", {"disk", "datadir", "http", "api", "cli", "store", "webhooks"}},
      {"sched.h", {"datadir", "http", "cli", "store"}},
      {"signal.h", {"datadir", "cli"}},
      {"stdlib.h",
       {"disk", "datadir", "cli", "warehouse"}},  // mkdtemp, setenv: what <cstdlib> lacks.
      {"sys/", {"disk", "datadir", "http", "cli", "warehouse", "store", "webhooks"}},
      {"unistd.h", {"disk", "datadir", "http", "cli"}},
  };
  return table;
}

bool is_system(std::string_view header) {
  const auto& table = libraries();
  const auto first = std::find_if(table.begin(), table.end(),
                                  [](const auto& row) { return row.prefix == "arpa/inet.h"; });
  return std::any_of(first, table.end(),
                     [&](const auto& row) { return header.starts_with(row.prefix); });
}

enum class Marks { quotes, angles };

struct Include {
  std::string where;
  std::string header;
  Marks marks;
};

std::vector<Include> includes_of(const Source& file) {
  static const Pattern include(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  std::vector<Include> found;
  const auto code = code_of(file.text);  // An include in a comment is none.
  std::size_t number = 0;
  for (const auto line : lines_of(code)) {
    ++number;
    for (const auto& match : include.all(line)) {
      found.push_back({file.path + ":" + std::to_string(number), match.groups[2],
                       match.groups[1] == "<" ? Marks::angles : Marks::quotes});
    }
  }
  return found;
}

std::string words(const std::vector<std::string_view>& names) {
  std::string text;
  for (const auto name : names) {
    text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

}  // namespace

Findings odd_includes(const Tree& tree) {
  static const Pattern own(R"([a-z_]+(/tables)?/[a-z0-9_]+\.h)");
  std::set<std::string> layers;
  for (const auto& file : tree) {
    layers.insert(file.layer());
  }
  Findings found;
  for (const auto& file : tree) {
    if (!file.is_cpp()) {
      continue;
    }
    for (const auto& [where, header, marks] : includes_of(file)) {
      const bool angled = marks == Marks::angles;
      const auto folder = header.substr(0, header.find('/'));
      if (header.find("..") != std::string::npos) {
        found.push_back({where, "a path with ..; write \"layer/file.h\""});
      } else if (!angled && !own.whole(header)) {
        found.push_back({where, '"' + header + "\" is not of the form \"layer/file.h\""});
      } else if (angled && header.find('/') != std::string::npos && layers.contains(folder)) {
        found.push_back({where, "<" + header + "> is ours; write it in quotes"});
      }
    }
  }
  return found;
}

Findings libraries_out_of_place(const Tree& tree) {
  Findings found;
  for (const auto& file : tree) {
    const auto layer = file.layer();
    if (!file.is_cpp() || layer.empty()) {
      continue;
    }
    for (const auto& [where, header, marks] : includes_of(file)) {
      const bool angled = marks == Marks::angles;
      const bool standard = header.find_first_of("./") == std::string::npos;
      const bool testing =
          header.starts_with("gtest/") || header.starts_with("gmock/") || is_system(header);
      if (!angled || standard || (file.is_test() && testing)) {
        continue;
      }
      const auto& table = libraries();
      const auto row = std::find_if(table.begin(), table.end(), [&](const auto& each) {
        return header.starts_with(each.prefix);
      });
      if (row == table.end()) {
        found.push_back({where, "<" + header + "> is in no row of tests/tidy/include_rules.cc"});
      } else if (row->layers.front() != "*" &&
                 std::find(row->layers.begin(), row->layers.end(), layer) == row->layers.end()) {
        found.push_back({where, "<" + header + "> belongs to " + words(row->layers)});
      }
    }
  }
  return found;
}

}  // namespace nando::tidy
