// Beacon: what somebody claims to have happened. Every door (the seed's route, the API, the pixel,
// later every foreign tracker) makes one, and only `ingest` turns it into a Hit or a DropReason.
//
// All text is borrowed from the request and dies with it. Nothing here is checked yet, except that
// text that came by JSON is UTF-8 and that lengths are within the limits below.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/clock.h"
#include "model/ids.h"
#include "model/names.h"

namespace nando {

// The door a beacon came by. With the agent's class it decides what is counted (records.md, Bots).
enum class Door : std::uint8_t { seed, script, pixel, api_token };
inline constexpr std::array<std::string_view, 4> kDoorNames = {"seed", "script", "pixel",
                                                               "api_token"};
constexpr std::string_view name_of(Door door) {
  return enum_name(kDoorNames, door);
}

inline constexpr std::size_t kHitIdBytesMin = 16;
inline constexpr std::size_t kHitIdBytesMax = 64;
// Of a hit that has one. That it is UTF-8 its door sees to.
constexpr bool is_hit_id(std::string_view id) {
  return id.size() >= kHitIdBytesMin && id.size() <= kHitIdBytesMax;
}
inline constexpr std::size_t kUrlBytesMax = 4096;
inline constexpr std::size_t kReferrerBytesMax = 2048;
inline constexpr std::size_t kTitleBytesMax = 512;
inline constexpr std::size_t kEventNameBytesMax = 120;
inline constexpr std::size_t kScreenBytesMax = 16;
inline constexpr std::size_t kLanguageBytesMax = 35;  // RFC 5646 section 4.4.1.
inline constexpr std::size_t kPropsMax = 30;
inline constexpr std::size_t kPropKeyBytesMax = 300;
inline constexpr std::size_t kPropValueBytesMax = 2000;
inline constexpr std::size_t kPropsBytesMax = 8192;  // All pairs together, as encoded.

using SecretHash = Hash128;

struct Beacon {
  Door door = Door::script;
  bool is_of_known_site = false;  // It makes no site: its token is bound to one.

  std::string_view url;
  std::string_view id;        // Empty, or is_hit_id().
  std::string_view referrer;  // As the page saw it.
  std::string_view title;
  std::string_view name;   // Of an event; empty for a page view.
  std::string_view props;  // Of an event: pairs, each a sized key and a sized value (base/bytes.h).
  std::string_view screen;
  std::string_view language;
  std::optional<SecretHash> secret_hash;
  std::optional<UnixTime> time;  // Only with a token.

  // From the request, or with a token from the body.
  IpAddress address;
  std::string_view user_agent;

  // Request headers; empty if absent.
  std::string_view origin;
  std::string_view referer;
  std::string_view sec_purpose;  // Sec-Purpose, else Purpose, else X-Purpose, else X-Moz.
};

}  // namespace nando
