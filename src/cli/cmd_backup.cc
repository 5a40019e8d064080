// backup, restore: a copy of the store to keep elsewhere, and a store made from one.
#include <fmt/core.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/command.h"
#include "store/backup.h"
#include "store/progress.h"

namespace nando {

namespace {

struct BackupArguments {
  std::string folder;
  bool with_keys = false;
};

// Of this thread alone, which is the command's own: a backup takes what the server leaves.
void give_way() {
  constexpr int kNice = 19;
  setpriority(PRIO_PROCESS, 0, kNice);
}

int backup_store(const BackupArguments& args, Live& live, Output& output) {
  give_way();
  const auto made =
      make_backup(live, args.folder, args.with_keys ? WithKeys::yes : WithKeys::no, output);
  if (!made) return refuse(output, made.error());
  output.out(fmt::format("{} holds {} records in {} segments{}\n", args.folder,
                         made->at.sequence.value, made->segments,
                         args.with_keys
                             ? ", and the keys of receipts: keep it as you keep a password"
                             : "; the keys of receipts are not in it (--with-keys)"));
  return kDone;
}

int restore_here(const std::string& folder, const Settings& settings, Output& output) {
  Progress progress(output, "restore", {});
  const auto at =
      restore_backup(folder, settings.data, [&](Sequence sequence) { progress(sequence); });
  if (!at) return refuse(output, at.error());
  output.out(fmt::format("{} holds {} records and goes on under a new epoch\n", settings.data,
                         at->sequence.value));
  return kDone;
}

}  // namespace

Run backup(CLI::App& app) {
  auto args = std::make_shared<BackupArguments>();
  app.add_option("DIR", args->folder, "the folder to make")->required();
  app.add_flag("--with-keys", args->with_keys,
               "also the keys that receipts are made under; without them a restored store cannot "
               "check receipts of before");
  return StoreRun{
      .run = [args](Live& live, Output& output) { return backup_store(*args, live, output); },
      .forward =
          [args] {
            std::vector<std::string> words{"backup",
                                           std::filesystem::absolute(args->folder).string()};
            if (args->with_keys) words.emplace_back("--with-keys");
            args->folder = words[1];
            return words;
          }};
}

Run restore(CLI::App& app) {
  auto folder = std::make_shared<std::string>();
  app.add_option("DIR", *folder, "the backup")->required();
  return LocalRun{[folder](const LoadedSettings& loaded, Output& output) {
    return restore_here(*folder, loaded.settings, output);
  }};
}

}  // namespace nando
