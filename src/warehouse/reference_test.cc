// docs/reference/warehouse.md is what the schema says, and its queries run. SNAP_UPDATE=1 rewrites
// the page's tables.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "warehouse/duckdb.h"
#include "warehouse/schema.h"
#include "warehouse/test_folder.h"
#include "warehouse/warehouse.h"

namespace nando {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGenerated =
    "<!-- From here on: made from src/warehouse/schema.h. -->\n";

fs::path page_path() {
  return fs::path(__FILE__).parent_path() / "../../docs/reference/warehouse.md";
}

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A new warehouse in a folder of its own.
class Scratch {
 public:
  Scratch() {
    auto warehouse = Warehouse::open(path(), {});
    EXPECT_TRUE(warehouse);
    Rows rows;
    rows.hits.push_back({.sequence = 3,
                         .site = 1,
                         .page = 1,
                         .page_ordinal = 1,
                         .site_ordinal = 1,
                         .is_entry = true});
    rows.sites.push_back({SiteId{1}, "blog.example.com", "Etc/UTC"});
    rows.pages.push_back({PageId{1}, SiteId{1}, "https://blog.example.com/"});
    EXPECT_TRUE((*warehouse)->load(rows, {}));
  }
  std::string path() const { return folder_ / "warehouse.duckdb"; }

 private:
  const TestFolder folder_;
};

// As DuckDB itself describes them, so that the page cannot differ from the file.
std::string type_of(DuckConnection& connection, const std::string& table, std::string_view column) {
  std::string type;
  const auto asked =
      connection.ask("SELECT data_type FROM information_schema.columns WHERE table_name = '" +
                         table + "' AND column_name = '" + std::string(column) + "'",
                     [&](const DuckChunk& chunk) { type = chunk.text(0, 0); });
  EXPECT_TRUE(asked);
  return type;
}

std::string tables(DuckConnection& connection) {
  std::string out = "\n## hits\n\nA row a hit.\n\n| column | type | what |\n| --- | --- | --- |\n";
  for (const auto& column : kHitColumns) {
    out += "| `" + std::string(column.name) + "` | " + type_of(connection, "hits", column.name) +
           " | " + std::string(column.about) +
           (column.absent == Absent::is_null ? "; NULL if not told" : "") + " |\n";
  }
  for (const auto& table : noun_tables()) {
    out += "\n## " + std::string(table.name) + "\n\n" + std::string(table.about) +
           "\n\n| column | type | what |\n| --- | --- | --- |\n";
    for (const auto& column : table.columns) {
      out += "| `" + std::string(column.name) + "` | " + std::string(column.type) + " | " +
             std::string(column.about) + " |\n";
    }
  }
  return out;
}

TEST(WarehousePage, SaysWhatTheSchemaSays) {
  const Scratch scratch;
  auto database = DuckDb::open(scratch.path(), {});
  auto connection = database->connect();
  const auto page = text_of(page_path());
  const auto begins = page.find(kGenerated);
  ASSERT_NE(begins, std::string::npos);
  const auto expected = page.substr(0, begins) + std::string(kGenerated) + tables(*connection);
  if (::getenv("SNAP_UPDATE") != nullptr) std::ofstream(page_path()) << expected;
  EXPECT_EQ(text_of(page_path()), expected) << "SNAP_UPDATE=1 rewrites it";
}

TEST(WarehousePage, ItsQueriesRun) {
  const Scratch scratch;
  auto database = DuckDb::open(scratch.path(), {});
  auto connection = database->connect();
  const auto page = text_of(page_path());
  constexpr std::string_view kFence = "```sql\n";
  int queries = 0;
  for (auto at = page.find(kFence); at != std::string::npos; at = page.find(kFence, at + 1)) {
    const auto begin = at + kFence.size();
    const auto query = page.substr(begin, page.find("```", begin) - begin);
    std::size_t rows = 0;
    const auto asked =
        connection->ask(query, [&](const DuckChunk& chunk) { rows += chunk.rows(); });
    EXPECT_TRUE(asked) << query << asked.error().message;
    EXPECT_EQ(rows, 1U) << query;
    ++queries;
  }
  EXPECT_EQ(queries, 3);
}

}  // namespace

}  // namespace nando
