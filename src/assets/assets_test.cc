#include "assets/assets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace nando {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::size_t kTrackerBytesMax = 699;
constexpr std::size_t kCountBytesMax = 2499;
constexpr std::size_t kWinnerBytesMax = 4499;

const Asset* only_with(std::string_view start) {
  const Asset* found = nullptr;
  for (const auto& asset : assets()) {
    if (!asset.path.starts_with(start)) continue;
    EXPECT_EQ(found, nullptr) << "two begin with " << start;
    found = &asset;
  }
  return found;
}

// The first bytes of a gzip file, and the length of what is in it, which are its last four bytes.
bool holds(std::string_view gzip, std::size_t bytes) {
  const auto byte = [&](std::size_t from_end) {
    return std::size_t{static_cast<unsigned char>(gzip[gzip.size() - from_end])};
  };
  return gzip.starts_with("\x1f\x8b\x08") &&
         (byte(4) | byte(3) << 8 | byte(2) << 16 | byte(1) << 24) == bytes;
}

TEST(Assets, AreSortedAndEachIsFound) {
  EXPECT_TRUE(std::is_sorted(assets().begin(), assets().end(),
                             [](const auto& a, const auto& b) { return a.path < b.path; }));
  for (const auto& asset : assets()) {
    EXPECT_EQ(find_asset(asset.path), &asset) << asset.path;
  }
}

TEST(Assets, WhatIsNotThereIsNotFound) {
  for (const auto* path : {"", "/js", "/js/nando.jsx", "/js/nando.j", "/zzz", "/js/NANDO.js"}) {
    EXPECT_EQ(find_asset(path), nullptr) << path;
  }
}

TEST(Assets, EachIsWholeAndItsGzipHoldsAsMuch) {
  ASSERT_FALSE(assets().empty());
  for (const auto& asset : assets()) {
    EXPECT_FALSE(asset.bytes.empty()) << asset.path;
    EXPECT_EQ(asset.etag.size(), 18U) << asset.path;
    if (asset.gzip.empty()) continue;
    EXPECT_LT(asset.gzip.size(), asset.bytes.size()) << asset.path;
    EXPECT_TRUE(holds(asset.gzip, asset.bytes.size())) << asset.path;
  }
}

TEST(Assets, OnlyNamesWithAHashAreKeptForever) {
  for (const auto& asset : assets()) {
    const bool page = asset.content_type.starts_with("text/html");
    const bool hashed = !page && asset.path != "/js/nando.js";
    EXPECT_EQ(asset.caching == Caching::forever, hashed) << asset.path;
    EXPECT_EQ(asset.caching == Caching::never, page) << asset.path;
    if (hashed) {
      EXPECT_NE(asset.path.find('-'), std::string_view::npos) << asset.path;
    }
  }
}

TEST(Assets, TheScriptsOfOtherPagesAreSmall) {
  const auto* tracker = find_asset("/js/nando.js");
  const auto* count = only_with("/js/hit-count-");
  const auto* winner = only_with("/js/hit-winner-");
  ASSERT_NE(tracker, nullptr);
  ASSERT_NE(count, nullptr);
  ASSERT_NE(winner, nullptr);
  EXPECT_LE(tracker->gzip.size(), kTrackerBytesMax);
  EXPECT_LE(count->gzip.size(), kCountBytesMax);
  EXPECT_LE(winner->gzip.size(), kWinnerBytesMax);
}

TEST(Assets, TheTrackerNamesTheElementsOfItsBuild) {
  const std::string tracker(find_asset("/js/nando.js")->bytes);
  for (const std::string tag : {"hit-count", "hit-winner"}) {
    const auto* element = only_with("/js/" + tag + "-");
    ASSERT_NE(element, nullptr);
    EXPECT_THAT(tracker, HasSubstr(tag));
    EXPECT_THAT(tracker, HasSubstr(std::string(element->path.substr(element->path.rfind('-')))));
  }
}

// So that pages work below the path of public_url, and under their own policy.
TEST(Assets, PagesNameTheirPartsRelativeToThemselves) {
  std::size_t pages = 0;
  for (const auto& asset : assets()) {
    if (!asset.content_type.starts_with("text/html")) continue;
    ++pages;
    const std::string html(asset.bytes);
    EXPECT_THAT(html, StartsWith("<!doctype html>")) << asset.path;
    for (const auto* word : {"src=\"/", "href=\"/", "<style", "style=", "../"}) {
      EXPECT_THAT(html, Not(HasSubstr(word))) << asset.path;
    }
    for (std::size_t at = 0; (at = html.find("\"assets/", at)) != std::string::npos; ++at) {
      const auto name = html.substr(at + 1, html.find('"', at + 1) - at - 1);
      EXPECT_NE(find_asset("/" + name), nullptr) << asset.path << " names " << name;
    }
  }
  EXPECT_GT(pages, 0U);
}

}  // namespace
}  // namespace nando
