#include "drafts/promotion_file.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "drafts/codes.h"
#include "drafts/toml_keys.h"
#include "drafts/window_ends.h"

namespace nando {

namespace {

constexpr std::uint64_t kNumberMax = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kWindowsDefault = 1'000;
constexpr std::string_view kClaimWithinDefault = "7 days";
constexpr std::size_t kCodesFileBytesMax = kCodesMax * (kCodeBytesMax + 2);

// "7 days", "1 hour".
std::optional<std::chrono::milliseconds> parse_span(std::string_view text) {
  std::uint32_t count = 0;
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || count > 10'000'000) return std::nullopt;
  std::string_view unit(at, static_cast<std::size_t>(end - at));
  if (unit.ends_with('s')) unit.remove_suffix(1);
  if (unit == " minute") return std::chrono::minutes{count};
  if (unit == " hour") return std::chrono::hours{count};
  if (unit == " day") return std::chrono::hours{24} * count;
  return std::nullopt;
}

template <std::size_t n>
std::string list_of(const std::array<std::string_view, n>& names) {
  std::string text;
  for (const auto name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

// Takes keys out of what the file says and makes rules of them; problems go to where the keys are.
class DraftMaker {
 public:
  DraftMaker(SaidKeys& said, const PromotionSource& source) : said_(said), source_(source) {}

  PromotionDraft make() {
    for (const auto* const key : {"name", "site", "closes", "win.rule", "prize.says"}) {
      if (!said_.has(key)) said_.problem(key, std::string(key) + " is missing");
    }
    if (said_.problems().empty()) take_site();
    if (said_.problems().empty()) take_all();
    if (said_.problems().empty()) check();
    return std::move(draft_);
  }

 private:
  void take_site() {
    const auto site = source_.find_site(said_.text("site"));
    if (!site) return said_.problem("site", site.error().message);
    draft_.site = site->id;
    rules().host = site->host;
    zone_ = site->zone;
  }

  void take_all() {
    rules().name = said_.text("name");
    rules().pages = said_.texts("pages");
    rules().opens = said_.time("opens", zone_).value_or(source_.now);
    rules().closes = said_.time("closes", zone_).value_or(UnixTime{});
    const auto within =
        said_.has("claim_within") ? said_.text("claim_within") : std::string(kClaimWithinDefault);
    if (const auto span = parse_span(within)) {
      rules().claim_within = *span;
    } else {
      said_.problem("claim_within",
                    "claim_within is so many minutes, hours or days, as \"7 days\"");
    }
    take(rules().limits.visitor, "who.visitor");
    take(rules().limits.v4_24, "who.ipv4_24");
    take(rules().limits.v6_64, "who.ipv6_64");
    take(rules().limits.v6_56, "who.ipv6_56");
    take(rules().limits.v6_48, "who.ipv6_48");
    if (take_word(rules().rule, "win.rule", kWinRuleNames)) take_win();
    take_prize();
  }

  void take(std::uint32_t& into, std::string_view key) {
    if (const auto number = said_.number(key, kNumberMax)) {
      into = static_cast<std::uint32_t>(*number);
    }
  }
  template <class Enum, std::size_t n>
  bool take_word(Enum& into, std::string_view key, const std::array<std::string_view, n>& names) {
    if (!said_.has(key)) return true;
    const auto word = enum_from<Enum>(names, said_.text(key));
    if (!word) said_.problem(key, std::string(key) + " is one of " + list_of(names));
    into = word.value_or(into);
    return word.has_value();
  }

  void take_win() {
    const auto rule = name_of(rules().rule);
    for (const auto& key : promotion_keys()) {
      if (said_.has(key.name) && !key.rules.empty() && key.rules.find(rule) == key.rules.npos) {
        said_.problem(key.name,
                      std::string(key.name) + " does not belong to the rule " + std::string(rule));
      }
    }
    switch (rules().rule) {
      case WinRule::exact:
        rules().windows = WindowKind::whole;
        rules().ordinals = said_.numbers("win.ordinals");
        break;
      case WinRule::every:
        take_windows_by_entries("win.every");
        break;
      case WinRule::instant:
        take(rules().winners, "win.winners");
        take_instant_windows();
        break;
      case WinRule::sealed:
        rules().windows = WindowKind::whole;
        take(rules().winners, "win.winners");
        rules().outside = said_.text("win.outside");
        rules().outside_at = said_.time("win.outside_at", zone_).value_or(UnixTime{});
        if (!said_.has("win.outside_at")) {
          said_.problem("win.outside_at", "win.outside_at is missing");
        }
        break;
    }
  }

  void take_instant_windows() {
    if (said_.has("win.entries") == said_.has("win.each")) {
      return said_.problem("win.each",
                           "the rule instant needs one of win.entries, so many entries a window, "
                           "and win.each, a window each hour, day or week");
    }
    if (said_.has("win.entries")) return take_windows_by_entries("win.entries");
    if (said_.has("win.windows")) {
      said_.problem("win.windows",
                    "win.windows does not belong to win.each, which makes as many "
                    "as there is time for");
    }
    auto period = WindowPeriod::day;
    if (!take_word(period, "win.each", kWindowPeriodNames)) return;
    rules().windows = WindowKind::times;
    if (rules().closes <= rules().opens) return;  // check() says so.
    auto ends = window_ends(rules().opens, rules().closes, period, zone_);
    if (!ends) return said_.problem("win.each", ends.error().message);
    rules().window_ends = *std::move(ends);
    rules().window_count = static_cast<std::uint32_t>(rules().window_ends.size());
  }

  void take_windows_by_entries(std::string_view size_key) {
    rules().windows = WindowKind::entries;
    if (!said_.has(size_key)) return said_.problem(size_key, std::string(size_key) + " is missing");
    rules().window_entries = said_.number(size_key, kNumberMax).value_or(1);
    const auto fit = kEntriesMax / std::max<std::uint64_t>(1, rules().window_entries);
    rules().window_count =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fit, 1, kWindowsDefault));
    take(rules().window_count, "win.windows");
  }

  std::uint64_t winners_at_most() const {
    const auto& rules = draft_.rules;
    if (rules.rule == WinRule::exact) return rules.ordinals.size();
    return std::uint64_t{rules.window_count} * rules.winners;
  }

  void take_prize() {
    take_word(rules().prize, "prize.kind", kPrizeKindNames);
    rules().says = said_.text("prize.says");
    rules().stock =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(winners_at_most(), kNumberMax));
    const bool is_code = rules().prize == PrizeKind::code;
    if (is_code != said_.has("prize.codes")) {
      return said_.problem("prize.codes",
                           "prize.codes names a file of codes where prize.kind is "
                           "\"code\", and nowhere else");
    }
    if (is_code) take_codes();
    take(rules().stock, "prize.stock");
    if (!draft_.codes.empty() && rules().stock > draft_.codes.size()) {
      said_.problem("prize.stock",
                    "there are fewer codes than that, " + std::to_string(draft_.codes.size()));
    }
  }

