// Day: a calendar date in some zone, as days since 1970-01-01; and the zones it is reckoned in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace nando {

struct Day {
  std::int32_t since_epoch = 0;

  constexpr auto operator<=>(const Day&) const = default;
};

// "2026-11-22"
std::string to_string(Day day);

// An RFC 3339 date and time with its offset, "2026-11-22T17:00:00.250Z" or "...+01:00", from 1970
// on. Nothing if it is none.
std::optional<UnixTime> parse_time(std::string_view text);
// "2026-11-22T17:00:00.250Z"
std::string to_string(UnixTime at);

// What a person means by a date and time in `zone`: "2026-11-22" is the whole day, "2026-11-22
// 17:00" and "2026-11-22T17:00:05" are the instant (begins = ends), where the clocks show it twice
// the first one. With an offset as in parse_time() that holds. Nothing if it is none.
struct TimeSpan {
  UnixTime begins;
  UnixTime ends;
};
class Zone;
std::optional<TimeSpan> parse_local(std::string_view text, const Zone& zone);

// One local day of a zone, and when it lasts: [begins, ends).
struct LocalDay {
  Day day;
  UnixTime begins;
  UnixTime ends;
};

// What a zone's clocks are ahead of UTC during [begins, ends).
struct ZoneOffset {
  UnixTime begins;
  UnixTime ends;
  std::chrono::milliseconds ahead{};
};

// The date and the minute of the day, 0 to 1439, that clocks show in a zone.
struct LocalMinute {
  Day day;
  std::uint16_t minute = 0;
};
LocalMinute local_minute(UnixTime at, std::chrono::milliseconds ahead);

// A time zone of the system's database, by name ("Europe/Berlin"). Nothing if there is none of that
// name. Cheap to copy; any thread. Names come from here and nowhere else: a closed list.
class Zone {
 public:
  static std::optional<Zone> find(std::string_view name);
  static Zone utc();

  std::string_view name() const;
  LocalDay day_of(UnixTime at) const;
  ZoneOffset offset_at(UnixTime at) const;
  // When clocks show `local`, milliseconds since 1970 there; the first time, or the end of a gap.
  UnixTime to_utc(std::chrono::milliseconds local) const;

 private:
  explicit Zone(const void* zone) : zone_(zone) {}
  const void* zone_;  // date::time_zone, which lives as long as the program.
};

}  // namespace nando
