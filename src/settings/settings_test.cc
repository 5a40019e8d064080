#include "settings/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace nando {
namespace {

// Works in an empty directory of its own, as a program started there would.
class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    auto name = testing::TempDir() + "settings-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    std::filesystem::current_path(name);
  }
  ~SettingsTest() override { std::filesystem::current_path(before_); }

  static void write(const std::string& path, const std::string& text) {
    if (path.find('/') != std::string::npos) {
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    }
    std::ofstream(path) << text;
  }
  // The settings of one row, from one place.
  static LoadedSettings flag(const std::string& name, const std::string& text) {
    return load_settings({.config = {}, .flags = {{name, text}}, .environment = {}});
  }
  static std::string origin(const LoadedSettings& loaded, std::string_view name) {
    for (const auto& value : loaded.values) {
      if (value.row->name == name) return value.text + " from " + value.origin;
    }
    return "none";
  }
  static std::string problem(const LoadedSettings& loaded) {
    return loaded.problems.size() == 1 ? loaded.problems[0]
                                       : std::to_string(loaded.problems.size()) + " problems";
  }

 private:
  std::filesystem::path before_ = std::filesystem::current_path();
};

TEST_F(SettingsTest, DefaultsAreThoseOfTheInterface) {
  const auto loaded = load_settings({});
  EXPECT_TRUE(loaded.problems.empty());
  const auto& settings = loaded.settings;
  EXPECT_EQ(settings.data, "./data");
  EXPECT_EQ(settings.listen.host, "127.0.0.1");
  EXPECT_EQ(settings.listen.port, 8000);
  EXPECT_EQ(settings.rate_limit_hits_per_second, 100U);
  EXPECT_EQ(settings.rate_limit_burst, 1000U);
  EXPECT_FALSE(settings.auto_sites);
  EXPECT_TRUE(settings.trusted_proxies.empty());
  EXPECT_EQ(settings.journal_segment_bytes, 64U << 20);
  EXPECT_TRUE(settings.shows_try_page());
}

TEST_F(SettingsTest, FlagOverEnvironmentOverFileOverDefault) {
  // One bit a source; the strongest that is there decides.
  for (unsigned sources = 0; sources < 8; ++sources) {
    SettingSources said;
    std::filesystem::remove("nandolytics.toml");
    if ((sources & 1) != 0) write("nandolytics.toml", "[rate_limit]\nburst = 1\n");
    if ((sources & 2) != 0) said.environment["NANDOLYTICS_RATE_LIMIT_BURST"] = "2";
    if ((sources & 4) != 0) said.flags["rate_limit.burst"] = "3";
    const auto* const expected = (sources & 4) != 0   ? "3 from --rate-limit-burst"
                                 : (sources & 2) != 0 ? "2 from NANDOLYTICS_RATE_LIMIT_BURST"
                                 : (sources & 1) != 0 ? "1 from nandolytics.toml:2:9"
                                                      : "1000 from default";
    const auto loaded = load_settings(said);
    EXPECT_TRUE(loaded.problems.empty()) << sources;
    EXPECT_EQ(origin(loaded, "rate_limit.burst"), expected) << sources;
  }
}

TEST_F(SettingsTest, EveryRowCanBeSetFromEveryPlace) {
  for (const auto& row : setting_rows()) {
    const std::string name(row.name);
    const auto text = row.fallback.empty() ? std::string() : std::string(row.fallback);
    EXPECT_TRUE(flag(name, text).problems.empty()) << name;
    const auto loaded =
        load_settings({.config = {}, .flags = {}, .environment = {{row.environment(), text}}});
    EXPECT_TRUE(loaded.problems.empty()) << name;
    EXPECT_EQ(origin(loaded, name), text + " from " + row.environment());
    const bool bare =
        row.kind == SettingRow::Kind::integer || row.kind == SettingRow::Kind::boolean;
    write("nandolytics.toml", name + " = " + (bare ? text : "\"" + text + "\"") + "\n");
    const auto from_file = load_settings({});
    EXPECT_TRUE(from_file.problems.empty()) << name << ": " << problem(from_file);
    EXPECT_TRUE(
        origin(from_file, name).ends_with("nandolytics.toml:1:" + std::to_string(name.size() + 4)))
        << origin(from_file, name);
    std::filesystem::remove("nandolytics.toml");
  }
}

