#include "store/administration.h"

namespace nando {

Result<Administration> Administration::open(const std::string& path, SiteTables& tables,
                                            SiteId used, Entropy& entropy, const Clock& clock) {
  Administration all;
  auto registry = open_registry(path);
  if (!registry) return registry.error();
  all.registry = std::move(*registry);
  auto sites = Sites::open(*all.registry, tables, used);
  if (!sites) return sites.error();
  all.sites = std::move(*sites);
  auto tokens = Tokens::open(*all.registry, entropy, clock);
  if (!tokens) return tokens.error();
  all.tokens = std::move(*tokens);
  auto people = People::open(*all.registry, entropy, clock);
  if (!people) return people.error();
  all.people = std::move(*people);
  return all;
}

}  // namespace nando
