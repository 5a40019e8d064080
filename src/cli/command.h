// Commands: one row a command, one file a family (cmd_*.cc). To add one, write its setup function,
// declare it at the end of this file and add its row in command.cc.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/output.h"
#include "disk/file.h"
#include "settings/settings.h"
#include "store/live.h"

namespace CLI {
class App;
}

namespace nando {

// Works on a store: in the running server if there is one (through the control socket, with the
// same function), otherwise here, under the lock. Its answer is an exit code (output.h). It sees
// nothing of this process (working directory, standard input): it may run in another.
struct StoreRun {
  std::function<int(Live& live, Output& output)> run;
  IfMissing if_missing = IfMissing::fail;  // Whether it may make the data directory.
  // The words that a running server gets, where they are not those that were typed: names of files
  // are made absolute. Called once, before anything is run.
  std::function<std::vector<std::string>()> forward = nullptr;
};

// Works in this process always.
struct LocalRun {
  std::function<int(const LoadedSettings& settings, Output& output)> run;
  // Whether bad settings are the command's own business (`config check`), or refused before it
  // runs.
  enum class BadSettings { refuse, pass } bad_settings = BadSettings::refuse;
};

// Either, as the arguments have it.
struct EitherRun {
  std::function<int(Live& live, Output& output)> in_store;
  std::function<int(const LoadedSettings& settings, Output& output)> here;
  std::function<bool()> wants_store;  // Asked once the arguments are parsed.
};

using Run = std::variant<StoreRun, LocalRun, EitherRun>;

// Which settings are flags of the command; `--config` is one of every command.
enum class SettingFlags { data_only, all };

struct Command {
  std::string_view name;  // "site add"
  std::string_view summary;
  std::string_view examples;  // Lines of `nandolytics ...`, for --help.
  SettingFlags flags;
  // Declares the command's own arguments. What they are bound to must be owned by what is returned.
  Run (*setup)(CLI::App& app);
};

std::span<const Command> commands();

// The whole program: parses `args` (without the program's name), runs the command, returns the exit
// code.
using Environment = std::map<std::string, std::string>;
int run_program(const std::vector<std::string>& args, const Environment& environment,
                Output& output);

// What the server does with the arguments that came over the control socket. Refuses what is no
// StoreRun.
int run_on(Live& live, const std::vector<std::string>& args, Output& output);

// What `nandolytics NAME --help` prints.
std::string help_text(const Command& command);

// Setup functions, a row each in command.cc.
Run site_add(CLI::App& app);
Run site_list(CLI::App& app);
Run site_set(CLI::App& app);
Run site_remove(CLI::App& app);
Run page_remove(CLI::App& app);
Run void_hits(CLI::App& app);
Run token_add(CLI::App& app);
Run token_list(CLI::App& app);
Run token_revoke(CLI::App& app);
Run user_list(CLI::App& app);
Run user_password(CLI::App& app);
Run user_remove(CLI::App& app);
Run config_check(CLI::App& app);
Run config_show(CLI::App& app);
Run health(CLI::App& app);
Run serve(CLI::App& app);
Run inspect(CLI::App& app);
Run verify(CLI::App& app);
Run rebuild(CLI::App& app);
Run backup(CLI::App& app);
Run restore(CLI::App& app);
Run export_hits(CLI::App& app);
Run key_rotate(CLI::App& app);
Run key_revoke(CLI::App& app);
Run promotion_add(CLI::App& app);
Run promotion_list(CLI::App& app);
Run promotion_pause(CLI::App& app);
Run promotion_resume(CLI::App& app);
Run promotion_close(CLI::App& app);
Run promotion_reveal(CLI::App& app);
Run promotion_entries(CLI::App& app);
Run promotion_verify(CLI::App& app);

}  // namespace nando
