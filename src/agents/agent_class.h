// Which agents are bots: what a User-Agent says of itself. Nobody is found out who claims to be a
// browser; that is not what this is for.
//
// Declared bots are those of crawler-user-agents (tables/crawlers.h, made by tools/agents). HTTP
// libraries are among them. Bots are also those that no browser can be: docs/reference/bots.md.
//
// Threads: any.
#pragma once

#include <array>
#include <string_view>

#include "model/hit.h"

namespace nando {

// The longest of browsers' agents that we know has 268 bytes, the longest of crawlers' 285.
inline constexpr std::size_t kAgentOfBrowserBytesMax = 1024;

// What fetches a picture for somebody who looks at it, and hides who.
struct ImageProxy {
  std::string_view text;  // Stands in its agent.
  std::string_view about;
};
inline constexpr std::array kImageProxies = {
    ImageProxy{"github-camo", "GitHub"},
    ImageProxy{"Camo Asset Proxy", "camo, where others run it"},
    ImageProxy{"go-camo", "go-camo"},
    ImageProxy{"GoogleImageProxy", "Gmail"},
    ImageProxy{"YahooMailProxy", "Yahoo Mail"},
    ImageProxy{"StartpagePrivateImageProxy", "Startpage"},
    ImageProxy{"willnorris/imageproxy", "imageproxy, where others run it"},
};

// A pure function. Cost: 0.3 us for a browser once its first calls have warmed it, 20 ms for the
// very first one, up to 0.2 ms for text that nobody has sent before; so ask an AgentMemo. Allocates
// at first.
AgentClass classify_agent(std::string_view agent);

}  // namespace nando
