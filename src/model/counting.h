// Counting: what becomes of a hit, by the door it came by and by who sent it. Everything that must
// know asks this table: the commit, replay, the recount, the feed, the export.
//
// `counted` is part of the journal's format: a record has no more than its door and its class, and
// replay reads here whether it has a number. So a row never changes what it says of the hits that
// are on disk; a door or class that is treated otherwise is a new one, with rows of its own.
#pragma once

#include "model/hit.h"

namespace nando {

enum class Counted : std::uint8_t { no, yes };  // A page view: moves its page's and site's ordinal.
enum class Visitor : std::uint8_t { no, yes };  // Has a pseudonym, and is part of a visit.
enum class Eligible : std::uint8_t { no, yes };  // A page view: may enter a draw.

struct CountingRule {
  Door door;
  AgentClass agent;
  Counted counted;
  Visitor visitor;
  Eligible eligible;
};

// Who asks by the seed's door or with a token is a program by nature, so any agent counts there. A
// script or a pixel in a page is run by browsers; what says there that it is a bot has looked at
// the page for nobody. An image proxy asks because somebody looks, but hides who.
inline constexpr std::array kCountingRules = {
    CountingRule{Door::seed, AgentClass::person, Counted::yes, Visitor::yes, Eligible::yes},
    CountingRule{Door::seed, AgentClass::bot, Counted::yes, Visitor::no, Eligible::no},
    CountingRule{Door::seed, AgentClass::image_proxy, Counted::yes, Visitor::no, Eligible::no},
    CountingRule{Door::script, AgentClass::person, Counted::yes, Visitor::yes, Eligible::yes},
    CountingRule{Door::script, AgentClass::bot, Counted::no, Visitor::no, Eligible::no},
    CountingRule{Door::script, AgentClass::image_proxy, Counted::yes, Visitor::no, Eligible::no},
    CountingRule{Door::pixel, AgentClass::person, Counted::yes, Visitor::yes, Eligible::yes},
    CountingRule{Door::pixel, AgentClass::bot, Counted::no, Visitor::no, Eligible::no},
    CountingRule{Door::pixel, AgentClass::image_proxy, Counted::yes, Visitor::no, Eligible::no},
    CountingRule{Door::api_token, AgentClass::person, Counted::yes, Visitor::yes, Eligible::yes},
    CountingRule{Door::api_token, AgentClass::bot, Counted::yes, Visitor::no, Eligible::no},
    CountingRule{Door::api_token, AgentClass::image_proxy, Counted::yes, Visitor::no, Eligible::no},
};

constexpr std::size_t counting_row(Door door, AgentClass agent) {
  return static_cast<std::size_t>(door) * kAgentClassNames.size() + static_cast<std::size_t>(agent);
}
constexpr const CountingRule& counting_rule(Door door, AgentClass agent) {
  return kCountingRules.at(counting_row(door, agent));
}

// Every pair has its row, where counting_rule() looks.
static_assert([] {
  std::size_t row = 0;
  for (const auto& rule : kCountingRules) {
    if (counting_row(rule.door, rule.agent) != row++) return false;
  }
  return row == kDoorNames.size() * kAgentClassNames.size();
}());

// Whether a hit has ordinals of its own; any other carries them as they stood.
constexpr bool is_numbered(HitKind kind, Door door, AgentClass agent) {
  return kind == HitKind::page_view && counting_rule(door, agent).counted == Counted::yes;
}

}  // namespace nando
