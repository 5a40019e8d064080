// Opening a promotion: its seed and codes are put away first, then the journal is told. Should the
// process die in between, or the disk be full, the seed is of a promotion that never opened, and
// the next opening of that name replaces it. One opening goes on at a time.
//
// Threads: any.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "model/promotion.h"
#include "model/site.h"
#include "promotions/secrets.h"

namespace nando {

class Ledger;
class Sites;

struct OpeningParts {
  Secrets& secrets;
  Entropy& entropy;
  // Runs work between two commits and waits for it.
  std::function<Result<>(const std::function<void(Ledger&)>&)> run;
};

// Makes the seed where the rule draws by one, and opens. Returns the rules as they are from then
// on. Code::conflict and Code::invalid as Ledger::open_promotion(), and where the site keeps its
// counts closed: then nobody is given the receipt that a claim needs.
Result<Promotion> open_promotion(const OpeningParts& parts, const Site& site, Promotion rules,
                                 const std::vector<std::string>& codes);

// The same from a file; its rules name the site.
Result<Promotion> open_promotion_file(const OpeningParts& parts, const Sites& sites,
                                      const std::string& path, UnixTime now);

}  // namespace nando
