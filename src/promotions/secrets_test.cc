#include "promotions/secrets.h"

#include <gtest/gtest.h>

#include "drafts/codes.h"
#include "drafts/window_ends.h"
#include "registry/memory_registry.h"

namespace nando {
namespace {

constexpr Key256 kMaster = {std::byte{1}, std::byte{2}};

std::vector<std::string> codes(std::size_t count, std::size_t bytes = 10) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    auto code = std::to_string(i);
    all.push_back(std::string(bytes - code.size(), 'x') + code);
  }
  return all;
}

std::string lines(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& code : all) text += code + "\n";
  return text;
}

TEST(Codes, AreReadInTheirOrder) {
  EXPECT_EQ(parse_codes("B\nA-1!\n", "c").value(), (std::vector<std::string>{"B", "A-1!"}));
  EXPECT_EQ(parse_codes("B\r\nA", "c").value(), (std::vector<std::string>{"B", "A"}));
  EXPECT_EQ(to_hex(hash_codes({"B", "A-1!"})), to_hex(sha256(as_bytes("B\nA-1!\n"))));
}

TEST(Codes, AListThatIsNotOneIsToldByItsLine) {
  struct Row {
    std::string text, says;
  };
  const std::vector<Row> rows = {
      {"", "c: there is no code in it"},
      {"\n", "c:1: an empty line"},
      {"A\n\nB\n", "c:2: an empty line"},
      {"A\nB\n\n", "c:3: an empty line"},
      {"A\nB\nA\n", "c:3: this code is on line 1 already"},
      {"A\nB C\n", "c:2: a code has letters"},
      {"A \n", "c:1: a code has letters"},
      {"A\t", "c:1: a code has letters"},
      {"\xef\xbb\xbf"
       "A\n",
       "c:1: a code has letters"},
      {"caf\u00e9\n", "c:1: a code has letters"},
      {std::string(101, 'a'), "c:1: a code of more than 100 characters"},
  };
  for (const auto& row : rows) {
    const auto read = parse_codes(row.text, "c");
    ASSERT_FALSE(read) << row.text;
    EXPECT_EQ(read.error().message.find(row.says), 0) << read.error().message;
  }
  EXPECT_TRUE(parse_codes(std::string(100, 'a'), "c"));
  EXPECT_TRUE(parse_codes(lines(codes(kCodesMax)), "c"));
  EXPECT_EQ(parse_codes(lines(codes(kCodesMax + 1)), "c").error().message,
            "c:100001: more than 100000 codes");
}

