#include "model/day.h"

#include <date/tz.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace nando {

namespace {

const date::time_zone& zone_at(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

constexpr std::size_t kDateBytes = 10;  // "2026-11-22"

std::optional<int> number_of(std::string_view digits) {
  int number = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

std::optional<date::local_days> parse_date(std::string_view text) {
  if (text.size() != kDateBytes || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = number_of(text.substr(0, 4));
  const auto month = number_of(text.substr(5, 2));
  const auto day = number_of(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  const date::year_month_day date{date::year{*year}, date::month(static_cast<unsigned>(*month)),
                                  date::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return date::local_days{date};
}

// Takes ".250" from the front of `text`; nothing stands there for 0. What is less than a
// millisecond is cut off.
std::optional<std::chrono::milliseconds> take_fraction(std::string_view& text) {
  constexpr std::size_t kDigitsMax = 9;
  if (!text.starts_with('.')) return std::chrono::milliseconds{0};
  text.remove_prefix(1);
  const auto size = std::min(text.find_first_not_of("0123456789"), text.size());
  if (size == 0 || size > kDigitsMax) return std::nullopt;
  std::string thousandths(text.substr(0, 3).substr(0, size));
  thousandths.resize(3, '0');
  text.remove_prefix(size);
  return std::chrono::milliseconds{*number_of(thousandths)};
}

// "Z", "+01:00".
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  if (text == "Z") return std::chrono::minutes{0};
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = number_of(text.substr(1, 2));
  const auto minutes = number_of(text.substr(4, 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const std::chrono::minutes ahead{*hours * 60 + *minutes};
  return text[0] == '+' ? ahead : -ahead;
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
  constexpr std::size_t kClockBytes = 9;  // "T17:00:05"
  if (text.size() <= kDateBytes + kClockBytes || text[kDateBytes] != 'T') return std::nullopt;
  const auto day = parse_date(text.substr(0, kDateBytes));
  const auto seconds = seconds_of_day(text.substr(kDateBytes, kClockBytes));
  text.remove_prefix(kDateBytes + kClockBytes);
  const auto fraction = take_fraction(text);
  const auto ahead = parse_offset(text);
  if (!day || !seconds || !fraction || !ahead) return std::nullopt;
  const UnixTime at{day->time_since_epoch() + std::chrono::seconds{*seconds} + *fraction - *ahead};
  if (at < UnixTime{}) return std::nullopt;
  return at;
}

std::optional<TimeSpan> parse_local(std::string_view text, const Zone& zone) {
  if (const auto at = parse_time(text)) return TimeSpan{*at, *at};
  const auto day = parse_date(text.substr(0, kDateBytes));
  if (!day) return std::nullopt;
  const auto clock = text.substr(std::min(text.size(), kDateBytes));
  const auto seconds = clock.empty() ? 0 : seconds_of_day(clock);
  if (!seconds) return std::nullopt;
  const std::chrono::seconds local = day->time_since_epoch() + std::chrono::seconds{*seconds};
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
