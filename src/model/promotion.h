// Promotion: the rules of a prize draw, fixed when it opens. Which pages, when, what wins, who may
// take part, what the prize is. Everything that follows from them (which window an entry is in, who
// may enter, when a window is over) is a pure function of the rules, the entries and the time of
// their commit.
//
// An entry is a page view that takes part; entries of a promotion are numbered 1, 2, 3, ... without
// a hole. A window is a run of entries among which is drawn.
//
// The rules have one text (rules_text()): lines of `key=value` in a fixed order. It is what the
// journal keeps, what is published and what is signed. Format: docs/formats/promotion.md.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "model/ids.h"
#include "model/names.h"
#include "model/published.h"

namespace nando {

// Promotions are numbered by the journal record that opened them: 1, 2, 3, ...
using PromotionId = Id<struct PromotionTag, std::uint32_t>;

// What wins. Who watches a public count can aim at `exact` and `every`, and not at a draw.
enum class WinRule : std::uint8_t {
  exact,    // The entries whose ordinals the rules list.
  every,    // Each Nth entry.
  instant,  // Drawn in each window by a seed whose hash was published before the window opened.
  sealed,   // Drawn once, by the entries' chain and a value from outside that nobody knows before.
};
inline constexpr std::array<std::string_view, 4> kWinRuleNames = {"exact", "every", "instant",
                                                                  "sealed"};
constexpr std::string_view name_of(WinRule rule) {
  return enum_name(kWinRuleNames, rule);
}

enum class WindowKind : std::uint8_t {
  whole,    // One window: exact and sealed.
  entries,  // So many entries each: every, and instant by entries.
  times,    // Up to the moments that the rules list: instant by days, weeks or hours.
};
inline constexpr std::array<std::string_view, 3> kWindowKindNames = {"whole", "entries", "times"};
constexpr std::string_view name_of(WindowKind kind) {
  return enum_name(kWindowKindNames, kind);
}

enum class PrizeKind : std::uint8_t { text, link, code };
inline constexpr std::array<std::string_view, 3> kPrizeKindNames = {"text", "link", "code"};
constexpr std::string_view name_of(PrizeKind kind) {
  return enum_name(kPrizeKindNames, kind);
}

inline constexpr std::size_t kPromotionNameBytesMax = 64;
inline constexpr std::size_t kPromotionPagesMax = 100;
inline constexpr std::size_t kPromotionPageBytesMax = 400;
inline constexpr std::size_t kPromotionOrdinalsMax = 1'000;
inline constexpr std::uint64_t kWindowEntriesMax = 1'000'000'000;
inline constexpr std::uint32_t kWindowsMax = 100'000;
inline constexpr std::size_t kWindowEndsMax = 1'000;
inline constexpr std::uint32_t kWinnersMax = 1'000;       // Of one window.
inline constexpr std::uint64_t kEntriesMax = 10'000'000;  // Of one promotion.
inline constexpr std::size_t kPrizeTextBytesMax = 2'000;
inline constexpr std::uint32_t kStockMax = 100'000;
inline constexpr std::chrono::milliseconds kClaimWithinMin = std::chrono::minutes{1};
inline constexpr std::chrono::milliseconds kClaimWithinMax = std::chrono::hours{24 * 3660};
inline constexpr std::size_t kOutsideBytesMax = 500;
inline constexpr std::size_t kRulesTextBytesMax = 48 << 10;  // Fits a journal record.

// How many entries one visitor, or one network, may have in a window. 0: as many as they like.
struct EntryLimits {
  std::uint32_t visitor = 1;
  std::uint32_t v4_24 = 10;
  std::uint32_t v6_64 = 3;
  std::uint32_t v6_56 = 10;
  std::uint32_t v6_48 = 30;

  bool operator==(const EntryLimits&) const = default;
};

// Who would enter: keyed hashes under a key that lives a day (visitors/entrants.h). 0: does not
// apply.
struct Entrant {
  std::uint64_t visitor = 0;
  std::uint64_t v4_24 = 0;
  std::uint64_t v6_64 = 0;
  std::uint64_t v6_56 = 0;
  std::uint64_t v6_48 = 0;

  bool operator==(const Entrant&) const = default;
};

struct Promotion {
  std::string name;  // [a-z0-9-], as <hit-winner promotion="..."> names it.
  std::string host;  // Of the site.
  // "/a" is that page, "/a/*" what is below it ("/a/" and "/a/b", not "/a"). None: every page of
  // the site.
  std::vector<std::string> pages;
  UnixTime opens{};
  UnixTime closes{};

  WinRule rule = WinRule::instant;
  std::vector<std::uint64_t> ordinals;  // exact: rising.
  WindowKind windows = WindowKind::entries;
  std::uint64_t window_entries = 0;   // entries: how many.
  std::uint32_t window_count = 1;     // How many windows there will be at most.
  std::vector<UnixTime> window_ends;  // times: rising, window_count of them, the last is `closes`.
  std::uint32_t winners = 1;          // every: 1. Drawn: so many in each window.
  Hash256 commitment{};               // instant: SHA-256 of the first window's seed.
  std::string outside;                // sealed: what value will be mixed in, in words.
  UnixTime outside_at{};              // sealed: not known before; after `closes`.

  EntryLimits limits;

  PrizeKind prize = PrizeKind::text;
  std::string says;         // text: the surprise. link: its URL. code: what to do with the code.
  std::uint32_t stock = 0;  // Prizes there are.
  Hash256 codes_hash{};     // code: SHA-256 of all codes, each with a newline after it.
  std::chrono::milliseconds claim_within{};  // From when a win is known.

  bool operator==(const Promotion&) const = default;
};

// What is wrong with rules, as somebody who writes them wants to be told. Fields that the rule does
// not have must be as they are in Promotion{}.
struct RulesFault {
  std::string_view field;  // Its key in rules_text().
  std::string says;
};
std::optional<RulesFault> find_fault(const Promotion& promotion);
// Code::invalid with what find_fault() says.
Result<> check_rules(const Promotion& promotion);

// One text, one value, for rules that check_rules() lets pass.
std::string rules_text(const Promotion& promotion);
// Code::invalid, naming line and reason, for anything that rules_text() does not write; what it
// returns passes check_rules().
Result<Promotion> parse_rules(std::string_view text);

// Whether `path` ("/a/b", no query) is one of the promotion's pages.
bool covers(const Promotion& promotion, std::string_view path);
// Whether some page is of both: of the same host, and by its path.
bool overlap(const Promotion& one, const Promotion& other);

// The last entry there can be: one after it could not win. Requires: check_rules() passes.
std::uint64_t entries_max(const Promotion& promotion);

// The promotions that take entries now, as ingest reads them on every hit.
struct RunningPromotion {
  PromotionId id;
  SiteId site;
  std::shared_ptr<const Promotion> rules;
  std::shared_ptr<const std::atomic<std::uint64_t>> entries;  // Durable ones.
};
struct PromotionTable {
  std::vector<RunningPromotion> running;

  // The first that covers `page`, spelled as in ingest/page_url.h: host, path, query. Null if none
  // does. Costs a comparison of paths for each page of the site's promotions.
  const RunningPromotion* covering(SiteId site, std::string_view page) const;
};
using PromotionTables = Published<PromotionTable>;

}  // namespace nando