TEST_F(SettingsTest, FileIsTheNamedOneThenTheOneHereThenTheOneInTheDataDirectory) {
  write("data/nandolytics.toml", "listen = \"127.0.0.1:1\"\n");
  EXPECT_EQ(load_settings({}).settings.listen.port, 1);
  write("other/nandolytics.toml", "listen = \"127.0.0.1:2\"\n");
  EXPECT_EQ(flag("data", "other").settings.listen.port, 2);
  write("nandolytics.toml", "listen = \"127.0.0.1:3\"\n");
  EXPECT_EQ(load_settings({}).settings.listen.port, 3);
  write("by-variable.toml", "listen = \"127.0.0.1:4\"\n");
  SettingSources said{
      .config = {}, .flags = {}, .environment = {{"NANDOLYTICS_CONFIG", "by-variable.toml"}}};
  EXPECT_EQ(load_settings(said).settings.listen.port, 4);
  write("by-flag.toml", "listen = \"127.0.0.1:5\"\n");
  said.config = "by-flag.toml";
  const auto loaded = load_settings(said);
  EXPECT_EQ(loaded.settings.listen.port, 5);
  EXPECT_EQ(loaded.file, "by-flag.toml");
  said.config = "missing.toml";
  EXPECT_NE(problem(load_settings(said)).find("missing.toml"), std::string::npos);
}

TEST_F(SettingsTest, WhatIsWrongInTheFileIsNamedWithLineAndColumn) {
  struct Row {
    std::string text, where, says;
  };
  const Row rows[] = {
      {"\nlisten_on = \"x\"\n", "f.toml:2:1", "no setting 'listen_on'"},
      {"data = \"d\"\nlisten = \"here\"\n", "f.toml:2:10", "listen is not 'here' but ADDR:PORT"},
      {"[rate_limit]\n  bursts = 1\n", "f.toml:2:3", "did you mean rate_limit.burst?"},
      {"[rate_limits]\nburst = 1\n", "f.toml:1:2", "no setting 'rate_limits'"},
      {"[rate_limit]\nburst = \"1\"\n", "f.toml:2:9", "a whole number, without quotes"},
      {"rate_limit.burst = 0\n", "f.toml:1:20", "a number from 1 to"},
      {"auto_sites = \"on\"\n", "f.toml:1:14", "true or false"},
      {"trusted_proxies = [1]\n", "f.toml:1:19", "a list of texts"},
      {"trusted_proxies = [\"10.0.0.0/33\"]\n", "f.toml:1:19", "10.0.0.0/33"},
      {"data = 1\n", "f.toml:1:8", "a text in quotes"},
      {"data = \"a\"\ndata = \"b\"\n", "f.toml:2:", ""},
      {"data = \n", "f.toml:1:", ""},
      {"[data]\nx = 1\n", "f.toml:", "data is a text in quotes"},
      {"rate_limit = 3\n", "f.toml:1:1", "no setting 'rate_limit'"},
  };
  for (const auto& row : rows) {
    write("f.toml", row.text);
    const auto loaded = load_settings({.config = "f.toml", .flags = {}, .environment = {}});
    const auto said = problem(loaded);
    EXPECT_TRUE(said.starts_with(row.where)) << row.text << said;
    EXPECT_NE(said.find(row.says), std::string::npos) << row.text << said;
  }
}

TEST_F(SettingsTest, AllProblemsAreSaidAtOnce) {
  write("f.toml", "one = 1\nlisten = \"x\"\ntwo = 2\n");
  const auto loaded =
      load_settings({.config = "f.toml", .flags = {{"log.level", "loud"}}, .environment = {}});
  EXPECT_EQ(loaded.problems.size(), 4U);
}

TEST_F(SettingsTest, BadFlagOrVariableIsNamedAsTyped) {
  EXPECT_EQ(problem(flag("log.level", "loud")),
            "--log-level is not 'loud' but debug, info, warn or error");
  const auto loaded = load_settings(
      {.config = {}, .flags = {}, .environment = {{"NANDOLYTICS_SERVER_THREADS", "many"}}});
  EXPECT_TRUE(problem(loaded).starts_with("NANDOLYTICS_SERVER_THREADS is not 'many'"));
}

TEST_F(SettingsTest, VariablesOfAContainerPlatformAreNotedAndHarmless) {
  const auto loaded = load_settings(
      {.config = {},
       .flags = {},
       .environment = {{"NANDOLYTICS_PORT_8000_TCP", "tcp://10.0.0.1"}, {"HOME", "/root"}}});
  EXPECT_TRUE(loaded.problems.empty());
  ASSERT_EQ(loaded.notes.size(), 1U);
  EXPECT_NE(loaded.notes[0].find("NANDOLYTICS_PORT_8000_TCP"), std::string::npos);
}

