// Settings: what an operator can choose, as one table (settings.cc). Each comes from the first of
// these that has it: flag, environment, file, default.
//
// The file is the one named by --config or NANDOLYTICS_CONFIG; else ./nandolytics.toml; else
// nandolytics.toml in the data directory. Reference: docs/reference/settings.md, checked by a test.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "model/names.h"
#include "telemetry/log.h"

namespace nando {

enum class TryPage : std::uint8_t { automatic, on, off };

struct ListenAddress {
  IpAddress address;
  std::string host;  // As http::ServerOptions::address wants it: "127.0.0.1", "::1".
  std::uint16_t port = 0;
};
// "127.0.0.1:8000", "[::1]:8000", "localhost:8000"; port 0 is any free one.
Result<ListenAddress> parse_listen(std::string_view text);

inline constexpr std::size_t kWebhooksMax = 8;
inline constexpr std::size_t kWebhookUrlBytesMax = 2'000;
inline constexpr std::size_t kWebhookSecretBytesMin = 16;
inline constexpr std::size_t kWebhookSecretBytesMax = 256;

struct Settings {
  std::string data;
  ListenAddress listen;
  std::string public_url;  // No slash at its end; empty: what the request says.
  std::vector<IpNetwork> trusted_proxies;
  std::string run_dir;  // Empty: run_directory() chooses.
  std::uint64_t rate_limit_hits_per_second = 0;
  std::uint64_t rate_limit_burst = 0;
  LogLevel log_level = LogLevel::info;
  unsigned server_threads = 0;  // 0: as many as the machine makes sensible.
  bool auto_sites = false;
  bool auto_sites_force = false;
  TryPage try_page = TryPage::automatic;
  std::uint64_t journal_segment_bytes = 0;
  std::uint64_t warehouse_memory_bytes = 0;
  std::string warehouse_path;  // Empty: in the data directory.
  std::vector<std::string> webhook_urls;
  std::string webhook_secret;
  bool webhooks_allow_private = false;

  bool shows_try_page() const;
  // What stands between the settings of webhooks; empty if nothing does.
  std::string webhook_problem() const;
};

struct SettingRow {
  std::string_view name;  // As in the file: "rate_limit.burst" is `burst` in [rate_limit].
  enum class Kind : std::uint8_t { text, list, integer, boolean } kind;
  std::string_view fallback;  // The default, as text.
  std::string_view takes;     // "ADDR:PORT"; the placeholder in --help.
  std::string_view help;
  // Code::invalid says what would be right.
  Result<> (*set)(Settings& settings, std::string_view text);
  enum class Shown : std::uint8_t { plain, masked } shown = Shown::plain;

  std::string environment() const;  // "NANDOLYTICS_RATE_LIMIT_BURST"
  std::string flag() const;         // "--rate-limit-burst"
};

std::span<const SettingRow> setting_rows();

struct SettingSources {
  std::string config;                        // --config; empty if it was not given.
  std::map<std::string, std::string> flags;  // Row name -> text.
  std::map<std::string, std::string> environment;
};

struct LoadedSettings {
  struct Value {
    const SettingRow* row;
    std::string text;
    std::string origin;  // "default", "nandolytics.toml:3:10", "NANDOLYTICS_LISTEN", "--listen"

    // For people to see: a secret is only said to be there.
    std::string shown() const;
  };

  Settings settings;
  std::vector<Value> values;          // In the order of setting_rows().
  std::string file;                   // Which file was read; empty if none.
  std::vector<std::string> problems;  // Not empty: `settings` must not be used. One line each.
  std::vector<std::string> notes;     // Odd, but harmless.
  SettingSources sources;             // For loading again at SIGHUP.
};

LoadedSettings load_settings(const SettingSources& sources);

}  // namespace nando
