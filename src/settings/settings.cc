#include "settings/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace nando {

namespace {

using Kind = SettingRow::Kind;

Error right(std::string_view text, const std::string& what) {
  constexpr std::size_t kShownBytesMax = 100;
  return {Code::invalid, "not '" + std::string(text.substr(0, kShownBytesMax)) + "' but " + what};
}

template <class Number>
Result<> set_number(Number& to, std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last || number < least || number > most) {
    return right(text, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  to = static_cast<Number>(number);
  return {};
}

Result<> set_switch(bool& to, std::string_view text) {
  if (text != "true" && text != "on" && text != "false" && text != "off") {
    return right(text, "true or false");
  }
  to = text == "true" || text == "on";
  return {};
}

Result<> set_data(Settings& settings, std::string_view text) {
  if (text.empty()) return right(text, "a directory");
  settings.data = text;
  return {};
}

// "600MB", "2GB": decimal, as they are said of memory and disks.
Result<> set_warehouse_memory(Settings& settings, std::string_view text) {
  constexpr std::uint64_t kLeastMegabytes = 64;
  constexpr std::uint64_t kMostMegabytes = 1'000'000;
  std::uint64_t megabytes = 0;
  const auto* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, megabytes);
  const std::string_view unit(end, static_cast<std::size_t>(last - end));
  if (unit == "GB" && megabytes <= kMostMegabytes) megabytes *= 1000;
  if (error != std::errc() || (unit != "MB" && unit != "GB") || megabytes < kLeastMegabytes ||
      megabytes > kMostMegabytes) {
    return right(text, "a size like 600MB or 2GB, 64MB at least");
  }
  settings.warehouse_memory_bytes = megabytes * 1'000'000;
  return {};
}

Result<> set_warehouse_path(Settings& settings, std::string_view text) {
  settings.warehouse_path = text;
  return {};
}

Result<> set_listen(Settings& settings, std::string_view text) {
  auto listen = parse_listen(text);
  if (!listen) return listen.error();
  settings.listen = std::move(*listen);
  return {};
}

Result<> set_public_url(Settings& settings, std::string_view text) {
  const auto what = "a URL like https://stats.example.com or https://example.com/stats";
  if (text.empty()) {
    settings.public_url.clear();
    return {};
  }
  const auto scheme = text.find("://");
  const auto name = text.substr(0, scheme);
  if (scheme == std::string_view::npos || (name != "http" && name != "https")) {
    return right(text, what);
  }
  const auto rest = text.substr(scheme + 3);
  if (rest.empty() || rest.starts_with('/') ||
      rest.find_first_of("?#@ \"<>") != std::string_view::npos) {
    return right(text, what);
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  settings.public_url = text;
  return {};
}

// What stands between commas, without the spaces around it.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    auto word = text.substr(0, end);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    words.push_back(word);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

Result<> set_trusted_proxies(Settings& settings, std::string_view text) {
  std::vector<IpNetwork> networks;
  for (const auto word : words_of(text)) {
    const auto network = IpNetwork::parse(word);
    if (!network) return right(word, "an address or a network, as 10.0.0.0/8 or ::1");
    networks.push_back(*network);
  }
  settings.trusted_proxies = std::move(networks);
  return {};
}

Result<> set_run_dir(Settings& settings, std::string_view text) {
  if (!text.empty() && !text.starts_with('/')) return right(text, "a path that begins with /");
  settings.run_dir = text;
  return {};
}

Result<> set_hits_per_second(Settings& settings, std::string_view text) {
  return set_number(settings.rate_limit_hits_per_second, text, 1, 1'000'000'000);
}

Result<> set_burst(Settings& settings, std::string_view text) {
  return set_number(settings.rate_limit_burst, text, 1, 1'000'000'000);
}

Result<> set_log_level(Settings& settings, std::string_view text) {
  constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warn", "error"};
  const auto level = enum_from<LogLevel>(kNames, text);
  if (!level) return right(text, "debug, info, warn or error");
  settings.log_level = *level;
  return {};
}

Result<> set_threads(Settings& settings, std::string_view text) {
  return set_number(settings.server_threads, text, 0, 256);
}

Result<> set_auto_sites(Settings& settings, std::string_view text) {
  return set_switch(settings.auto_sites, text);
}

Result<> set_auto_sites_force(Settings& settings, std::string_view text) {
  return set_switch(settings.auto_sites_force, text);
}

Result<> set_try_page(Settings& settings, std::string_view text) {
  constexpr std::array<std::string_view, 3> kNames = {"auto", "on", "off"};
  const auto shown = enum_from<TryPage>(kNames, text);
  if (!shown) return right(text, "auto, on or off");
  settings.try_page = *shown;
  return {};
}

Result<> set_segment_bytes(Settings& settings, std::string_view text) {
  constexpr std::uint64_t kBlockBytes = 4096;
  std::uint64_t bytes = 0;
  if (auto set = set_number(bytes, text, 1U << 20, 1U << 30); !set) return set;
  if (bytes % kBlockBytes != 0) return right(text, "a multiple of 4096");
  settings.journal_segment_bytes = bytes;
  return {};
}

struct WebhookHost {
  std::string_view host;
  std::string_view port;  // With its colon; empty if there is none.
};
// Of a URL that has a scheme.
WebhookHost webhook_host(std::string_view url) {
  const auto rest = url.substr(url.find("://") + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?"));
  const auto colon = authority.find(':', authority.find(']') + 1);
  const auto end = std::min(colon, authority.size());
  return {authority.substr(0, end), authority.substr(end)};
}

// Whether libcurl will take it as it stands. A user and a password have no place in it: the
// signature says who we are.
bool is_webhook_url(std::string_view url) {
  if (url.size() > kWebhookUrlBytesMax) return false;
  if (!url.starts_with("https://") && !url.starts_with("http://")) return false;
  const auto is_odd = [](char c) {
    return c <= ' ' || c > '~' ||
           std::string_view("\"#<>\\^`{|}").find(c) != std::string_view::npos;
  };
  if (std::any_of(url.begin(), url.end(), is_odd)) return false;
  const auto parts = webhook_host(url);
  std::uint16_t port = 0;
  if (!parts.port.empty() && !set_number(port, parts.port.substr(1), 1, 65535)) return false;
  auto host = parts.host;
  if (host.starts_with('[')) {
    return host.ends_with(']') && IpAddress::parse(host.substr(1, host.size() - 2));
  }
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// What is wrong is not said back: a URL like these often carries a key of its owner's.
Result<> set_webhook_url(Settings& settings, std::string_view text) {
  const Error wrong{Code::invalid,
                    "not right; it takes http or https URLs with commas between them, at most " +
                        std::to_string(kWebhooksMax) + ", each once, of at most " +
                        std::to_string(kWebhookUrlBytesMax) +
                        " printable characters, without user and password"};
  std::vector<std::string> urls;
  for (const auto word : words_of(text)) {
    const bool again = std::find(urls.begin(), urls.end(), word) != urls.end();
    if (again || !is_webhook_url(word) || urls.size() == kWebhooksMax) return wrong;
    urls.emplace_back(word);
  }
  settings.webhook_urls = std::move(urls);
  return {};
}

Result<> set_webhook_secret(Settings& settings, std::string_view text) {
  const bool fits = text.size() >= kWebhookSecretBytesMin && text.size() <= kWebhookSecretBytesMax;
  if (!text.empty() && !fits) {
    return Error{Code::invalid, "not right; it takes " + std::to_string(kWebhookSecretBytesMin) +
                                    " to " + std::to_string(kWebhookSecretBytesMax) + " bytes"};
  }
  settings.webhook_secret = text;
  return {};
}

Result<> set_webhooks_allow_private(Settings& settings, std::string_view text) {
  return set_switch(settings.webhooks_allow_private, text);
}

constexpr std::array kRows = {
    SettingRow{"data", Kind::text, "./data", "DIR",
               "the data directory: the journal and everything else that is kept", set_data},
    SettingRow{"listen", Kind::text, "127.0.0.1:8000", "ADDR:PORT",
               "where to listen; port 0 takes any free one", set_listen},
    SettingRow{"public_url", Kind::text, "", "URL",
               "how the world reaches this server; a path is allowed", set_public_url},
    SettingRow{"trusted_proxies", Kind::list, "", "NETWORKS",
               "proxies whose X-Forwarded-For is believed; nobody's by default",
               set_trusted_proxies},
    SettingRow{"run_dir", Kind::text, "", "DIR",
               "where the salts of visitor pseudonyms live; in memory (tmpfs), outside the data "
               "directory. Default: $XDG_RUNTIME_DIR/nandolytics, /run/nandolytics or "
               "/dev/shm/nandolytics-UID",
               set_run_dir},
    SettingRow{"rate_limit.hits_per_second", Kind::integer, "100", "N",
               "hits a second that one client (IPv4 address or IPv6 /64) may send to one site; "
               "tokens are exempt",
               set_hits_per_second},
    SettingRow{"rate_limit.burst", Kind::integer, "1000", "N",
               "hits that one client may send to one site at once", set_burst},
    SettingRow{"log.level", Kind::text, "info", "LEVEL", "debug, info, warn or error",
               set_log_level},
    SettingRow{"server.threads", Kind::integer, "0", "N",
               "threads that answer requests; 0: as many as suit the machine", set_threads},
    SettingRow{"auto_sites", Kind::boolean, "false", "",
               "register a host, with public counts, at its first hit; for trying out",
               set_auto_sites},
    SettingRow{"auto_sites_force", Kind::boolean, "false", "",
               "allow auto_sites when listening on an address that is not loopback",
               set_auto_sites_force},
    SettingRow{"try_page", Kind::text, "auto", "WHEN",
               "whether /try is served: auto (when listening on loopback), on or off",
               set_try_page},
    SettingRow{"journal.segment_bytes", Kind::integer, "67108864", "BYTES",
               "size of a journal segment; a multiple of 4096", set_segment_bytes},
    SettingRow{"warehouse.memory", Kind::text, "600MB", "SIZE",
               "memory that the warehouse's engine may take: 600MB, 2GB", set_warehouse_memory},
    SettingRow{"warehouse.path", Kind::text, "", "FILE",
               "where the warehouse is, on another disk for one; by default warehouse.duckdb in "
               "the data directory",
               set_warehouse_path},
    SettingRow{"webhooks.url", Kind::list, "", "URLS",
               "whom to tell when a prize is won (docs/reference/webhooks.md); nobody by default",
               set_webhook_url},
    SettingRow{"webhooks.secret", Kind::text, "", "TEXT",
               "what webhooks are signed with, 16 bytes at least; better in the file or the "
               "environment than in a flag, which every user of the machine can read",
               set_webhook_secret, SettingRow::Shown::masked},
    SettingRow{"webhooks.allow_private", Kind::boolean, "false", "",
               "let webhooks go to loopback, private and other addresses that are not public",
               set_webhooks_allow_private},
};

std::string replaced(std::string_view text, std::string_view of, char by) {
  std::string out(text);
  for (auto& c : out) {
    if (of.find(c) != std::string_view::npos) c = by;
  }
  return out;
}

}  // namespace

std::string LoadedSettings::Value::shown() const {
  return row->shown == SettingRow::Shown::masked && !text.empty() ? "(set, not shown)" : text;
}

std::span<const SettingRow> setting_rows() {
  return kRows;
}

std::string SettingRow::environment() const {
  auto out = "NANDOLYTICS_" + replaced(name, ".", '_');
  for (auto& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

std::string SettingRow::flag() const {
  return "--" + replaced(name, "._", '-');
}

bool Settings::shows_try_page() const {
  if (try_page == TryPage::automatic) return listen.address.is_loopback();
  return try_page == TryPage::on;
}

// A name is looked up at each delivery only; see webhooks/post.h.
std::string Settings::webhook_problem() const {
  if (!webhook_urls.empty() && webhook_secret.empty()) {
    return "webhooks.url needs webhooks.secret, with which receivers tell our messages from others";
  }
  for (const auto& url : webhook_urls) {
    auto host = webhook_host(url).host;
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    if (address && !address->is_public() && !webhooks_allow_private) {
      return "webhooks.url names " + std::string(host) +
             ", which is no public address; set webhooks.allow_private if that is meant";
    }
  }
  return {};
}

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto what = "ADDR:PORT, as 127.0.0.1:8000 or [::1]:8000";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return right(text, what);
  auto host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != std::string_view::npos) return right(text, what);
  if (host == "localhost") host = "127.0.0.1";
  const auto address = IpAddress::parse(host);
  if (!address) return right(text, what);
  ListenAddress listen{*address, std::string(host), 0};
  constexpr std::uint64_t kPortMax = 65535;
  if (!set_number(listen.port, text.substr(colon + 1), 0, kPortMax)) return right(text, what);
  return listen;
}

}  // namespace nando
