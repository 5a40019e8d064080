#include "model/site.h"

#include <gtest/gtest.h>

#include <thread>

namespace nando {
namespace {

Site site_of(std::uint32_t id, std::string host, std::vector<std::string> aliases = {}) {
  Site site;
  site.id = {id};
  site.host = std::move(host);
  site.aliases = std::move(aliases);
  return site;
}

SiteTable two_sites() {
  return SiteTable({site_of(1, "example.com", {"example.net"}), site_of(2, "other.example")});
}

TEST(SiteTable, FindsASiteByHostAliasAndWww) {
  const auto table = two_sites();
  const auto* site = table.find(SiteId{1});
  ASSERT_NE(site, nullptr);
  for (const auto* host : {"example.com", "example.net", "www.example.com", "www.example.net"}) {
    EXPECT_EQ(table.find(host), site) << host;
  }
  for (const auto* host : {"", "www.", "com", "blog.example.com", "www.www.example.com",
                           "example.com.", "wwwexample.com"}) {
    EXPECT_EQ(table.find(host), nullptr) << host;
  }
  EXPECT_EQ(table.find(SiteId{3}), nullptr);
}

TEST(SiteTable, SurvivesAMove) {
  auto table = two_sites();
  const SiteTable moved(std::move(table));
  EXPECT_EQ(moved.find("example.net"), moved.find(SiteId{1}));
  EXPECT_EQ(moved.find("example.net"), &moved.all().front());
}

TEST(SiteTables, WhatAReaderHoldsStaysUntilItAsksAgain) {
  SiteTables tables(two_sites());
  SiteTables::Reader reader(tables);
  const auto* site = reader.get().find("example.com");
  const auto version = reader.version();
  tables.publish(SiteTable({}));
  EXPECT_EQ(site->host, "example.com");
  EXPECT_EQ(reader.version(), version);
  EXPECT_EQ(reader.get().find("example.com"), nullptr);
  EXPECT_GT(reader.version(), version);
}

TEST(SiteTables, ReadersBesideAWriterSeeWholeTables) {
  SiteTables tables(two_sites());
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&](const std::stop_token& stop) {
      SiteTables::Reader reader(tables);
      std::uint64_t version = 0;
      while (!stop.stop_requested()) {
        const auto& table = reader.get();
        EXPECT_NE(table.find("www.example.net"), nullptr);
        EXPECT_GE(reader.version(), version);
        version = reader.version();
      }
    });
  }
  for (int i = 0; i < 2000; ++i) tables.publish(two_sites());
}

}  // namespace
}  // namespace nando
