#include "model/day.h"

#include <gtest/gtest.h>

namespace nando {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

UnixTime time_of(std::string_view text) {
  const auto time = parse_time(text);
  EXPECT_TRUE(time) << text;
  return time.value_or(UnixTime{});
}

LocalDay day_in(std::string_view zone, std::string_view at) {
  return Zone::find(zone)->day_of(time_of(at));
}

TEST(Day, IsWrittenAsADate) {
  EXPECT_EQ(to_string(Day{0}), "1970-01-01");
  EXPECT_EQ(to_string(Day{-1}), "1969-12-31");
  EXPECT_EQ(to_string(Day{11016}), "2000-02-29");
  EXPECT_EQ(to_string(Day{20779}), "2026-11-22");
}

TEST(Day, ATimeIsReadWithItsOffset) {
  EXPECT_EQ(time_of("1970-01-01T00:00:00Z"), UnixTime{});
  EXPECT_EQ(time_of("2026-11-22T17:00:00.250Z"), time_of("2026-11-22T18:00:00.250+01:00"));
  EXPECT_EQ(to_string(time_of("2026-11-22T17:00:00.250Z")), "2026-11-22T17:00:00.250Z");
  EXPECT_EQ(time_of("2026-11-22T17:00:00.2Z"), time_of("2026-11-22T17:00:00.200999999Z"));
  EXPECT_EQ(time_of("2024-02-29T23:59:59-23:59"), time_of("2024-03-01T23:58:59Z"));
  EXPECT_EQ(time_of("1970-01-01T01:00:00+01:00"), UnixTime{});
  EXPECT_EQ(to_string(time_of("9999-12-31T23:59:59.999Z")), "9999-12-31T23:59:59.999Z");
  for (const auto* none : {"",
                           "2026-11-22",
                           "2026-11-22T17:00:00",
                           "2026-13-22T17:00:00Z",
                           "2026-02-30T17:00:00Z",
                           "1969-12-31T23:59:59Z",
                           "2026-11-22T17:00:00Zx",
                           "yesterday",
                           "2026-11-22 17:00:00Z",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T17:60:00Z",
                           "2026-11-22T17:00:60Z",
                           "2026-11-22T1%:00:00Z",
                           "2026-11-22T17:00Z",
                           "2026-11-22T17:00:00.Z",
                           "2026-11-22T17:00:00.0123456789Z",
                           "2026-11-22T17:00:00+0100",
                           "2026-11-22T17:00:00+24:00",
                           "2026-11-22T17:00:00+01:60",
                           "2026-11-22T17:00:00+01:00x",
                           "2026-11-22T17:00:00 01:00",
                           "-026-11-22T17:00:00Z",
                           "2026-1-022T17:00:00Z",
                           "1970-01-01T00:59:59+01:00"}) {
    EXPECT_FALSE(parse_time(none)) << none;
  }
}

TEST(Zone, ComesFromTheSystemsListAndNowhereElse) {
  EXPECT_EQ(Zone::find("Europe/Berlin")->name(), "Europe/Berlin");
  EXPECT_EQ(Zone::utc().name(), "Etc/UTC");
  for (const auto* none : {"", "Europe/Nowhere", "../etc/passwd", "+01:00"}) {
    EXPECT_FALSE(Zone::find(none)) << none;
  }
}

TEST(Zone, ADayBeginsAndEndsAtLocalMidnight) {
  const auto berlin = day_in("Europe/Berlin", "2026-11-22T23:00:00Z");
  EXPECT_EQ(to_string(berlin.day), "2026-11-23");
  EXPECT_EQ(berlin.begins, time_of("2026-11-22T23:00:00Z"));
  EXPECT_EQ(berlin.ends, time_of("2026-11-23T23:00:00Z"));
  const auto before = day_in("Europe/Berlin", "2026-11-22T22:59:59.999Z");
  EXPECT_EQ(to_string(before.day), "2026-11-22");
  EXPECT_EQ(before.ends, berlin.begins);
}

TEST(Zone, TheOutermostZonesAreTwentySixHoursApart) {
  const auto* at = "2026-11-22T10:30:00Z";
  EXPECT_EQ(to_string(day_in("Pacific/Kiritimati", at).day), "2026-11-23");
  EXPECT_EQ(to_string(day_in("Etc/GMT+12", at).day), "2026-11-21");
}

TEST(Zone, DaysOfSummerTimeAreShorterAndLonger) {
  const auto spring = day_in("Europe/Berlin", "2026-03-29T12:00:00Z");
  EXPECT_EQ(spring.ends - spring.begins, hours{23});
  const auto autumn = day_in("Europe/Berlin", "2026-10-25T12:00:00Z");
  EXPECT_EQ(autumn.ends - autumn.begins, hours{25});
}

TEST(Zone, WhereMidnightDoesNotExistADayBeginsAfterTheGap) {
  const auto day = day_in("America/Sao_Paulo", "2018-11-04T12:00:00Z");
  EXPECT_EQ(day.begins, time_of("2018-11-04T03:00:00Z"));
  EXPECT_EQ(day.ends - day.begins, hours{23});
}

TEST(Zone, EveryInstantIsInItsOwnDay) {
  for (const auto* name : {"Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu",
                           "Pacific/Kiritimati", "Etc/GMT+12", "Australia/Lord_Howe"}) {
    const auto zone = *Zone::find(name);
    const auto end = time_of("2012-01-05T00:00:00Z");
    for (auto at = time_of("2011-01-01T00:00:00Z"); at < end;) {
      const auto day = zone.day_of(at);
      ASSERT_LE(day.begins, at) << name << " " << to_string(at);
      ASSERT_GT(day.ends, at) << name << " " << to_string(at);
      ASSERT_EQ(zone.day_of(day.ends - milliseconds{1}).day, day.day) << name;
      at = day.ends;
    }
  }
}

TEST(ParseLocal, ReadsWhatAPersonMeans) {
  const auto berlin = *Zone::find("Europe/Berlin");
  struct Row {
    const char* text;
    const char* begins;
    const char* ends;
  };
  const Row rows[] = {
      {"2026-11-22", "2026-11-21T23:00:00.000Z", "2026-11-22T23:00:00.000Z"},
      {"2026-11-22 17:00", "2026-11-22T16:00:00.000Z", "2026-11-22T16:00:00.000Z"},
      {"2026-11-22T17:00:05", "2026-11-22T16:00:05.000Z", "2026-11-22T16:00:05.000Z"},
      {"2026-11-22T17:00:05Z", "2026-11-22T17:00:05.000Z", "2026-11-22T17:00:05.000Z"},
      // A day of 23 hours, and a time that clocks show twice.
      {"2026-03-29", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z"},
      {"2026-10-25T02:30", "2026-10-25T00:30:00.000Z", "2026-10-25T00:30:00.000Z"},
  };
  for (const auto& row : rows) {
    const auto span = parse_local(row.text, berlin);
    ASSERT_TRUE(span) << row.text;
    EXPECT_EQ(to_string(span->begins), row.begins) << row.text;
    EXPECT_EQ(to_string(span->ends), row.ends) << row.text;
  }
  for (const auto* text :
       {"", "2026", "2026-13-01", "2026-11-22T24:00", "2026-11-22T10:60", "2026-11-22T10:00:60",
        "2026-11-22T1:00", "2026-11-22x", "1969-01-01", "yesterday"}) {
    EXPECT_FALSE(parse_local(text, berlin)) << text;
  }
}

}  // namespace
}  // namespace nando
