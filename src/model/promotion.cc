#include "model/promotion.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "model/day.h"
#include "model/site.h"

namespace nando {

namespace {

constexpr std::string_view kFormat = "1";
constexpr UnixTime kTimeMax{std::chrono::milliseconds{253'402'300'799'999}};  // Of the year 9999.

Error wrong(std::string message) {
  return {Code::invalid, std::move(message)};
}

// One line for each field that the rules' kind has: rules_text() writes them, RulesReader reads
// them back.
class RulesWriter {
 public:
  void line(std::string_view key, std::string_view value) {
    text_.append(key).append("=").append(value).append("\n");
  }
  void line(std::string_view key, UnixTime at) { line(key, to_string(at)); }
  void line(std::string_view key, const Hash256& hash) { line(key, to_hex(hash)); }
  void line(std::string_view key, std::uint64_t number) { line(key, std::to_string(number)); }
  template <class Value>
  void each(std::string_view key, const std::vector<Value>& values) {
    for (const auto& value : values) line(key, value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// After the first failure everything reads as empty, and `error` says what it was.
class RulesReader {
 public:
  explicit RulesReader(std::string_view text) : rest_(text) {}

  bool stands(std::string_view key) const {
    return !error && rest_.starts_with(key) && rest_.substr(key.size()).starts_with('=');
  }
  std::string_view text(std::string_view key) {
    if (error) return {};
    ++line_;
    const auto end = rest_.find('\n');
    if (!stands(key) || end == rest_.npos) {
      return fail("a line '" + std::string(key) + "=...' belongs here"), std::string_view();
    }
    const auto value = rest_.substr(key.size() + 1, end - key.size() - 1);
    rest_.remove_prefix(end + 1);
    return value;
  }
  template <class Number>
  void number(std::string_view key, Number& into) {
    const auto digits = text(key);
    if (error) return;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    if (failure != std::errc() || end != digits.data() + digits.size()) {
      fail(std::string(key) + " is no number of its size");
    }
  }
  void time(std::string_view key, UnixTime& into) {
    const auto at = parse_time(text(key));
    if (!at) return fail(std::string(key) + " is no time like 2026-11-22T17:00:00.000Z");
    into = *at;
  }
  void hash(std::string_view key, Hash256& into) {
    const auto bytes = from_hex(text(key));
    if (!bytes || bytes->size() != into.size()) {
      return fail(std::string(key) + " is not 64 hex digits");
    }
    std::copy(bytes->begin(), bytes->end(), into.begin());
  }
  template <class Enum, std::size_t n>
  void word(std::string_view key, const std::array<std::string_view, n>& names, Enum& into) {
    const auto found = enum_from<Enum>(names, text(key));
    if (!found) return fail(std::string(key) + " has no such value");
    into = *found;
  }
  void end() {
    if (error || rest_.empty()) return;
    ++line_;
    fail("nothing belongs here");
  }

  std::optional<Error> error;

 private:
  void fail(const std::string& reason) {
    if (!error) error = wrong("line " + std::to_string(line_) + " of the rules: " + reason);
  }

  std::string_view rest_;
  std::size_t line_ = 0;
};

void read_windows(RulesReader& in, Promotion& rules) {
  in.word("rule", kWinRuleNames, rules.rule);
  while (in.stands("ordinal")) in.number("ordinal", rules.ordinals.emplace_back());
  in.word("windows", kWindowKindNames, rules.windows);
  if (rules.windows == WindowKind::entries) {
    in.number("window_entries", rules.window_entries);
    in.number("window_count", rules.window_count);
  }
  while (in.stands("window_end")) in.time("window_end", rules.window_ends.emplace_back());
  if (rules.windows == WindowKind::times) {
    rules.window_count = static_cast<std::uint32_t>(rules.window_ends.size());
  }
  const bool drawn = rules.rule == WinRule::instant || rules.rule == WinRule::sealed;
  if (drawn) in.number("winners", rules.winners);
  if (rules.rule == WinRule::instant) in.hash("commitment", rules.commitment);
  if (rules.rule == WinRule::sealed) {
    rules.outside = in.text("outside");
    in.time("outside_at", rules.outside_at);
  }
}

// The number, from 1, of the first line in which two texts differ.
std::size_t line_of_difference(std::string_view one, std::string_view other) {
  const auto at = std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first;
  return 1 + static_cast<std::size_t>(std::count(one.begin(), at, '\n'));
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

using Checked = std::optional<RulesFault>;

Checked fault(std::string_view field, std::string says) {
  return RulesFault{field, std::move(says)};
}

Checked check_line(std::string_view field, std::string_view what, std::string_view text,
                   std::size_t bytes_max) {
  const std::string name(what);
  if (text.empty()) return fault(field, name + " is missing");
  if (text.size() > bytes_max) {
    return fault(field, name + " is longer than " + std::to_string(bytes_max) + " bytes");
  }
  if (!is_utf8(text)) return fault(field, name + " is not UTF-8");
  if (std::ranges::any_of(text, is_control)) {
    return fault(field,
                 name + " has a line break or another control character; it must be one line");
  }
  return {};
}

Checked check_range(std::string_view field, std::string_view what, std::uint64_t value,
                    std::uint64_t min, std::uint64_t max) {
  if (value >= min && value <= max) return {};
  return fault(field, std::string(what) + " must be " + std::to_string(min) + " to " +
                          std::to_string(max) + ", not " + std::to_string(value));
}

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

Checked check_names(const Promotion& rules) {
  const auto fits = [](char c) { return is_name_letter(c) || c == '-'; };
  if (rules.name.empty() || rules.name.size() > kPromotionNameBytesMax ||
      !std::ranges::all_of(rules.name, fits) || !is_name_letter(rules.name.front())) {
    return fault("name", "the name must be 1 to " + std::to_string(kPromotionNameBytesMax) +
                             " of a-z, 0-9 and '-', and begin with none of the latter");
  }
  const auto of_host = [](char c) {
    return is_name_letter(c) || std::string_view("-._:[]").find(c) != std::string_view::npos;
  };
  if (rules.host.empty() || rules.host.size() > kHostBytesMax ||
      !std::ranges::all_of(rules.host, of_host)) {
    return fault("host", "'" + rules.host + "' is no site's host");
  }
  return {};
}

bool is_page_letter(char c) {
  return c > ' ' && c < 0x7f && std::string_view("?#*\"<>\\").find(c) == std::string_view::npos;
}

Checked check_pages(const Promotion& rules) {
  if (rules.pages.size() > kPromotionPagesMax) {
    return fault("page", "there are more than " + std::to_string(kPromotionPagesMax) + " pages");
  }
  for (const auto& page : rules.pages) {
    std::string_view fixed = page;
    if (fixed.ends_with("/*")) fixed.remove_suffix(1);
    if (!fixed.starts_with('/') || fixed.size() > kPromotionPageBytesMax ||
        !std::ranges::all_of(fixed, is_page_letter)) {
      return fault("page", "'" + page +
                               "' is no page: it must begin with '/', have no query, be escaped as "
                               "in the address bar, and have '*' at most as the end of '/*'");
    }
    if (std::ranges::count(rules.pages, page) > 1) {
      return fault("page", "'" + page + "' is there twice");
    }
  }
  return {};
}

Checked check_times(const Promotion& rules) {
  if (rules.opens < UnixTime{} || rules.opens > kTimeMax || rules.closes > kTimeMax) {
    return fault("opens", "it must open and close between 1970 and 9999");
  }
  if (rules.closes <= rules.opens) {
    return fault("closes", "it closes at " + to_string(rules.closes) +
                               ", and must open before; it opens at " + to_string(rules.opens));
  }
  if (rules.claim_within < kClaimWithinMin || rules.claim_within > kClaimWithinMax) {
    return fault("claim_within_ms", "claim_within must be 1 minute to 3660 days");
  }
  return {};
}

Checked check_ordinals(const Promotion& rules) {
  const auto& ordinals = rules.ordinals;
  if (rules.rule != WinRule::exact) {
    return ordinals.empty() ? Checked() : fault("ordinal", "only the rule exact has ordinals");
  }
  if (ordinals.empty() || ordinals.size() > kPromotionOrdinalsMax) {
    return fault("ordinal", "the rule exact needs 1 to " + std::to_string(kPromotionOrdinalsMax) +
                                " ordinals");
  }
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    if (auto fits = check_range("ordinal", "an ordinal", ordinals[i], 1, kEntriesMax)) return fits;
    if (i > 0 && ordinals[i] <= ordinals[i - 1]) {
      return fault("ordinal", "ordinals must rise, and " + std::to_string(ordinals[i]) +
                                  " comes after " + std::to_string(ordinals[i - 1]));
    }
  }
  return {};
}

Checked check_window_ends(const Promotion& rules) {
  const auto& ends = rules.window_ends;
  if (rules.windows != WindowKind::times) {
    return ends.empty() ? Checked() : fault("window_end", "only windows by times have ends");
  }
  if (ends.empty() || ends.size() > kWindowEndsMax) {
    return fault("window_end", "there must be 1 to " + std::to_string(kWindowEndsMax) +
                                   " windows, not " + std::to_string(ends.size()));
  }
  auto last = rules.opens;
  for (const auto end : ends) {
    if (end <= last) {
      return fault("window_end", "a window ends at " + to_string(end) + ", and must end after " +
                                     to_string(last));
    }
    last = end;
  }
  if (last != rules.closes) {
    return fault("window_end", "the last window must end when the promotion closes");
  }
  if (rules.window_count != ends.size()) return fault("window_end", "each window must have an end");
  return {};
}

Checked check_windows(const Promotion& rules) {
  const bool fits = rules.rule == WinRule::every     ? rules.windows == WindowKind::entries
                    : rules.rule == WinRule::instant ? rules.windows != WindowKind::whole
                                                     : rules.windows == WindowKind::whole;
  if (!fits) {
    return fault("windows", "the rule " + std::string(name_of(rules.rule)) +
                                " has no windows of the kind " +
                                std::string(name_of(rules.windows)));
  }
  if (rules.windows != WindowKind::entries && rules.window_entries != 0) {
    return fault("window_entries", "only windows by entries have a number of entries");
  }
  if (rules.windows == WindowKind::whole && rules.window_count != 1) {
    return fault("window_count",
                 "the rule " + std::string(name_of(rules.rule)) + " has one window");
  }
  if (rules.windows == WindowKind::entries) {
    auto range = check_range("window_entries", "the entries of a window", rules.window_entries, 1,
                             kWindowEntriesMax);
    if (!range)
      range = check_range("window_count", "the windows", rules.window_count, 1, kWindowsMax);
    if (range) return range;
    if (rules.window_entries * rules.window_count > kEntriesMax) {
      return fault("window_count",
                   "windows times entries must not be over " + std::to_string(kEntriesMax));
    }
  }
  return check_window_ends(rules);
}

Checked check_draw(const Promotion& rules) {
  const bool drawn = rules.rule == WinRule::instant || rules.rule == WinRule::sealed;
  if (auto range = check_range("winners", "winners", rules.winners, 1, drawn ? kWinnersMax : 1)) {
    return range;
  }
  if (rules.windows == WindowKind::entries && rules.winners > rules.window_entries) {
    return fault("winners", "a window of " + std::to_string(rules.window_entries) +
                                " entries cannot have " + std::to_string(rules.winners) +
                                " winners");
  }
  if ((rules.rule == WinRule::instant) != (rules.commitment != Hash256{})) {
    return fault("commitment", "the rule instant has a commitment, and no other rule has one");
  }
  if (rules.rule != WinRule::sealed) {
    return rules.outside.empty() && rules.outside_at == UnixTime{}
               ? Checked()
               : fault("outside", "only the rule sealed has an outside value");
  }
  if (auto line = check_line("outside", "the outside value", rules.outside, kOutsideBytesMax)) {
    return line;
  }
  if (rules.outside_at <= rules.closes || rules.outside_at > kTimeMax) {
    return fault("outside_at", "outside_at must be after the promotion closes, at " +
                                   to_string(rules.closes) +
                                   "; else who knows the value could still enter");
  }
  return {};
}

bool is_web_url(std::string_view url) {
  const auto fits = [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"<>\\").find(c) == std::string_view::npos;
  };
  const auto rest = url.starts_with("https://")  ? url.substr(8)
                    : url.starts_with("http://") ? url.substr(7)
                                                 : std::string_view();
  return !rest.empty() && rest.front() != '/' && std::ranges::all_of(url, fits);
}

Checked check_prize(const Promotion& rules) {
  if (auto line = check_line("says", "what the prize says", rules.says, kPrizeTextBytesMax)) {
    return line;
  }
  if (rules.prize == PrizeKind::link && !is_web_url(rules.says)) {
    return fault("says", "a prize that is a link must say an http or https URL");
  }
  if ((rules.prize == PrizeKind::code) != (rules.codes_hash != Hash256{})) {
    return fault("codes_hash", "a prize that is a code has codes, and no other has");
  }
  return check_range("stock", "stock", rules.stock, 1, kStockMax);
}

bool is_below(std::string_view pattern) {
  return pattern.ends_with("/*");
}

// "/a/*" -> "/a/".
std::string_view stem(std::string_view pattern) {
  if (is_below(pattern)) pattern.remove_suffix(1);
  return pattern;
}

bool matches(std::string_view pattern, std::string_view path) {
  return is_below(pattern) ? path.starts_with(stem(pattern)) : path == pattern;
}

bool share_a_page(std::string_view one, std::string_view other) {
  if (!is_below(one)) return matches(other, one);
  if (!is_below(other)) return matches(one, other);
  return stem(one).starts_with(stem(other)) || stem(other).starts_with(stem(one));
}

std::string_view path_of(std::string_view page) {
  const auto begin = std::min(page.find('/'), page.size());
  const auto end = std::min(page.find('?', begin), page.size());
  return page.substr(begin, end - begin);
}

}  // namespace

std::string rules_text(const Promotion& rules) {
  RulesWriter out;
  out.line("rules", kFormat);
  out.line("name", rules.name);
  out.line("host", rules.host);
  out.each("page", rules.pages);
  out.line("opens", rules.opens);
  out.line("closes", rules.closes);
  out.line("rule", name_of(rules.rule));
  out.each("ordinal", rules.ordinals);
  out.line("windows", name_of(rules.windows));
  if (rules.windows == WindowKind::entries) {
    out.line("window_entries", rules.window_entries);
    out.line("window_count", std::uint64_t{rules.window_count});
  }
  out.each("window_end", rules.window_ends);
  const bool drawn = rules.rule == WinRule::instant || rules.rule == WinRule::sealed;
  if (drawn) out.line("winners", std::uint64_t{rules.winners});
  if (rules.rule == WinRule::instant) out.line("commitment", rules.commitment);
  if (rules.rule == WinRule::sealed) {
    out.line("outside", rules.outside);
    out.line("outside_at", rules.outside_at);
  }
  out.line("visitor", std::uint64_t{rules.limits.visitor});
  out.line("ipv4_24", std::uint64_t{rules.limits.v4_24});
  out.line("ipv6_64", std::uint64_t{rules.limits.v6_64});
  out.line("ipv6_56", std::uint64_t{rules.limits.v6_56});
  out.line("ipv6_48", std::uint64_t{rules.limits.v6_48});
  out.line("prize", name_of(rules.prize));
  out.line("says", rules.says);
  out.line("stock", std::uint64_t{rules.stock});
  if (rules.prize == PrizeKind::code) out.line("codes_hash", rules.codes_hash);
  out.line("claim_within_ms", static_cast<std::uint64_t>(rules.claim_within.count()));
  return out.take();
}

Result<Promotion> parse_rules(std::string_view text) {
  if (text.size() > kRulesTextBytesMax) return wrong("the rules are too long");
  RulesReader in(text);
  Promotion rules;
  if (in.text("rules") != kFormat && !in.error) {
    return wrong("line 1 of the rules: this program reads rules=1 only");
  }
  rules.name = in.text("name");
  rules.host = in.text("host");
  while (in.stands("page")) rules.pages.emplace_back(in.text("page"));
  in.time("opens", rules.opens);
  in.time("closes", rules.closes);
  read_windows(in, rules);
  in.number("visitor", rules.limits.visitor);
  in.number("ipv4_24", rules.limits.v4_24);
  in.number("ipv6_64", rules.limits.v6_64);
  in.number("ipv6_56", rules.limits.v6_56);
  in.number("ipv6_48", rules.limits.v6_48);
  in.word("prize", kPrizeKindNames, rules.prize);
  rules.says = in.text("says");
  in.number("stock", rules.stock);
  if (rules.prize == PrizeKind::code) in.hash("codes_hash", rules.codes_hash);
  std::uint64_t claim_within_ms = 0;
  in.number("claim_within_ms", claim_within_ms);
  rules.claim_within = std::chrono::milliseconds{claim_within_ms};
  in.end();
  if (in.error) return *in.error;
  // One text, one value: what reads the same but is spelled otherwise (a leading zero) is refused.
  if (const auto written = rules_text(rules); written != text) {
    return wrong("line " + std::to_string(line_of_difference(text, written)) +
                 " of the rules: it is not spelled as rules are");
  }
  if (auto checked = check_rules(rules); !checked) return checked.error();
  return rules;
}

std::optional<RulesFault> find_fault(const Promotion& rules) {
  for (const auto check : {check_names, check_pages, check_times, check_ordinals, check_windows,
                           check_draw, check_prize}) {
    if (auto found = check(rules)) return found;
  }
  if (rules_text(rules).size() <= kRulesTextBytesMax) return std::nullopt;
  return fault("page", "the rules are longer than " + std::to_string(kRulesTextBytesMax) +
                           " bytes as text; name fewer pages or windows");
}

Result<> check_rules(const Promotion& rules) {
  if (auto found = find_fault(rules)) return wrong(std::move(found->says));
  return {};
}

bool covers(const Promotion& rules, std::string_view path) {
  return rules.pages.empty() ||
         std::ranges::any_of(rules.pages, [&](const auto& page) { return matches(page, path); });
}

bool overlap(const Promotion& one, const Promotion& other) {
  if (one.host != other.host) return false;
  if (one.pages.empty() || other.pages.empty()) return true;
  return std::ranges::any_of(one.pages, [&](const auto& page) {
    return std::ranges::any_of(other.pages,
                               [&](const auto& theirs) { return share_a_page(page, theirs); });
  });
}

std::uint64_t entries_max(const Promotion& rules) {
  if (rules.rule == WinRule::exact) return rules.ordinals.back();
  if (rules.windows == WindowKind::entries) return rules.window_entries * rules.window_count;
  return kEntriesMax;
}

const RunningPromotion* PromotionTable::covering(SiteId site, std::string_view page) const {
  for (const auto& promotion : running) {
    if (promotion.site == site && covers(*promotion.rules, path_of(page))) return &promotion;
  }
  return nullptr;
}

}  // namespace nando
