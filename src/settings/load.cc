#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/assert.h"
#include "base/nearest.h"
#include "settings/settings.h"

namespace nando {

namespace {

constexpr std::string_view kFileName = "nandolytics.toml";
constexpr std::string_view kConfigVariable = "NANDOLYTICS_CONFIG";
constexpr std::uintmax_t kFileBytesMax = 1 << 20;

// What a source says, before it is checked.
struct Said {
  std::string text;
  std::string origin;
};
using SaidByName = std::map<std::string, Said>;

struct File {
  std::string path;
  SaidByName said;
  std::vector<std::string> problems;
};

std::string at(const std::string& path, const toml::source_region& where) {
  return path + ":" + std::to_string(where.begin.line) + ":" + std::to_string(where.begin.column);
}

const SettingRow* row_of(std::string_view name) {
  for (const auto& row : setting_rows()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(setting_rows(), [&](const auto& row) {
    return row.name.starts_with(std::string(name) + ".");
  });
}

std::string unknown(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& row : setting_rows()) names.push_back(row.name);
  const auto close = nearest(name, names);
  return "there is no setting '" + std::string(name) + "'" +
         (close.empty() ? "; see docs/reference/settings.md"
                        : "; did you mean " + std::string(close) + "?");
}

std::optional<std::string> list_text(const toml::array& array) {
  std::string text;
  for (const auto& item : array) {
    const auto word = item.value_exact<std::string>();
    if (!word) return std::nullopt;
    text += (text.empty() ? "" : ",") + *word;
  }
  return text;
}

// The value as text, or nothing if it has another type than the setting.
std::optional<std::string> text_of(const SettingRow& row, const toml::node& node) {
  switch (row.kind) {
    case SettingRow::Kind::text:
      return node.value_exact<std::string>();
    case SettingRow::Kind::integer: {
      const auto number = node.value_exact<std::int64_t>();
      return number ? std::optional(std::to_string(*number)) : std::nullopt;
    }
    case SettingRow::Kind::boolean: {
      const auto value = node.value_exact<bool>();
      return value ? std::optional<std::string>(*value ? "true" : "false") : std::nullopt;
    }
    case SettingRow::Kind::list: {
      const auto* const array = node.as_array();
      return array != nullptr ? list_text(*array) : node.value_exact<std::string>();
    }
  }
  ASSERT(false);
}

std::string_view type_of(SettingRow::Kind kind) {
  switch (kind) {
    case SettingRow::Kind::text:
      return "a text in quotes";
    case SettingRow::Kind::integer:
      return "a whole number, without quotes";
    case SettingRow::Kind::boolean:
      return "true or false, without quotes";
    case SettingRow::Kind::list:
      return "a list of texts, as [\"10.0.0.0/8\"]";
  }
  ASSERT(false);
}

void gather(File& file, const toml::table& table, const std::string& prefix) {
  for (const auto& [key, node] : table) {
    const auto name = prefix + std::string(key.str());
    if (const auto* const section = node.as_table(); section != nullptr && is_section(name)) {
      gather(file, *section, name + ".");
      continue;
    }
    const auto* const row = row_of(name);
    if (row == nullptr) {
      file.problems.push_back(at(file.path, key.source()) + ": " + unknown(name));
      continue;
    }
    const auto where = at(file.path, node.source());
    if (auto text = text_of(*row, node)) {
      file.said[name] = {std::move(*text), where};
    } else {
      file.problems.push_back(where + ": " + name + " is " + std::string(type_of(row->kind)));
    }
  }
}

File read_file_at(const std::string& path) {
  File file{path, {}, {}};
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  if (error || !in) {
    file.problems.push_back(path + ": cannot be read" + (error ? ": " + error.message() : ""));
    return file;
  }
  if (bytes > kFileBytesMax) {
    file.problems.push_back(path + ": is over 1 MiB; that is no settings file");
    return file;
  }
  std::ostringstream text;
  text << in.rdbuf();
  try {
    gather(file, toml::parse(text.str(), path), "");
  } catch (const toml::parse_error& wrong) {
    file.problems.push_back(at(path, wrong.source()) + ": " + std::string(wrong.description()));
  }
  return file;
}

std::string value_or(const std::map<std::string, std::string>& in, std::string_view name,
                     std::string_view fallback) {
  const auto found = in.find(std::string(name));
  return found == in.end() ? std::string(fallback) : found->second;
}

std::string find_file(const SettingSources& sources) {
  if (!sources.config.empty()) return sources.config;
  if (auto named = value_or(sources.environment, kConfigVariable, ""); !named.empty()) return named;
  std::error_code error;
  if (std::filesystem::exists(kFileName, error)) return std::string(kFileName);
  const auto* const data = row_of("data");
  auto directory = value_or(sources.environment, data->environment(), data->fallback);
  directory = value_or(sources.flags, data->name, directory);
  auto inside = directory + "/" + std::string(kFileName);
  return std::filesystem::exists(inside, error) ? inside : "";
}

Said said_about(const SettingRow& row, const SettingSources& sources, const SaidByName& file) {
  const std::string name(row.name);
  if (const auto flag = sources.flags.find(name); flag != sources.flags.end()) {
    return {flag->second, row.flag()};
  }
  const auto variable = sources.environment.find(row.environment());
  if (variable != sources.environment.end()) return {variable->second, row.environment()};
  if (const auto found = file.find(name); found != file.end()) return found->second;
  return {std::string(row.fallback), "default"};
}

// What one setting alone cannot see.
void check_together(LoadedSettings& loaded) {
  const auto& settings = loaded.settings;
  if (settings.auto_sites && !settings.auto_sites_force && !settings.listen.address.is_loopback()) {
    loaded.problems.push_back(
        "auto_sites lets anybody who can reach " + settings.listen.host +
        " register sites; listen on 127.0.0.1, or set auto_sites_force if that is meant");
  }
  if (auto problem = settings.webhook_problem(); !problem.empty()) {
    loaded.problems.push_back(std::move(problem));
  }
}

// A container platform may set variables that begin like ours (NANDOLYTICS_PORT_8000_TCP), so an
// unknown one is no error.
void note_unknown_variables(LoadedSettings& loaded) {
  for (const auto& [name, value] : loaded.sources.environment) {
    if (!name.starts_with("NANDOLYTICS_") || name == kConfigVariable) continue;
    const bool known = std::ranges::any_of(
        setting_rows(), [&](const auto& row) { return row.environment() == name; });
    if (!known) loaded.notes.push_back(name + " in the environment is no setting");
  }
}

}  // namespace

LoadedSettings load_settings(const SettingSources& sources) {
  LoadedSettings loaded;
  loaded.sources = sources;
  loaded.file = find_file(sources);
  File file;
  if (!loaded.file.empty()) file = read_file_at(loaded.file);
  loaded.problems = std::move(file.problems);
  for (const auto& row : setting_rows()) {
    auto said = said_about(row, sources, file.said);
    if (auto set = row.set(loaded.settings, said.text); !set) {
      const bool is_name = said.origin == row.flag() || said.origin == row.environment();
      loaded.problems.push_back(said.origin + (is_name ? "" : ": " + std::string(row.name)) +
                                " is " + set.error().message);
    }
    loaded.values.push_back({&row, std::move(said.text), std::move(said.origin)});
  }
  const bool data_from_own_file =
      loaded.file == loaded.settings.data + "/" + std::string(kFileName) &&
      file.said.contains("data");
  if (data_from_own_file) {
    loaded.notes.push_back("data is set in a file that was found in the data directory");
  }
  check_together(loaded);
  note_unknown_variables(loaded);
  return loaded;
}

}  // namespace nando
