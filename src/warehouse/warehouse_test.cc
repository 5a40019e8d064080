#include "warehouse/warehouse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "warehouse/duckdb.h"
#include "warehouse/schema.h"
#include "warehouse/test_folder.h"

namespace nando {

namespace {

using testing::HasSubstr;

class WarehouseTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Warehouse>> try_open() { return Warehouse::open(path_, {}); }
  std::unique_ptr<Warehouse> open() {
    auto opened = try_open();
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }

  // `count` page views of page 1 on site 1, from where the last ones ended.
  static void add_hits(Rows& rows, std::uint64_t first, std::uint64_t count) {
    for (auto n = first; n < first + count; ++n) {
      rows.hits.push_back({.sequence = 10 + n,
                           .site = 1,
                           .page = 1,
                           .page_ordinal = n,
                           .site_ordinal = n,
                           .committed = UnixTime{std::chrono::milliseconds{1'700'000'000'000}},
                           .at = UnixTime{std::chrono::milliseconds{1'700'000'000'123}},
                           .local_day = Day{19'675},
                           .local_minute = 1439,
                           .door = Door::api_token,
                           .agent_class = AgentClass::bot,
                           .visitor = n % 3,
                           .visit = n,
                           .is_entry = n % 2 == 0,
                           .referrer = n % 2 == 0 ? "https://example.org/" : "",
                           .title = "A title, \"quoted\" and l\xc3\xb6ng"});
    }
  }
  static Mark mark_at(std::uint64_t sequence) {
    Mark mark{.node = 7};
    mark.position.sequence.value = sequence;
    mark.position.epoch.fill(std::byte{0xab});
    mark.position.head.fill(std::byte{0xcd});
    return mark;
  }
  std::string ask(const std::string& sql) {
    auto database = DuckDb::open(path_, {});
    EXPECT_TRUE(database);
    auto connection = database->connect();
    std::string out;
    const auto asked = connection->ask("SELECT (" + sql + ")::VARCHAR",
                                       [&](const DuckChunk& chunk) { out += chunk.text(0, 0); });
    EXPECT_TRUE(asked) << asked.error().message;
    return out;
  }
  void write_file(const std::string& text) { std::ofstream(path_) << text; }

  const TestFolder folder_;
  const std::string path_ = folder_ / "warehouse.duckdb";
};

TEST_F(WarehouseTest, RowsAndMarkAreThereAfterReopening) {
  {
    auto warehouse = open();
    ASSERT_TRUE(warehouse);
    EXPECT_EQ(warehouse->loaded().value(), std::nullopt);
    Rows rows;
    add_hits(rows, 1, 5000);  // More than a chunk.
    rows.sites.push_back({SiteId{1}, "it's.example.com", "Europe/Berlin"});
    rows.pages.push_back({PageId{1}, SiteId{1}, "https://it's.example.com/a'b"});
    rows.bases.push_back({9, SiteId{1}, PageId{}, 1000});
    ASSERT_TRUE(warehouse->load(rows, mark_at(5010)));
    rows.clear();
    add_hits(rows, 5001, 1);
    ASSERT_TRUE(warehouse->load(rows, mark_at(5011)));
  }
  auto warehouse = open();
  EXPECT_EQ(warehouse->loaded().value(), mark_at(5011));
  EXPECT_EQ(warehouse->zones().value().at(SiteId{1}), "Europe/Berlin");
  const auto totals = warehouse->totals(Sequence{5011}).value();
  EXPECT_EQ(totals.kinds[0], 5001U);
  EXPECT_EQ(totals.pages.at(0).page_views, 5001U);
  EXPECT_TRUE(totals.pages.at(0).is_exact());
  EXPECT_TRUE(totals.sites.at(SiteId{1}).is_exact());
  EXPECT_EQ(warehouse->totals(Sequence{5010}).value().kinds[0], 5000U);
  warehouse.reset();

  EXPECT_EQ(ask("SELECT host FROM sites"), "it's.example.com");
  EXPECT_EQ(ask("SELECT url FROM pages"), "https://it's.example.com/a'b");
  EXPECT_EQ(ask("SELECT base FROM bases"), "1000");
  EXPECT_EQ(ask("SELECT hits FROM hits WHERE sequence = 12"),
            "{'sequence': 12, 'kind': page_view, 'site': 1, 'page': 1, 'page_ordinal': 2, "
            "'site_ordinal': 2, 'committed_at': '2023-11-14 22:13:20', 'happened_at': "
            "'2023-11-14 22:13:20.123', 'local_day': 2023-11-14, 'local_minute': 1439, 'door': "
            "api_token, 'agent_class': bot, 'visitor': 2, 'visit': 2, 'is_entry': true, "
            "'referrer': 'https://example.org/', 'title': 'A title, \"quoted\" and l\xc3\xb6ng', "
            "'name': NULL, 'props': NULL, 'screen': NULL, 'language': NULL, 'is_void': false, "
            "'is_counted': true}");
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE referrer IS NULL"), "2501");
  EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE visitor IS NULL"), "1667");
}

TEST_F(WarehouseTest, ALargeLoadLeavesNoLogAndItsRowGroupStaysAsItIs) {
  constexpr std::uint64_t kMany = kRowGroup / 4 * 3 + 1;
  constexpr std::uint64_t kLoads = 4;
  const auto log_bytes = [&] {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path_ + ".wal", error);
    return error ? 0 : bytes;
  };
  auto warehouse = open();
  for (std::uint64_t i = 0; i < kLoads; ++i) {
    Rows rows;
    add_hits(rows, 1 + i * kMany, kMany);
    ASSERT_TRUE(warehouse->load(rows, mark_at(10 + rows.hits.size())));
    EXPECT_EQ(log_bytes(), 0U);
  }
  Rows rows;
  add_hits(rows, 1 + kLoads * kMany, kMany - 1);
  ASSERT_TRUE(warehouse->load(rows, mark_at(10 + kLoads * kMany + rows.hits.size())));
  EXPECT_GT(log_bytes(), 0U) << "one less goes through the log";
  warehouse.reset();
  EXPECT_EQ(ask("SELECT count(*) FROM (SELECT sum(count) AS rows FROM pragma_storage_info('hits') "
                "WHERE column_name = 'sequence' AND segment_type != 'VALIDITY' "
                "GROUP BY row_group_id) WHERE rows = " +
                std::to_string(kMany)),
            std::to_string(kLoads));
}

TEST_F(WarehouseTest, SumsOfOrdinalsTellADoubledAMissingAndAWrongRow) {
  auto warehouse = open();
  Rows rows;
  add_hits(rows, 1, 4);
  rows.hits[1].page_ordinal = 3;  // Twice 3, no 2.
  ASSERT_TRUE(warehouse->load(rows, mark_at(14)));
  EXPECT_FALSE(warehouse->totals(Sequence{14}).value().pages[0].is_exact());
  EXPECT_TRUE(warehouse->totals(Sequence{14}).value().sites.at(SiteId{1}).is_exact());
  EXPECT_TRUE(warehouse->totals(Sequence{11}).value().pages[0].is_exact());
}

TEST_F(WarehouseTest, ALoadThatFailsLeavesNothing) {
  auto warehouse = open();
  Rows rows;
  add_hits(rows, 1, 3000);
  ASSERT_TRUE(warehouse->load(rows, mark_at(3010)));
  rows.clear();
  add_hits(rows, 3001, 3000);
  rows.pages.push_back({PageId{1}, SiteId{1}, "\xff is no UTF-8"});
  EXPECT_FALSE(warehouse->load(rows, mark_at(6010)));
  EXPECT_EQ(warehouse->loaded().value(), mark_at(3010));
  EXPECT_EQ(warehouse->totals(Sequence{9999}).value().kinds[0], 3000U);
  rows.pages.clear();
  ASSERT_TRUE(warehouse->load(rows, mark_at(6010)));
  EXPECT_EQ(warehouse->totals(Sequence{9999}).value().kinds[0], 6000U);
}

TEST_F(WarehouseTest, AsManyPagesAsHitsAndOneThatComesAgain) {
  constexpr std::uint32_t kPages = 5000;  // More than a chunk.
  auto warehouse = open();
  std::vector<std::string> urls;
  for (std::uint32_t page = 1; page <= kPages; ++page) {
    urls.push_back("https://a.example/" + std::to_string(page));
  }
  Rows rows;
  for (std::uint32_t page = 1; page <= kPages; ++page) {
    rows.pages.push_back({PageId{page}, SiteId{page % 7 + 1}, urls[page - 1]});
  }
  rows.pages[3000].url = {};  // It was removed.
  ASSERT_TRUE(warehouse->load(rows, mark_at(1)));
  rows.clear();
  rows.pages.push_back({PageId{3001}, SiteId{6}, "https://a.example/again", true});
  ASSERT_TRUE(warehouse->load(rows, mark_at(2)));
  warehouse.reset();

  EXPECT_EQ(ask("SELECT count(*) FROM pages"), "5000");
  EXPECT_EQ(ask("SELECT count(*) FROM pages WHERE url = 'https://a.example/' || page "
                "AND site = page % 7 + 1"),
            "4999");
  EXPECT_EQ(ask("SELECT url FROM pages WHERE page = 3001"), "https://a.example/again");
}

TEST_F(WarehouseTest, WhatWasLoadedIsNotKeptInMemory) {
  constexpr std::uint64_t kLoads = 20;
  auto warehouse = open();
  Rows rows;
  std::mt19937_64 noise(1);  // Which no engine can compress.
  std::uint64_t largest = 0;
  for (std::uint64_t load = 0; load < kLoads; ++load) {
    rows.clear();
    add_hits(rows, 1 + load * kRowGroup, kRowGroup);
    for (auto& row : rows.hits) row.visitor = row.visit = noise();
    ASSERT_TRUE(warehouse->load(rows, mark_at(load + 1)));
    largest = std::max(largest, warehouse->held_bytes());
  }
  const auto file = std::filesystem::file_size(path_);
  EXPECT_GT(file, std::uint64_t{44} << 20);  // It would be kept otherwise.
  EXPECT_LT(largest, std::uint64_t{36} << 20);
  EXPECT_EQ(warehouse->totals(Sequence{~std::uint64_t{0} >> 1}).value().kinds[0],
            kLoads * kRowGroup);
}

TEST_F(WarehouseTest, AFileThatIsNoWarehouseIsToldFromANewerOne) {
  write_file("not a database, but long enough to be taken for one by its size alone");
  EXPECT_EQ(try_open().error().code, Code::corrupt);

  std::filesystem::remove(path_);
  ask("SELECT 1");
  {
    auto database = DuckDb::open(path_, {});
    ASSERT_TRUE(database->connect()->run("CREATE TABLE recipes (name VARCHAR)"));
  }
  EXPECT_EQ(try_open().error().code, Code::corrupt);

  std::filesystem::remove(path_);
  open();
  {
    auto database = DuckDb::open(path_, {});
    ASSERT_TRUE(database->connect()->run("UPDATE schema_version SET version = 99"));
  }
  const auto newer = try_open();
  EXPECT_EQ(newer.error().code, Code::invalid);
  EXPECT_THAT(newer.error().message, HasSubstr("newer version"));
}

// As each earlier version of the schema wrote it.
TEST_F(WarehouseTest, AnOlderFileIsBroughtUpToDate) {
  for (std::uint32_t version = 1; version < kSchemaVersion; ++version) {
    ASSERT_TRUE(clear_warehouse(path_, Keep::nothing));
    {
      auto warehouse = open();
      Rows rows;
      add_hits(rows, 1, 10);
      rows.hits[4].kind = HitKind::event;
      rows.hits[4].is_counted = false;
      for (std::size_t i = 4; i < 10; ++i) {
        rows.hits[i].page_ordinal = rows.hits[i].site_ordinal = i;
      }
      ASSERT_TRUE(warehouse->load(rows, mark_at(20)));
    }
    {
      auto database = DuckDb::open(path_, {});
      auto connection = database->connect();
      for (const auto& column : kHitColumns) {
        if (column.since <= version) continue;
        ASSERT_TRUE(connection->run("ALTER TABLE hits DROP COLUMN " + std::string(column.name)));
      }
      ASSERT_TRUE(
          connection->run("UPDATE schema_version SET version = " + std::to_string(version)));
    }
    {
      auto warehouse = open();
      const auto totals = warehouse->totals(Sequence{20}).value();
      EXPECT_EQ(totals.pages.at(0).page_views, 9U);
      EXPECT_TRUE(totals.pages.at(0).is_exact());
      Rows rows;
      add_hits(rows, 11, 10);
      ASSERT_TRUE(warehouse->load(rows, mark_at(30)));
    }
    EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE NOT is_void"), "20");
    EXPECT_EQ(ask("SELECT count(*) FROM hits WHERE is_counted"), "19");
    EXPECT_EQ(ask("SELECT max(version) FROM schema_version"), std::to_string(kSchemaVersion));
  }
}

// Killed between the columns and their rows.
TEST_F(WarehouseTest, AFileThatIsHalfBroughtUpToDateIsFinished) {
  {
    auto warehouse = open();
    Rows rows;
    add_hits(rows, 1, 10);
    ASSERT_TRUE(warehouse->load(rows, mark_at(20)));
  }
  {
    auto database = DuckDb::open(path_, {});
    auto connection = database->connect();
    ASSERT_TRUE(connection->run("UPDATE hits SET is_counted = false"));
    ASSERT_TRUE(connection->run("UPDATE schema_version SET version = 2"));
  }
  EXPECT_EQ(open()->totals(Sequence{20}).value().pages.at(0).page_views, 10U);
}

TEST_F(WarehouseTest, TotalsAddUpWhatHasNumbersAndCountEveryRow) {
  auto warehouse = open();
  Rows rows;
  add_hits(rows, 1, 4);
  rows.hits[2].is_counted = false;  // 1, 2, 2, 3: its ordinals are those that stood.
  rows.hits[2].page_ordinal = rows.hits[2].site_ordinal = 2;
  rows.hits[3].page_ordinal = rows.hits[3].site_ordinal = 3;
  ASSERT_TRUE(warehouse->load(rows, mark_at(14)));
  const auto totals = warehouse->totals(Sequence{14}).value();
  EXPECT_EQ(totals.kinds[0], 4U);
  EXPECT_EQ(totals.pages.at(0).page_views, 3U);
  EXPECT_TRUE(totals.pages.at(0).is_exact());
  EXPECT_TRUE(totals.sites.at(SiteId{1}).is_exact());
}

TEST_F(WarehouseTest, ATruncatedFileIsDamaged) {
  {
    auto warehouse = open();
    Rows rows;
    for (std::uint64_t first = 1; first < 300'000; first += 100'000) {
      rows.clear();
      add_hits(rows, first, 100'000);
      ASSERT_TRUE(warehouse->load(rows, mark_at(first + 100'009)));
    }
  }
  ask("SELECT count(*) FROM hits");  // Its log becomes part of the file.
  const auto bytes = std::filesystem::file_size(path_);
  ASSERT_GT(bytes, 100'000U);
  std::filesystem::resize_file(path_, bytes / 2);
  auto opened = try_open();
  const auto totals =
      opened ? (*opened)->totals(Sequence{1'000'000}) : Result<WarehouseTotals>(opened.error());
  ASSERT_FALSE(totals);
  EXPECT_EQ(totals.error().code, Code::corrupt) << totals.error().message;
}

TEST_F(WarehouseTest, ExportsHoldTheSameRowsInEachFormat) {
  {
    auto warehouse = open();
    Rows rows;
    add_hits(rows, 1, 3000);
    for (std::size_t i = 0; i < 10; ++i) rows.hits[i].site = 2;
    rows.sites.push_back({SiteId{1}, "a.example", "Etc/UTC"});
    rows.sites.push_back({SiteId{2}, "b'b.example", "Etc/UTC"});
    rows.pages.push_back({PageId{1}, SiteId{1}, "https://a.example/"});
    ASSERT_TRUE(warehouse->load(rows, mark_at(3010)));
    const auto write = [&](const char* name, const Warehouse::Question& question) {
      const auto mark = warehouse->write_to(folder_ / name, question);
      ASSERT_TRUE(mark) << mark.error().message;
      EXPECT_EQ(*mark, mark_at(3010));
    };
    write("all.csv", {.format = ExportFormat::csv});
    write("all.parquet", {.format = ExportFormat::parquet});
    write("all.duckdb", {.format = ExportFormat::duckdb});
    write("new.csv", {.format = ExportFormat::csv, .after = Sequence{3000}});
    write("site.parquet", {.format = ExportFormat::parquet, .host = "b'b.example"});
    write("none.csv", {.format = ExportFormat::csv, .host = "absent.example"});
  }
  const auto rows_in = [&](const char* name) {
    return ask("SELECT count(*) FROM '" + (folder_ / name) + "'");
  };
  EXPECT_EQ(rows_in("all.csv"), "3000");
  EXPECT_EQ(rows_in("all.parquet"), "3000");
  EXPECT_EQ(rows_in("new.csv"), "10");
  EXPECT_EQ(rows_in("site.parquet"), "10");
  EXPECT_EQ(ask("SELECT count(*) FROM (SELECT * EXCLUDE (site, page) FROM '" +
                (folder_ / "all.parquet") + "' EXCEPT SELECT * EXCLUDE (site, page) FROM hits)"),
            "0");
  std::ifstream none(folder_ / "none.csv");
  std::string line;
  EXPECT_TRUE(std::getline(none, line));
  EXPECT_THAT(line, testing::StartsWith("sequence,kind,site,page,"));
  EXPECT_FALSE(std::getline(none, line));
  // A copy is a warehouse.
  auto copy = Warehouse::open(folder_ / "all.duckdb", {});
  ASSERT_TRUE(copy) << copy.error().message;
  EXPECT_EQ((*copy)->loaded().value(), mark_at(3010));
  EXPECT_EQ((*copy)->totals(Sequence{3010}).value().kinds[0], 3000U);
}

TEST_F(WarehouseTest, AnExportThatFailsLeavesTheNextOneAlone) {
  auto warehouse = open();
  Rows rows;
  add_hits(rows, 1, 10);
  rows.sites.push_back({SiteId{1}, "a.example", "Etc/UTC"});
  ASSERT_TRUE(warehouse->load(rows, mark_at(20)));
  const Warehouse::Question question{.format = ExportFormat::duckdb};
  const auto to = folder_ / "copy.duckdb";
  ASSERT_TRUE(warehouse->write_to(to, question));
  EXPECT_FALSE(warehouse->write_to(to, question));  // It is attached, and has such tables already.
  std::filesystem::remove(to);
  const auto again = warehouse->write_to(to, question);
  EXPECT_TRUE(again) << again.error().message;
  const auto other = warehouse->write_to(folder_ / "other.duckdb", question);
  EXPECT_TRUE(other) << other.error().message;
}

TEST_F(WarehouseTest, NoCellOfACsvBeginsAFormula) {
  const std::vector<std::string_view> texts = {"=1+1", "+1",    "-1",  "@SUM(A1)", "\t=1",
                                               "\r=1", "plain", "a=b", "'quoted"};
  {
    auto warehouse = open();
    Rows rows;
    add_hits(rows, 1, texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) rows.hits[i].title = texts[i];
    rows.sites.push_back({SiteId{1}, "a.example", "Etc/UTC"});
    ASSERT_TRUE(warehouse->load(rows, mark_at(20)));
    for (const auto format : {ExportFormat::csv, ExportFormat::parquet}) {
      const auto to = folder_ / (format == ExportFormat::csv ? "t.csv" : "t.parquet");
      ASSERT_TRUE(warehouse->write_to(to, {.format = format}));
    }
  }
  const auto titles = [&](const std::string& table) {
    return ask("SELECT string_agg(title, '|' ORDER BY sequence) FROM " + table);
  };
  EXPECT_EQ(titles("read_csv('" + (folder_ / "t.csv") + "', quote = '\"')"),
            "'=1+1|'+1|'-1|'@SUM(A1)|'\t=1|'\r=1|plain|a=b|'quoted");
  EXPECT_EQ(titles("'" + (folder_ / "t.parquet") + "'"),
            "=1+1|+1|-1|@SUM(A1)|\t=1|\r=1|plain|a=b|'quoted");
}

TEST_F(WarehouseTest, KnowsWhenItsFileWasTakenAway) {
  auto warehouse = open();
  EXPECT_TRUE(warehouse->is_in_place());
  ASSERT_TRUE(clear_warehouse(path_, Keep::aside).value());
  EXPECT_FALSE(warehouse->is_in_place());
  EXPECT_TRUE(std::filesystem::exists(path_ + ".aside"));
  EXPECT_FALSE(clear_warehouse(path_, Keep::nothing).value());
}

}  // namespace

}  // namespace nando