TEST_F(SettingsTest, LimitsHoldAtTheLimitAndRefuseOnePast) {
  struct Row {
    std::string name, text;
    bool good;
  };
  const Row rows[] = {
      {"rate_limit.hits_per_second", "1", true},
      {"rate_limit.hits_per_second", "0", false},
      {"rate_limit.hits_per_second", "1000000000", true},
      {"rate_limit.hits_per_second", "1000000001", false},
      {"rate_limit.burst", "1000000000", true},
      {"rate_limit.burst", "1000000001", false},
      {"rate_limit.burst", "-1", false},
      {"server.threads", "0", true},
      {"server.threads", "256", true},
      {"server.threads", "257", false},
      {"server.threads", "99999999999999999999", false},
      {"journal.segment_bytes", "1048576", true},
      {"journal.segment_bytes", "1048575", false},
      {"journal.segment_bytes", "1048577", false},
      {"journal.segment_bytes", "1073741824", true},
      {"journal.segment_bytes", "1073741825", false},
      {"data", "", false},
      {"run_dir", "/run/x", true},
      {"run_dir", "run/x", false},
      {"public_url", "https://stats.example.com", true},
      {"public_url", "https://example.com/stats/", true},
      {"public_url", "example.com", false},
      {"public_url", "ftp://example.com", false},
      {"public_url", "https://", false},
      {"public_url", "https:///stats", false},
      {"public_url", "https://example.com/?a", false},
      {"public_url", "https://me@example.com", false},
      {"trusted_proxies", "10.0.0.0/8, ::1", true},
      {"trusted_proxies", "10.0.0.0/8,,::1", false},
      {"trusted_proxies", "proxy.example", false},
      {"listen", "127.0.0.1:0", true},
      {"listen", "0.0.0.0:65535", true},
      {"listen", "127.0.0.1:65536", false},
      {"listen", "[::1]:8000", true},
      {"listen", "::1:8000", false},
      {"listen", "localhost:8000", true},
      {"listen", "example.com:8000", false},
      {"listen", "127.0.0.1", false},
      {"listen", ":8000", false},
      {"listen", "8000", false},
      {"try_page", "on", true},
      {"try_page", "maybe", false},
      {"auto_sites", "true", true},
      {"auto_sites", "off", true},
      {"auto_sites", "1", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(flag(row.name, row.text).problems.empty(), row.good) << row.name << " " << row.text;
  }
}

TEST_F(SettingsTest, PublicUrlLosesItsLastSlash) {
  EXPECT_EQ(flag("public_url", "https://example.com/stats/").settings.public_url,
            "https://example.com/stats");
}

TEST_F(SettingsTest, TrustedProxiesAreAListInTheFile) {
  write("nandolytics.toml", "trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n");
  const auto loaded = load_settings({});
  ASSERT_EQ(loaded.settings.trusted_proxies.size(), 2U);
  EXPECT_TRUE(loaded.settings.trusted_proxies[0].contains(*IpAddress::parse("10.1.2.3")));
}

constexpr auto* kSecret = "0123456789abcdef";

// Of a URL with what else it needs.
LoadedSettings webhook(const std::string& urls, const std::string& allow_private = "false") {
  return load_settings({.config = {},
                        .flags = {{"webhooks.url", urls},
                                  {"webhooks.secret", kSecret},
                                  {"webhooks.allow_private", allow_private}},
                        .environment = {}});
}

TEST_F(SettingsTest, WebhooksGoToUrlsThatLibcurlTakesAsTheyStand) {
  const std::string longest =
      "https://h/" + std::string(kWebhookUrlBytesMax - std::string("https://h/").size(), 'a');
  for (const auto& good : std::vector<std::string>{"https://hooks.example.com",
                                                   "http://h/a?b=c&d=%20", "https://8.8.8.8:65535/",
                                                   "https://[2606:4700::1111]:1/x", longest}) {
    EXPECT_TRUE(webhook(good).problems.empty()) << good;
  }
  for (const auto& bad : std::vector<std::string>{
           "hooks.example.com", "ftp://h/",           "file:///etc/passwd",
           "https://",          "https:///x",         "https://user:password@h/",
           "https://user@h/",   "https://h/ x",       "https://h/\n",
           "https://h/#x",      "https://h:0/",       "https://h:65536/",
           "https://h:/",       "https://[::1",       "https://[::1]x/",
           "https://[h]/",      "https://h/\xc3\xa4", "https://h\\x/",
           "https://h/\x7f",    longest + "a"}) {
    EXPECT_EQ(webhook(bad).problems.size(), 1U) << bad;
    EXPECT_EQ(problem(webhook(bad)).find(bad), std::string::npos) << "it may hold a secret";
  }
  EXPECT_FALSE(webhook("https://a/,https://a/").problems.empty()) << "twice the same";
  EXPECT_EQ(webhook("https://a/, https://b/").settings.webhook_urls,
            (std::vector<std::string>{"https://a/", "https://b/"}));
  std::string many = "https://h/1";
  for (std::size_t i = 2; i <= kWebhooksMax; ++i) many += ",https://h/" + std::to_string(i);
  EXPECT_TRUE(webhook(many).problems.empty());
  EXPECT_FALSE(webhook(many + ",https://h/more").problems.empty());
}

TEST_F(SettingsTest, AnAddressThatIsNotPublicNeedsTheSwitch) {
  for (const auto* url : {"http://127.0.0.1/", "http://10.0.0.1:80", "http://[::1]/",
                          "http://[::ffff:10.0.0.1]/x", "http://169.254.169.254/latest"}) {
    EXPECT_NE(problem(webhook(url)).find("webhooks.allow_private"), std::string::npos) << url;
    EXPECT_TRUE(webhook(url, "true").problems.empty()) << url;
  }
}

TEST_F(SettingsTest, AWebhookNeedsASecretOfSixteenBytes) {
  const auto with = [](const std::string& secret) {
    return load_settings({.config = {},
                          .flags = {{"webhooks.url", "https://h/"}, {"webhooks.secret", secret}},
                          .environment = {}});
  };
  EXPECT_NE(problem(with("")).find("webhooks.secret"), std::string::npos);
  EXPECT_TRUE(with(std::string(kWebhookSecretBytesMin, 's')).problems.empty());
  EXPECT_TRUE(with(std::string(kWebhookSecretBytesMax, 's')).problems.empty());
  EXPECT_FALSE(with(std::string(kWebhookSecretBytesMax + 1, 's')).problems.empty());
  const auto short_one = with("fifteen-bytes-s");
  ASSERT_FALSE(short_one.problems.empty());
  EXPECT_EQ(short_one.problems[0].find("fifteen"), std::string::npos) << "it is not said back";
  EXPECT_TRUE(flag("webhooks.secret", kSecret).problems.empty()) << "before there is a URL";
}

TEST_F(SettingsTest, ASecretIsSaidToBeThereAndNotShown) {
  const auto shown = [](const LoadedSettings& loaded) {
    for (const auto& value : loaded.values) {
      if (value.row->name == "webhooks.secret") return value.shown();
    }
    return std::string("none");
  };
  EXPECT_EQ(shown(flag("webhooks.secret", kSecret)), "(set, not shown)");
  EXPECT_EQ(shown(load_settings({})), "");
}

TEST_F(SettingsTest, AutomaticSitesBeyondLoopbackNeedForce) {
  const auto with = [](const std::string& listen, const std::string& force) {
    return load_settings(
               {.config = {},
                .flags = {{"auto_sites", "true"}, {"listen", listen}, {"auto_sites_force", force}},
                .environment = {}})
        .problems.size();
  };
  EXPECT_EQ(with("127.0.0.1:8000", "false"), 0U);
  EXPECT_EQ(with("[::1]:8000", "false"), 0U);
  EXPECT_EQ(with("0.0.0.0:8000", "false"), 1U);
  EXPECT_EQ(with("192.0.2.1:8000", "false"), 1U);
  EXPECT_EQ(with("0.0.0.0:8000", "true"), 0U);
}

TEST_F(SettingsTest, TryPageIsServedOnLoopbackUnlessSaid) {
  const auto with = [](const std::string& listen, const std::string& when) {
    return load_settings(
               {.config = {}, .flags = {{"try_page", when}, {"listen", listen}}, .environment = {}})
        .settings.shows_try_page();
  };
  EXPECT_TRUE(with("127.0.0.1:1", "auto"));
  EXPECT_FALSE(with("0.0.0.0:1", "auto"));
  EXPECT_TRUE(with("0.0.0.0:1", "on"));
  EXPECT_FALSE(with("127.0.0.1:1", "off"));
}

}  // namespace
}  // namespace nando
