#include "promotions/desk.h"

#include <map>
#include <mutex>

#include "counters/counters.h"
#include "ledger/committer.h"
#include "promotions/opening.h"
#include "promotions/page.h"
#include "wire/promotion_json.h"

namespace nando {

namespace {

constexpr std::chrono::hours kTrialLasts{24 * 365 * 10};

struct Copy {
  std::optional<PromotionState> promotion;
  PageMoment moment;
};

// Without those who entered, who may be many and are nobody's business.
std::optional<PromotionState> copy_of(const PromotionState* state) {
  if (state == nullptr) return std::nullopt;
  return PromotionState{.id = state->id,
                        .site = state->site,
                        .text = state->text,
                        .rules = state->rules,
                        .intake = state->intake,
                        .opened_at = state->opened_at,
                        .closed_at = state->closed_at,
                        .entries = state->entries,
                        .link = state->link,
                        .ended = state->ended,
                        .outside = state->outside,
                        .revealed_at = state->revealed_at,
                        .claims = state->claims};
}

// One of three wins, for as long as anybody tries.
Promotion trial_rules(const std::string& name, const std::string& host, const std::string& page,
                      UnixTime now) {
  Promotion rules;
  rules.name = name;
  rules.host = host;
  rules.pages = {page};
  rules.opens = now;
  rules.closes = now + kTrialLasts;
  rules.rule = WinRule::instant;
  rules.windows = WindowKind::entries;
  rules.window_entries = 3;
  rules.window_count = kWindowsMax;
  rules.limits = {.visitor = 0, .v4_24 = 0, .v6_64 = 0, .v6_56 = 0, .v6_48 = 0};
  rules.says = "A round of applause: nobody could have known that it would be you.";
  rules.stock = kStockMax;
  rules.claim_within = std::chrono::hours{24};
  return rules;
}

std::string trial_name(std::string_view host) {
  std::string name = "try-";
  for (const char c : host.substr(0, kPromotionNameBytesMax - name.size())) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    name += plain ? c : '-';
  }
  return name;
}

}  // namespace

struct PrizeDesk::State {
  struct Page {
    Text text;
    std::chrono::nanoseconds made{};
  };

  Parts parts;
  std::mutex mutex;
  std::map<std::string, Page, std::less<>> pages;  // Of names that there are.
};

PrizeDesk::PrizeDesk(Parts parts) : state_(new State{.parts = std::move(parts)}) {}
PrizeDesk::~PrizeDesk() = default;

PrizeDesk::Text PrizeDesk::recent_page(const std::string& name) const {
  const std::lock_guard lock(state_->mutex);
  const auto known = state_->pages.find(name);
  const bool is_recent = known != state_->pages.end() &&
                         state_->parts.clock.monotonic() - known->second.made < kPromotionPageAge;
  return is_recent ? known->second.text : nullptr;
}

Result<PrizeDesk::Text> PrizeDesk::page(const std::string& name) {
  if (auto recent = recent_page(name)) return recent;
  auto& parts = state_->parts;
  Copy copy;
  const auto ran = parts.committer.run_and_wait([&](Ledger& ledger) {
    const auto& counters = ledger.counters();
    const auto* state = counters.entries().find(name);
    // Where nobody comes by, no commit has the time that decides. Without a disk it is as it was.
    if (state != nullptr && has_time_decided(*state, counters.committed(), parts.clock.now())) {
      (void)ledger.probe();
    }
    copy = {copy_of(state), {counters.position(), counters.committed()}};
  });
  if (!ran) return ran.error();
  if (!copy.promotion) return Error{Code::not_found, "there is no promotion " + name};
  const auto proof = make_proof(*copy.promotion, copy.moment, parts.judge, parts.key);
  auto text = std::make_shared<const std::string>(write_proof(proof));
  const std::lock_guard lock(state_->mutex);
  state_->pages[name] = {text, parts.clock.monotonic()};
  return Text(std::move(text));
}

Result<std::string> PrizeDesk::open_trial(const Site& site, const std::string& page,
                                          IfNoTrial if_none) {
  auto& parts = state_->parts;
  const auto name = trial_name(site.host);
  std::shared_ptr<const Promotion> there;
  const auto ran = parts.committer.run_and_wait([&](Ledger& ledger) {
    const auto* state = ledger.counters().entries().find(name);
    if (state != nullptr) there = state->rules;
  });
  if (!ran) return ran.error();
  const bool is_trial = there != nullptr && there->host == site.host && there->pages.size() == 1 &&
                        there->pages.front() == page;
  if (is_trial) return name;
  if (there != nullptr || if_none == IfNoTrial::refuse) {
    return Error{Code::not_found, "no promotion is open for this page"};
  }
  const OpeningParts opening{parts.secrets, parts.entropy,
                             [&](const auto& work) { return parts.committer.run_and_wait(work); }};
  const auto opened =
      open_promotion(opening, site, trial_rules(name, site.host, page, parts.clock.now()), {});
  if (!opened) return opened.error();
  return name;
}

Result<std::string> PrizeDesk::code(const std::string& name, std::uint32_t prize) const {
  return state_->parts.secrets.code(name, prize - 1);
}

}  // namespace nando
