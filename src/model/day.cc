#include "model/day.h"

// g++ 12 takes a variable inside date::from_stream for uninitialised once it is inlined.
#ifndef __clang__  // Which does not know the warning.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <date/tz.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <stdexcept>

namespace nando {

namespace {

const date::time_zone& zone_at(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

// Of "T17:00" or " 17:00:05".
std::optional<int> seconds_of_day(std::string_view clock) {
  constexpr std::string_view kShape = "T00:00:00";
  constexpr std::size_t kWithoutSeconds = 6;
  if (clock.size() != kShape.size() && clock.size() != kWithoutSeconds) return std::nullopt;
  std::array<int, 3> parts{};
  for (std::size_t i = 0; i < clock.size(); ++i) {
    const char c = clock[i];
    const bool fits = kShape[i] == '0'   ? c >= '0' && c <= '9'
                      : kShape[i] == 'T' ? c == 'T' || c == ' '
                                         : c == kShape[i];
    if (!fits) return std::nullopt;
    if (kShape[i] == '0') parts.at(i / 3) = parts.at(i / 3) * 10 + (c - '0');
  }
  if (parts[0] > 23 || parts[1] > 59 || parts[2] > 59) return std::nullopt;
  return (parts[0] * 60 + parts[1]) * 60 + parts[2];
}

UnixTime start_of(const date::time_zone& zone, date::local_days day) {
  // A day begins at its first instant; where midnight does not exist, at the end of the gap.
  return date::floor<std::chrono::milliseconds>(
      zone.to_sys(day, date::choose::earliest).time_since_epoch() + UnixTime{});
}

}  // namespace

std::string to_string(Day day) {
  const date::year_month_day date{date::sys_days{date::days{day.since_epoch}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::optional<UnixTime> parse_time(std::string_view text) {
  for (const auto* format : {"%FT%TZ", "%FT%T%Ez"}) {
    std::istringstream in{std::string(text)};
    UnixTime at;
    in >> date::parse(format, at);
    if (!in.fail() && in.peek() == std::istringstream::traits_type::eof() && at >= UnixTime{})
      return at;
  }
  return std::nullopt;
}

std::optional<TimeSpan> parse_local(std::string_view text, const Zone& zone) {
  if (const auto at = parse_time(text)) return TimeSpan{*at, *at};
  constexpr std::size_t kDateBytes = 10;
  std::istringstream in{std::string(text.substr(0, kDateBytes))};
  date::local_days day;
  in >> date::parse("%F", day);
  if (in.fail() || in.peek() != std::istringstream::traits_type::eof()) return std::nullopt;
  const auto clock = text.substr(std::min(text.size(), kDateBytes));
  const auto seconds = clock.empty() ? 0 : seconds_of_day(clock);
  if (!seconds) return std::nullopt;
  const std::chrono::seconds local = day.time_since_epoch() + std::chrono::seconds{*seconds};
  const auto begins = zone.to_utc(local);
  if (begins < UnixTime{}) return std::nullopt;
  return TimeSpan{begins, clock.empty() ? zone.to_utc(local + date::days{1}) : begins};
}

std::string to_string(UnixTime at) {
  return date::format("%FT%TZ", at);
}

std::optional<Zone> Zone::find(std::string_view name) {
  try {
    return Zone(date::locate_zone(std::string(name)));
  } catch (const std::runtime_error&) {  // How the library says that there is none.
    return std::nullopt;
  }
}

Zone Zone::utc() {
  static const auto* const zone = date::locate_zone("Etc/UTC");
  return Zone(zone);
}

std::string_view Zone::name() const {
  return zone_at(zone_).name();
}

LocalDay Zone::day_of(UnixTime at) const {
  const auto& zone = zone_at(zone_);
  const auto local = date::floor<date::days>(zone.to_local(at));
  return {Day{static_cast<std::int32_t>(local.time_since_epoch().count())}, start_of(zone, local),
          start_of(zone, local + date::days{1})};
}

UnixTime Zone::to_utc(std::chrono::milliseconds local) const {
  const date::local_time<std::chrono::milliseconds> shown{local};
  return UnixTime{zone_at(zone_).to_sys(shown, date::choose::earliest).time_since_epoch()};
}

ZoneOffset Zone::offset_at(UnixTime at) const {
  const auto info = zone_at(zone_).get_info(at);
  // The first and the last stretch of a zone have no end that milliseconds could hold.
  const auto bound = [](date::sys_seconds time) {
    constexpr date::sys_seconds kFirst = date::sys_days{date::year{1} / 1 / 1};
    constexpr date::sys_seconds kLast = date::sys_days{date::year{9999} / 12 / 31};
    return UnixTime{std::clamp(time, kFirst, kLast).time_since_epoch()};
  };
  return {bound(info.begin), bound(info.end), info.offset};
}

LocalMinute local_minute(UnixTime at, std::chrono::milliseconds ahead) {
  const auto local = at + ahead;
  const auto day = std::chrono::floor<date::days>(local);
  const auto minute = std::chrono::floor<std::chrono::minutes>(local - day);
  return {Day{static_cast<std::int32_t>(day.time_since_epoch().count())},
          static_cast<std::uint16_t>(minute.count())};
}

}  // namespace nando