  void take_codes() {
    const auto path =
        (std::filesystem::path(source_.path).parent_path() / said_.text("prize.codes")).string();
    const auto text = source_.read_file(path);
    if (!text) return said_.problem("prize.codes", text.error().message);
    auto codes = parse_codes(*text, path);
    if (!codes) return said_.problem("prize.codes", codes.error().message);
    draft_.codes = *std::move(codes);
    rules().codes_hash = hash_codes(draft_.codes);
    rules().stock = static_cast<std::uint32_t>(draft_.codes.size());
  }

  // What the keys one by one cannot tell. The commitment is not made yet: any will do.
  void check() {
    auto whole = rules();
    if (whole.rule == WinRule::instant) whole.commitment.fill(std::byte{1});
    const auto fault = find_fault(whole);
    if (!fault) return;
    std::string_view place;
    for (const auto& key : promotion_keys()) {
      if (key.field == fault->field && (place.empty() || said_.has(key.name))) place = key.name;
    }
    said_.problem(place, fault->says);
  }

  Promotion& rules() { return draft_.rules; }

  SaidKeys& said_;
  const PromotionSource& source_;
  Zone zone_ = Zone::utc();
  PromotionDraft draft_;
};

Error all_of(const std::vector<std::string>& problems) {
  std::string text;
  for (const auto& problem : problems) text += (text.empty() ? "" : "\n") + problem;
  return {Code::invalid, text};
}

Result<std::string> read_text(const std::string& path, std::size_t bytes_max) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) {
    const bool is_missing = error == std::errc::no_such_file_or_directory;
    return Error{is_missing ? Code::not_found : Code::io,
                 path + ": cannot be read: " + error.message()};
  }
  if (bytes > bytes_max) {
    return Error{Code::invalid, path + ": is over " + std::to_string(bytes_max) + " bytes"};
  }
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in) return Error{Code::io, path + ": cannot be read"};
  return text;
}

}  // namespace

Result<PromotionDraft> parse_promotion(const PromotionSource& source) {
  try {
    const auto root = toml::parse(source.text, source.path);
    SaidKeys said(root, source.path);
    PromotionDraft draft;
    if (said.problems().empty()) draft = DraftMaker(said, source).make();
    if (!said.problems().empty()) return all_of(said.problems());
    return draft;
  } catch (const toml::parse_error& wrong) {
    const auto& where = wrong.source().begin;
    return Error{Code::invalid, source.path + ":" + std::to_string(where.line) + ":" +
                                    std::to_string(where.column) + ": " +
                                    std::string(wrong.description())};
  }
}

Result<PromotionDraft> load_promotion(const std::string& path, UnixTime now, FindSite find_site) {
  auto text = read_text(path, kPromotionFileBytesMax);
  if (!text) return text.error();
  return parse_promotion({path, *std::move(text), now, std::move(find_site),
                          [](const auto& name) { return read_text(name, kCodesFileBytesMax); }});
}

}  // namespace nando
