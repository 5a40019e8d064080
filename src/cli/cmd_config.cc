#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace nando {

namespace {

struct ShowArguments {
  bool origin = false;
  bool json = false;
};

int check(const LoadedSettings& loaded, Output& output) {
  for (const auto& note : loaded.notes) output.err("nandolytics: note: " + note + "\n");
  for (const auto& problem : loaded.problems) output.err("nandolytics: " + problem + "\n");
  if (!loaded.problems.empty()) return kRefused;
  output.out(loaded.file.empty() ? "the settings are good; there is no settings file\n"
                                 : "the settings are good, " + loaded.file + " included\n");
  return kDone;
}

int show(const LoadedSettings& loaded, const ShowArguments& args, Output& output) {
  std::vector<JsonObject> objects;
  std::vector<std::vector<std::string>> rows;
  for (const auto& value : loaded.values) {
    const std::string name(value.row->name);
    objects.push_back({{"name", name}, {"value", value.shown()}, {"origin", value.origin}});
    rows.push_back({name, value.text.empty() ? "-" : value.shown()});
    if (args.origin) rows.back().push_back(value.origin);
  }
  output.out(args.json ? json_text(objects) : text_table(rows));
  for (const auto& problem : loaded.problems) output.err("nandolytics: " + problem + "\n");
  return loaded.problems.empty() ? kDone : kRefused;
}

}  // namespace

Run config_check(CLI::App& /*app*/) {
  return LocalRun{check, LocalRun::BadSettings::pass};
}

Run config_show(CLI::App& app) {
  const auto args = std::make_shared<ShowArguments>();
  app.add_flag("--origin", args->origin, "say where each value comes from");
  app.add_flag("--json", args->json, "print JSON, origins included");
  return LocalRun{
      [args](const LoadedSettings& loaded, Output& output) { return show(loaded, *args, output); },
      LocalRun::BadSettings::pass};
}

}  // namespace nando
