// Administration: what operators have said, and who may ask: the registry and all that stands on
// it.
#pragma once

#include <memory>

#include "auth/sessions.h"
#include "auth/tokens.h"
#include "registry/registry.h"
#include "sites/sites.h"

namespace nando {

struct Administration {
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Sites> sites;
  std::unique_ptr<Tokens> tokens;
  People people;

  // Of the data directory at `path`; publishes the sites to `tables`. New sites get ids after
  // `used`, the last one the journal knows. `tables`, `entropy` and `clock` outlive it.
  static Result<Administration> open(const std::string& path, SiteTables& tables, SiteId used,
                                     Entropy& entropy, const Clock& clock);
};

}  // namespace nando
