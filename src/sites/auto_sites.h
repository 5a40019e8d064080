// AutoSites: makes a site at its first hit, with public counts. For trying out (`--auto-sites`).
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "sites/sites.h"

namespace nando {

inline constexpr std::size_t kAutoSitesMax = 1'000;

class AutoSites {
 public:
  explicit AutoSites(Sites& sites) : sites_(sites) {}

  // No if it is no host name, if an operator removed that site, or if kAutoSitesMax sites were made
  // this way already; failed if the registry did. Costs a durable write when a site is made.
  // Threads: any.
  SiteMade make_site(std::string_view host);

 private:
  Sites& sites_;
  std::atomic<bool> failing_{false};
};

}  // namespace nando
