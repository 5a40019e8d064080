#include "promotions/opening.h"

#include <mutex>

#include "counters/counters.h"
#include "drafts/promotion_file.h"
#include "ledger/ledger.h"
#include "prizes/seed_chain.h"
#include "sites/sites.h"

namespace nando {

namespace {

// A name that was had before is refused before its seed is touched; and so is one that a failed
// journal may have: only the next start knows.
Result<> check_free(const OpeningParts& parts, SiteId site, const Promotion& rules) {
  Result<> may;
  const auto ran = parts.run([&](Ledger& ledger) {
    if (const auto failure = ledger.failure(); !failure.empty()) {
      may = Error{Code::io, "the journal has failed, restart first: " + failure};
      return;
    }
    const auto& counters = ledger.counters();
    may = check_opening(counters.entries(), site, rules, counters.committed());
  });
  return ran ? may : ran;
}

}  // namespace

Result<Promotion> open_promotion(const OpeningParts& parts, const Site& site, Promotion rules,
                                 const std::vector<std::string>& codes) {
  if (site.counts == Visibility::closed) {
    return Error{Code::conflict, site.host +
                                     " keeps its counts closed, so nobody is given a "
                                     "receipt to claim by; open them first: nandolytics "
                                     "site set " +
                                     site.host + " public_counts on"};
  }
  const auto master = parts.entropy.take<sizeof(Key256)>();
  if (rules.rule == WinRule::instant) {
    rules.commitment = SeedChain(master, rules.window_count).commitment();
  }
  static std::mutex opening;
  const std::lock_guard one_at_a_time(opening);
  if (auto may = check_free(parts, site.id, rules); !may) return may.error();
  // Of an opening of this name that a crash cut short.
  if (auto dropped = parts.secrets.drop(rules.name); !dropped) return dropped.error();
  if (auto kept = parts.secrets.put(rules.name, master, codes); !kept) return kept.error();
  Result<PromotionId> opened = PromotionId{};
  const auto ran = parts.run([&](Ledger& ledger) {
    opened = ledger.open_promotion(site.id, site.host, rules_text(rules));
  });
  if (!ran) return ran.error();
  if (!opened) return opened.error();
  return rules;
}

Result<Promotion> open_promotion_file(const OpeningParts& parts, const Sites& sites,
                                      const std::string& path, UnixTime now) {
  auto draft = load_promotion(path, now, [&](std::string_view host) { return sites.find(host); });
  if (!draft) return draft.error();
  const auto site = sites.find(draft->site);
  if (!site) return site.error();
  return open_promotion(parts, *site, std::move(draft->rules), draft->codes);
}

}  // namespace nando