TEST(Secrets, AreThereForGood) {
  MemoryRegistry registry;
  const auto list = codes(1'234);
  ASSERT_TRUE(Secrets(registry).put("launch", kMaster, list));
  Secrets secrets(registry);
  EXPECT_EQ(secrets.master("launch").value(), kMaster);
  for (std::size_t i = 0; i < list.size(); ++i)
    EXPECT_EQ(secrets.code("launch", i).value(), list[i]);
  EXPECT_EQ(secrets.code("launch", list.size()).error().code, Code::not_found);
  ASSERT_TRUE(secrets.put("other", Key256{}, {}));
  EXPECT_EQ(secrets.master("other").value(), Key256{});
  EXPECT_EQ(secrets.code("other", 0).error().code, Code::not_found);
  EXPECT_EQ(secrets.master("third").error().code, Code::not_found);
  EXPECT_EQ(secrets.code("third", 0).error().code, Code::not_found);
}

TEST(Secrets, ANameIsPutOnce) {
  MemoryRegistry registry;
  Secrets secrets(registry);
  ASSERT_TRUE(secrets.put("launch", kMaster, {"A"}));
  EXPECT_EQ(secrets.put("launch", Key256{}, {"B"}).error().code, Code::conflict);
  EXPECT_EQ(secrets.master("launch").value(), kMaster);
  EXPECT_EQ(secrets.code("launch", 0).value(), "A");
}

TEST(Secrets, WhatWasDroppedMayBePutAgain) {
  MemoryRegistry registry;
  Secrets secrets(registry);
  EXPECT_TRUE(secrets.drop("launch")) << "nothing there is nothing to drop";
  ASSERT_TRUE(secrets.put("launch", Key256{std::byte{1}}, {"a", "b"}));
  ASSERT_TRUE(secrets.drop("launch"));
  EXPECT_EQ(secrets.master("launch").error().code, Code::not_found);
  EXPECT_EQ(secrets.code("launch", 0).error().code, Code::not_found);
  ASSERT_TRUE(secrets.put("launch", Key256{std::byte{2}}, {"c"}));
  EXPECT_EQ(secrets.master("launch").value(), Key256{std::byte{2}});
  EXPECT_EQ(secrets.code("launch", 0).value(), "c");
  EXPECT_FALSE(secrets.code("launch", 1));
}

TEST(Secrets, TheLargestListFits) {
  MemoryRegistry registry;
  Secrets secrets(registry);
  const auto list = codes(kCodesMax, kCodeBytesMax);
  ASSERT_TRUE(secrets.put("launch", kMaster, list));
  EXPECT_EQ(secrets.code("launch", kCodesMax - 1).value(), list.back());
}

// A crash or a full disk between two documents: what is there is of no promotion.
TEST(Secrets, WhatWasPutInPartIsNotThereAndMayBePutAgain) {
  MemoryRegistry registry;
  ASSERT_TRUE(registry.put("promotion_codes", "launch/0", {{"codes", "old\n"}}, kNoVersion));
  Secrets secrets(registry);
  EXPECT_EQ(secrets.master("launch").error().code, Code::not_found);
  EXPECT_EQ(secrets.code("launch", 0).error().code, Code::not_found);
  registry.fail_changes(Error{Code::full, "no space"});
  EXPECT_EQ(secrets.put("launch", kMaster, {"new"}).error().code, Code::full);
  EXPECT_EQ(secrets.master("launch").error().code, Code::not_found);
  registry.fail_changes({});
  ASSERT_TRUE(secrets.put("launch", kMaster, {"new"}));
  EXPECT_EQ(secrets.code("launch", 0).value(), "new");
}

TEST(Secrets, APartThatIsMissingIsToldOf) {
  MemoryRegistry registry;
  Secrets secrets(registry);
  ASSERT_TRUE(secrets.put("launch", kMaster, codes(501)));
  ASSERT_TRUE(registry.put("promotion_codes", "launch/1", {{"codes", ""}}, 1));
  EXPECT_TRUE(secrets.code("launch", 499));
  EXPECT_EQ(secrets.code("launch", 500).error().code, Code::corrupt);
  ASSERT_TRUE(registry.remove("promotion_codes", "launch/1", 2));
  EXPECT_EQ(secrets.code("launch", 500).error().code, Code::corrupt);
  ASSERT_TRUE(registry.put("promotion", "launch", {{"codes", "501"}, {"master", "00"}}, 1));
  EXPECT_EQ(secrets.master("launch").error().code, Code::corrupt);
}

UnixTime at(std::string_view text) {
  return *parse_time(text);
}

std::vector<std::string> ends(std::string_view opens, std::string_view closes, WindowPeriod period,
                              std::string_view zone) {
  std::vector<std::string> found;
  for (const auto end : window_ends(at(opens), at(closes), period, *Zone::find(zone)).value()) {
    found.push_back(to_string(end).substr(0, 16));
  }
  return found;
}

using Ends = std::vector<std::string>;

TEST(WindowEnds, AreWhenClocksOfTheZoneSaySo) {
  EXPECT_EQ(ends("2026-12-01T08:15:00Z", "2026-12-01T10:30:00Z", WindowPeriod::hour, "Etc/UTC"),
            (Ends{"2026-12-01T09:00", "2026-12-01T10:00", "2026-12-01T10:30"}));
  EXPECT_EQ(ends("2026-12-01T08:00:00Z", "2026-12-01T10:00:00Z", WindowPeriod::hour, "Etc/UTC"),
            (Ends{"2026-12-01T09:00", "2026-12-01T10:00"}));
  EXPECT_EQ(
      ends("2026-12-01T08:15:00Z", "2026-12-01T09:00:00Z", WindowPeriod::hour, "Asia/Kolkata"),
      (Ends{"2026-12-01T08:30", "2026-12-01T09:00"}));
  EXPECT_EQ(
      ends("2026-12-01T08:00:00Z", "2026-12-03T17:00:00Z", WindowPeriod::day, "Europe/Berlin"),
      (Ends{"2026-12-01T23:00", "2026-12-02T23:00", "2026-12-03T17:00"}));
  EXPECT_EQ(
      ends("2026-12-06T22:59:00Z", "2026-12-15T00:00:00Z", WindowPeriod::week, "Europe/Berlin"),
      (Ends{"2026-12-06T23:00", "2026-12-13T23:00", "2026-12-15T00:00"}));
}

// Days of 23 and 25 hours; the hour that comes twice has two windows, and half an hour is one.
TEST(WindowEnds, FollowClocksThatAreSet) {
  EXPECT_EQ(
      ends("2027-03-27T12:00:00Z", "2027-03-29T12:00:00Z", WindowPeriod::day, "Europe/Berlin"),
      (Ends{"2027-03-27T23:00", "2027-03-28T22:00", "2027-03-29T12:00"}));
  EXPECT_EQ(
      ends("2027-10-30T12:00:00Z", "2027-11-01T12:00:00Z", WindowPeriod::day, "Europe/Berlin"),
      (Ends{"2027-10-30T22:00", "2027-10-31T23:00", "2027-11-01T12:00"}));
  EXPECT_EQ(
      ends("2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z", WindowPeriod::hour, "Europe/Berlin")
          .size(),
      25);
  EXPECT_EQ(
      ends("2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z", WindowPeriod::hour, "Europe/Berlin")
          .size(),
      23);
  // Lord Howe's clocks go back by half an hour, at 2:00 to 1:30 on 2027-04-04 (15:00 UTC the day
  // before): from 1:00 to 1:30 twice until 2:00 are two windows.
  EXPECT_EQ(ends("2027-04-03T13:00:00Z", "2027-04-03T16:30:00Z", WindowPeriod::hour,
                 "Australia/Lord_Howe"),
            (Ends{"2027-04-03T14:00", "2027-04-03T15:00", "2027-04-03T15:30", "2027-04-03T16:30"}));
}

// Pyongyang's clocks were put forward at 23:30 (15:00 UTC), and showed midnight.
TEST(WindowEnds, ClocksMayBeSetWithinAnHour) {
  EXPECT_EQ(
      ends("2018-05-04T14:00:00Z", "2018-05-04T16:30:00Z", WindowPeriod::hour, "Asia/Pyongyang"),
      (Ends{"2018-05-04T14:30", "2018-05-04T15:00", "2018-05-04T16:00", "2018-05-04T16:30"}));
}

TEST(WindowEnds, AreAThousandAtMost) {
  const auto utc = Zone::utc();
  const auto opens = at("2026-12-01T00:00:00Z");
  const auto last = opens + std::chrono::hours{kWindowEndsMax};
  const auto ends = window_ends(opens, last, WindowPeriod::hour, utc);
  ASSERT_TRUE(ends);
  EXPECT_EQ(ends->size(), kWindowEndsMax);
  EXPECT_EQ(ends->back(), last);
  EXPECT_FALSE(window_ends(opens, last + std::chrono::milliseconds{1}, WindowPeriod::hour, utc));
}

}  // namespace
}  // namespace nando
