// docs/reference/settings.md and commands.md are what the code says. SNAP_UPDATE=1 rewrites them.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.h"
#include "settings/settings.h"

namespace nando {
namespace {

constexpr std::string_view kSettingsIntroduction =
    R"(# Settings

Each setting comes from the first of these that has it: a flag, an environment variable, the
settings file, the default. `nandolytics config show --origin` says which it was; `nandolytics
config check` checks without starting anything.

The file is the one named by `--config FILE` or `NANDOLYTICS_CONFIG`; else `nandolytics.toml` in
the working directory; else `nandolytics.toml` in the data directory. A key that is not in this
list, or a value of another form, is an error that names file, line and column. A dot in a name is
a section of the file:

```toml
listen = "127.0.0.1:8000"
trusted_proxies = ["10.0.0.0/8"]

[rate_limit]
hits_per_second = 100
```

Relative paths are relative to the working directory. SIGHUP makes a running server read its
settings again: `rate_limit.*` and `log.level` take effect at once, the others at the next start.

| setting | default | what it does | flag | environment |
| --- | --- | --- | --- | --- |
)";

constexpr std::string_view kCommandsIntroduction =
    R"(# Commands

What each command prints with `--help`. Commands on a store (`site`, `token`, ...) work while the
server runs, through the control socket in the data directory, and when it does not, under the
directory's lock; the answer is the same.

Exit codes: 0 done, 1 it said no and why, 2 the call was wrong. What a command answers is on
standard output; what it remarks or refuses is on standard error, one line each, beginning with
`nandolytics:`.
)";

std::string settings_reference() {
  std::string text(kSettingsIntroduction);
  for (const auto& row : setting_rows()) {
    const auto fallback = row.fallback.empty() ? "" : "`" + std::string(row.fallback) + "`";
    const auto takes = row.takes.empty() ? "" : " " + std::string(row.takes);
    text += "| `" + std::string(row.name) + "` | " + fallback + " | " + std::string(row.help) +
            " | `" + row.flag() + takes + "` | `" + row.environment() + "` |\n";
  }
  return text;
}

std::string commands_reference() {
  std::string text(kCommandsIntroduction);
  for (const auto& command : commands()) {
    text += "\n## nandolytics " + std::string(command.name) + "\n\n```\n" + help_text(command) +
            "```\n";
  }
  return text;
}

void expect_document(const std::string& name, const std::string& expected) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "../../docs/reference" / name;
  if (::getenv("SNAP_UPDATE") != nullptr) std::ofstream(path) << expected;
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), expected) << path
                                  << " is not what the code says; SNAP_UPDATE=1 rewrites it";
}

TEST(Reference, SettingsAreThoseOfTheCode) {
  expect_document("settings.md", settings_reference());
}

TEST(Reference, CommandsAreThoseOfTheCode) {
  expect_document("commands.md", commands_reference());
}

TEST(Reference, EveryCommandHasHelpWithAnExampleOfItself) {
  for (const auto& command : commands()) {
    const auto help = help_text(command);
    const auto name = "nandolytics " + std::string(command.name);
    EXPECT_NE(help.find("Usage: " + name), std::string::npos) << name;
    EXPECT_NE(help.find("Examples:\n  " + name), std::string::npos) << name;
    EXPECT_NE(help.find(command.summary), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace nando
