#include "sites/site_keys.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/nearest.h"
#include "sites/host.h"

namespace nando {

namespace {

constexpr std::uint32_t kPagesMaxLimit = 100'000'000;
constexpr std::uint32_t kRetentionDaysMax = 36'500;
constexpr std::size_t kAliasesMax = 100;
constexpr std::size_t kQueryKeepMax = 50;
constexpr std::size_t kQueryNameBytesMax = 64;
constexpr std::string_view kOnly = "only:";

Error takes(std::string_view key, std::string_view text, std::string_view right) {
  constexpr std::size_t kShownBytesMax = 80;
  return {Code::invalid, std::string(key) + " is not '" +
                             std::string(text.substr(0, kShownBytesMax)) + "'; it is " +
                             std::string(right)};
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

std::string get_timezone(const Site& site) {
  return std::string(site.zone.name());
}
Result<> set_timezone(Site& site, std::string_view text) {
  const auto zone = Zone::find(text);
  if (!zone) return takes("timezone", text, "a name of the time zone database, as Europe/Berlin");
  site.zone = *zone;
  return {};
}

std::string get_public_counts(const Site& site) {
  return site.counts == Visibility::open ? "on" : "off";
}
Result<> set_public_counts(Site& site, std::string_view text) {
  if (text != "on" && text != "off") return takes("public_counts", text, "on or off");
  site.counts = text == "on" ? Visibility::open : Visibility::closed;
  return {};
}

std::string get_aliases(const Site& site) {
  return join(site.aliases);
}
Result<> set_aliases(Site& site, std::string_view text) {
  std::vector<std::string> aliases;
  for (const auto& word : split_list(text)) {
    auto parsed = parse_host(word);
    if (!parsed) return Error{parsed.error().code, "aliases: " + parsed.error().message};
    if (parsed->host == site.host || std::ranges::count(aliases, parsed->host) > 0) {
      return takes("aliases", text, "a list of other hosts, each once");
    }
    aliases.push_back(std::move(parsed->host));
  }
  if (aliases.size() > kAliasesMax) return takes("aliases", text, "a list of at most 100 hosts");
  site.aliases = std::move(aliases);
  return {};
}

std::string get_query(const Site& site) {
  if (site.query != QueryRule::only) return std::string(name_of(site.query));
  return std::string(kOnly) + join(site.query_keep);
}
Result<> set_query(Site& site, std::string_view text) {
  constexpr std::string_view kRight = "keep, drop, or only:a,b with at most 50 parameter names";
  if (text == "keep" || text == "drop") {
    site.query = text == "keep" ? QueryRule::keep : QueryRule::drop;
    site.query_keep.clear();
    return {};
  }
  if (!text.starts_with(kOnly)) return takes("query", text, kRight);
  auto names = split_list(text.substr(kOnly.size()));
  const auto bad = [](const std::string& name) {
    return name.empty() || name.size() > kQueryNameBytesMax ||
           name.find_first_of("&=#?, ") != std::string::npos;
  };
  if (names.empty() || names.size() > kQueryKeepMax || std::ranges::any_of(names, bad)) {
    return takes("query", text, kRight);
  }
  site.query = QueryRule::only;
  site.query_keep = std::move(names);
  return {};
}

std::string get_trailing_slash(const Site& site) {
  return std::string(name_of(site.trailing_slash));
}
Result<> set_trailing_slash(Site& site, std::string_view text) {
  const auto rule = enum_from<SlashRule>(kSlashRuleNames, text);
  if (!rule) return takes("trailing_slash", text, "keep or strip");
  site.trailing_slash = *rule;
  return {};
}

std::string get_pages_max(const Site& site) {
  return std::to_string(site.pages_max);
}
Result<> set_pages_max(Site& site, std::string_view text) {
  std::uint32_t pages = 0;
  const auto* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, pages);
  if (error != std::errc() || end != last || pages < 1 || pages > kPagesMaxLimit) {
    return takes("pages_max", text, "a number from 1 to 100000000");
  }
  site.pages_max = pages;
  return {};
}

std::string get_retention(const Site& site) {
  return site.retention_days == kRetainedForEver ? "forever"
                                                 : std::to_string(site.retention_days) + "d";
}
Result<> set_retention(Site& site, std::string_view text) {
  if (text == "forever") {
    site.retention_days = kRetainedForEver;
    return {};
  }
  std::uint32_t days = 0;
  const auto* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, days);
  const std::string_view unit(end, static_cast<std::size_t>(last - end));
  if (error != std::errc() || unit != "d" || days < 1 || days > kRetentionDaysMax) {
    return takes("retention", text, "forever, or days from 1d to 36500d");
  }
  site.retention_days = days;
  return {};
}

constexpr std::array kKeys = {
    SiteKey{"timezone", SiteKey::Kind::text, "a time zone, as Europe/Berlin",
            "where a day begins and ends", get_timezone, set_timezone},
    SiteKey{"public_counts", SiteKey::Kind::on_off, "on or off",
            "whether anybody may read the counts", get_public_counts, set_public_counts},
    SiteKey{"aliases", SiteKey::Kind::list, "hosts with commas between",
            "further hosts of the same site", get_aliases, set_aliases},
    SiteKey{"query", SiteKey::Kind::text, "keep, drop or only:a,b",
            "which query parameters make another page", get_query, set_query},
    SiteKey{"trailing_slash", SiteKey::Kind::text, "keep or strip",
            "whether /a/ is another page than /a", get_trailing_slash, set_trailing_slash},
    SiteKey{"pages_max", SiteKey::Kind::number, "1 to 100000000",
            "pages beyond it are counted together, as (other)", get_pages_max, set_pages_max},
    SiteKey{"retention", SiteKey::Kind::text, "forever, or days as 400d",
            "how long referrers, titles, visitors and the like are kept; counts stay",
            get_retention, set_retention},
};

}  // namespace

std::span<const SiteKey> site_keys() {
  return kKeys;
}

Result<const SiteKey*> find_site_key(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& key : kKeys) {
    if (key.name == name) return &key;
    names.push_back(key.name);
  }
  const auto close = nearest(name, names);
  std::string right;
  for (const auto key : names) right += (right.empty() ? "" : ", ") + std::string(key);
  return Error{Code::invalid, "there is no setting '" + std::string(name) + "'; " +
                                  (close.empty() ? "there are " + right
                                                 : "did you mean " + std::string(close) + "?")};
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    auto word = text.substr(0, end);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    words.emplace_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace nando
