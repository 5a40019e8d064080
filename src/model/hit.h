// Hit: a beacon that ingest has accepted, ready to be counted. What a browser claims is a Beacon;
// what was counted is an Outcome (ledger/outcome.h); the three are different types, so none can be
// passed for another.
//
// Text is borrowed, from the arena of the batch that carries the hit (model/hit_arena.h). A hit
// holds no address and no raw agent.
#pragma once

#include "model/beacon.h"
#include "model/day.h"
#include "model/ids.h"
#include "model/promotion.h"

namespace nando {

enum class HitKind : std::uint8_t {
  page_view,  // Moves the page's and the site's ordinal, but for a bot's (model/counting.h).
  event,      // Extends the visit; moves no ordinal.
};
inline constexpr std::array<std::string_view, 2> kHitKindNames = {"page_view", "event"};
constexpr std::string_view name_of(HitKind kind) {
  return enum_name(kHitKindNames, kind);
}

// Who sent a hit, as far as counting goes.
enum class AgentClass : std::uint8_t { person, bot, image_proxy };
inline constexpr std::array<std::string_view, 3> kAgentClassNames = {"person", "bot",
                                                                     "image_proxy"};
constexpr std::string_view name_of(AgentClass agent) {
  return enum_name(kAgentClassNames, agent);
}

struct Hit {
  HitKind kind = HitKind::page_view;
  Door door = Door::script;
  AgentClass agent = AgentClass::person;

  SiteId site;
  std::uint32_t site_pages_max = 0;  // Past it, new pages are counted on the site's page "(other)".
  std::string_view site_host;        // For the record that introduces the site.
  PageKey page{};
  std::string_view
      page_url;  // As spelled by ingest/page_url.h; for the record that introduces the page.

  Day day;  // The site's local day.
  VisitorId visitor;
  VisitorId visitor_yesterday;  // In the first half hour of a day: who this was by yesterday's
                                // salt. Else 0.

  PromotionId promotion;  // That covers the page; 0 if none does.
  Entrant entrant;        // Who would enter it.

  std::string_view id;  // Empty, or 16 to 64 bytes.
  std::optional<SecretHash> secret_hash;
  std::optional<UnixTime> at;  // What the sender claims; charts use it, nothing else.
  std::string_view referrer;   // Without query and fragment.
  std::string_view title;
  std::string_view name;
  std::string_view props;
  std::string_view screen;
  std::string_view language;
};

}  // namespace nando
