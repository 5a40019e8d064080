#include "sites/auto_sites.h"

#include "base/log.h"
#include "sites/host.h"

namespace nando {

bool AutoSites::make_site(std::string_view host) {
  if (sites_.automatic_count() >= kAutoSitesMax) return false;
  const auto parsed = parse_host(host);
  if (!parsed || sites_.was_removed(parsed->host)) return false;
  const auto added = sites_.add({.host = parsed->host,
                                 .timezone = {},
                                 .counts = Visibility::open,
                                 .origin = SiteOrigin::automatic});
  if (added) {
    failing_ = false;
    return true;
  }
  if (added.error().code == Code::conflict) return true;  // Another thread was faster.
  if (failing_.exchange(true)) return false;              // One line a failure, not one a hit.
  log_warn("a site could not be made at its first hit: {}", added.error().message);
  return false;
}

}  // namespace nando
