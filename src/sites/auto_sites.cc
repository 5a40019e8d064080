#include "sites/auto_sites.h"

#include "sites/host.h"
#include "telemetry/log.h"

namespace nando {

SiteMade AutoSites::make_site(std::string_view host) {
  if (sites_.automatic_count() >= kAutoSitesMax) return SiteMade::no;
  const auto parsed = parse_host(host);
  if (!parsed || sites_.was_removed(parsed->host)) return SiteMade::no;
  const auto added = sites_.add({.host = parsed->host,
                                 .timezone = {},
                                 .counts = Visibility::open,
                                 .origin = SiteOrigin::automatic});
  if (added) {
    failing_ = false;
    return SiteMade::yes;
  }
  if (added.error().code == Code::conflict) return SiteMade::yes;  // Another thread was faster.
  if (failing_.exchange(true)) return SiteMade::failed;  // One line a failure, not one a hit.
  log_warn("a site could not be made at its first hit: {}", added.error().message);
  return SiteMade::failed;
}

}  // namespace nando
