#include "cli/command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/nearest.h"
#include "datadir/control.h"

namespace nando {

namespace {

constexpr std::string_view kProgram = "nandolytics";
constexpr std::string_view kVersion = "0.1.0";

constexpr std::array kCommands = {
    Command{"serve", "Count: start the server",
            "nandolytics serve --data ./data --listen 127.0.0.1:8000\n"
            "nandolytics serve --auto-sites",
            SettingFlags::all, serve},
    Command{"site add", "Count a website", "nandolytics site add blog.example.com --public-counts",
            SettingFlags::data_only, site_add},
    Command{"site list", "List the websites that are counted", "nandolytics site list --json",
            SettingFlags::data_only, site_list},
    Command{"site set", "Change a setting of a website",
            "nandolytics site set blog.example.com timezone Europe/Berlin\n"
            "nandolytics site set blog.example.com query only:id,page\n"
            "nandolytics site set blog.example.com retention 400d",
            SettingFlags::data_only, site_set},
    Command{"site remove", "Count a website no longer; totals stay, all other details go",
            "nandolytics site remove blog.example.com", SettingFlags::data_only, site_remove},
    Command{"page remove", "Forget a page's URL and the details of its hits; totals stay",
            "nandolytics page remove https://blog.example.com/about-somebody",
            SettingFlags::data_only, page_remove},
    Command{"void", "Leave a burst of spam out of charts; ordinals stay",
            "nandolytics void --site blog.example.com --from 2026-11-21 --to 2026-11-22 --dry-run\n"
            "nandolytics void --site blog.example.com --from 2026-11-22T17:00 --to "
            "2026-11-22T17:30 --path /spammed\n"
            "nandolytics void --site blog.example.com --from 2026-11-21 --to 2026-11-22 --undo",
            SettingFlags::data_only, void_hits},
    Command{"token add", "Make a token; its text is shown once",
            "nandolytics token add backend --scope hits --site blog.example.com",
            SettingFlags::data_only, token_add},
    Command{"token list", "List the tokens, without their texts", "nandolytics token list --json",
            SettingFlags::data_only, token_list},
    Command{"token revoke", "Revoke a token at once", "nandolytics token revoke 3",
            SettingFlags::data_only, token_revoke},
    Command{"user list", "List who may log in", "nandolytics user list --json",
            SettingFlags::data_only, user_list},
    Command{"user password", "Make a new password and print it; ends all that was logged in",
            "nandolytics user password ada@example.com", SettingFlags::data_only, user_password},
    Command{"user remove", "Let somebody in no more; without an owner a start lets one be made",
            "nandolytics user remove ada@example.com", SettingFlags::data_only, user_remove},
    Command{"key rotate", "Make receipts under a new key; earlier receipts stay good",
            "nandolytics key rotate", SettingFlags::data_only, key_rotate},
    Command{"key revoke", "Let receipts of an earlier key be good no more",
            "nandolytics key revoke 1", SettingFlags::data_only, key_revoke},
    Command{"promotion add", "Open a prize draw by its rules",
            "nandolytics promotion add launch.toml", SettingFlags::data_only, promotion_add},
    Command{"promotion list", "List the promotions", "nandolytics promotion list --json",
            SettingFlags::data_only, promotion_list},
    Command{"promotion pause", "Take no entries for a while", "nandolytics promotion pause launch",
            SettingFlags::data_only, promotion_pause},
    Command{"promotion resume", "Take entries again", "nandolytics promotion resume launch",
            SettingFlags::data_only, promotion_resume},
    Command{"promotion close", "Take no more entries, for good",
            "nandolytics promotion close launch", SettingFlags::data_only, promotion_close},
    Command{"promotion reveal", "Draw a sealed promotion with the value from outside",
            "nandolytics promotion reveal christmas --value \"3 17 21 40 44 + 2 9\"",
            SettingFlags::data_only, promotion_reveal},
    Command{"promotion entries", "Print the entries that a draw's chain is made of, as CSV",
            "nandolytics promotion entries launch > launch.csv", SettingFlags::data_only,
            promotion_entries},
    Command{"promotion verify", "Check a draw from what is published of it",
            "nandolytics promotion verify launch.json\n"
            "nandolytics promotion verify launch.json --entries launch.csv\n"
            "curl -s https://stats.example.com/api/v1/promotions/launch | "
            "nandolytics promotion verify -",
            SettingFlags::data_only, promotion_verify},
    Command{
        "inspect", "Print the journal, record by record",
        "nandolytics inspect --limit 20\nnandolytics inspect --segments\nnandolytics inspect --end",
        SettingFlags::data_only, inspect},
    Command{"verify", "Count the journal again and compare with the counters and the warehouse",
            "nandolytics verify --data ./data", SettingFlags::data_only, verify},
    Command{"rebuild", "Fill the warehouse again from the journal",
            "nandolytics rebuild --data ./data", SettingFlags::data_only, rebuild},
    Command{"export", "Print every hit",
            "nandolytics export --format parquet > hits.parquet\n"
            "nandolytics export --format duckdb > copy.duckdb\n"
            "nandolytics export --site blog.example.com | jq .url\n"
            "nandolytics export --format csv --as-of --since 5f0c8a3b9e1d2c47-1042 > new.csv",
            SettingFlags::data_only, export_hits},
    Command{"backup", "Copy the store to a folder, while the server counts or not",
            "nandolytics backup /mnt/backup/2026-11-22\n"
            "nandolytics backup --with-keys /mnt/backup/2026-11-22",
            SettingFlags::data_only, backup},
    Command{"restore", "Make a store from a backup",
            "nandolytics restore /mnt/backup/2026-11-22 --data ./data", SettingFlags::data_only,
            restore},
    Command{"config check", "Check the settings without starting anything",
            "nandolytics config check --config /etc/nandolytics.toml", SettingFlags::all,
            config_check},
    Command{"config show", "Show every setting and its value",
            "nandolytics config show --origin\nnandolytics config show --json", SettingFlags::all,
            config_show},
    Command{"health", "Exit 0 if the running server counts", "nandolytics health --data ./data",
            SettingFlags::data_only, health},
};

// A command line, taken apart.
struct Call {
  const Command* command = nullptr;
  std::vector<std::string> rest;  // After the command's words.
};

struct Parsed {
  Run run;
  SettingSources sources;
};

// What a parse can end with besides a command to run: text to show, and the exit code.
struct Said {
  std::string text;
  int exit_code;
};

std::string overview() {
  std::string text = "Nandolytics counts hits, exactly.\n\nUsage: nandolytics COMMAND ...\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& command : kCommands) {
    rows.push_back({"  " + std::string(command.name), std::string(command.summary)});
  }
  return text + text_table(rows) +
         "\nnandolytics COMMAND --help says more, with examples. Exit codes: 0 done, 1 it said no "
         "and why, 2 the call was wrong.\n";
}

std::string group_overview(const std::string& group) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& command : kCommands) {
    if (!command.name.starts_with(group + " ")) continue;
    rows.push_back({"  " + std::string(command.name), std::string(command.summary)});
  }
  return "Usage: nandolytics " + group + " COMMAND ...\n\n" + text_table(rows);
}

bool is_help(const std::string& word) {
  return word == "--help" || word == "-h" || word == "help";
}

// The name among `names` that was probably meant.
Error no_command(const std::string& word, const std::vector<std::string_view>& names) {
  const auto close = nearest(word, names);
  return {Code::invalid, "there is no command '" + word + "'; " +
                             (close.empty() ? "see: nandolytics --help"
                                            : "did you mean '" + std::string(close) + "'?")};
}

std::variant<Call, Said, Error> find_command(const std::vector<std::string>& args) {
  if (args.empty() || is_help(args[0])) return Said{overview(), kDone};
  if (args[0] == "--version") return Said{"nandolytics " + std::string(kVersion) + "\n", kDone};
  std::vector<std::string_view> firsts;
  std::vector<std::string_view> fulls;
  bool is_group = false;
  for (const auto& command : kCommands) {
    const auto first = command.name.substr(0, command.name.find(' '));
    firsts.push_back(first);
    if (command.name == args[0]) return Call{&command, {args.begin() + 1, args.end()}};
    if (first != args[0]) continue;
    is_group = true;
    if (args.size() > 1 && command.name == args[0] + " " + args[1]) {
      return Call{&command, {args.begin() + 2, args.end()}};
    }
    fulls.push_back(command.name);
  }
  if (!is_group) return no_command(args[0], firsts);
  if (args.size() == 1) return Said{group_overview(args[0]), kWrongCall};
  if (is_help(args[1])) return Said{group_overview(args[0]), kDone};
  return no_command(args[0] + " " + args[1], fulls);
}

bool offers(const Command& command, const SettingRow& row) {
  return command.flags == SettingFlags::all || row.name == "data";
}

std::string help_of(const SettingRow& row) {
  std::string text(row.help);
  if (!row.fallback.empty() && row.kind != SettingRow::Kind::boolean) {
    text += " (" + std::string(row.fallback) + ")";
  }
  return text;
}

// Declares the flags of settings; `sources` gets what was given.
void declare_settings(CLI::App& app, const Command& command, SettingSources& sources) {
  app.add_option("--config", sources.config, "settings file")->type_name("FILE");
  for (const auto& row : setting_rows()) {
    if (!offers(command, row)) continue;
    const std::string name(row.name);
    if (row.kind == SettingRow::Kind::boolean) {
      app.add_flag_function(
          row.flag(),
          [&sources, name](std::int64_t times) {
            sources.flags[name] = times > 0 ? "true" : "false";
          },
          help_of(row));
      continue;
    }
    app.add_option_function<std::string>(
           row.flag(), [&sources, name](const std::string& text) { sources.flags[name] = text; },
           help_of(row))
        ->type_name(std::string(row.takes));
  }
}

std::string indented(std::string_view lines) {
  std::string out = "\nExamples:\n";
  for (std::size_t begin = 0; begin <= lines.size();) {
    const auto end = std::min(lines.find('\n', begin), lines.size());
    out += "  " + std::string(lines.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return out;
}

void describe(CLI::App& app, const Command& command) {
  app.name(std::string(kProgram) + " " + std::string(command.name));
  app.description(std::string(command.summary));
  app.footer(indented(command.examples));
  app.get_formatter()->column_width(32);
}

Run choose(const EitherRun& either) {
  if (either.wants_store()) return StoreRun{either.in_store};
  return LocalRun{either.here};
}

std::variant<Parsed, Said, Error> parse(const Call& call) {
  CLI::App app;
  Parsed parsed;
  parsed.run = call.command->setup(app);
  declare_settings(app, *call.command, parsed.sources);
  describe(app, *call.command);
  auto reversed = call.rest;
  std::ranges::reverse(reversed);  // What CLI11 takes.
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return Said{app.help(), kDone};
  } catch (const CLI::ParseError& wrong) {
    return Error{Code::invalid, std::string(call.command->name) + ": " + wrong.what() +
                                    "; see: nandolytics " + std::string(call.command->name) +
                                    " --help"};
  }
  if (auto* const either = std::get_if<EitherRun>(&parsed.run)) parsed.run = choose(*either);
  return parsed;
}

// A command that holds the lock is soon done, and a server that starts soon listens: both are worth
// a wait.
constexpr std::chrono::seconds kWaitMax{5};

// In the server of `settings.data` if there is one, otherwise here.
int run_store(const StoreRun& command, const Settings& settings,
              const std::vector<std::string>& args, Output& output) {
  const auto words = command.forward ? command.forward() : args;
  SystemEntropy entropy;
  const SystemClock clock;
  const auto give_up = clock.monotonic() + kWaitMax;
  DirectoryWatch watch(settings.data);
  for (;;) {
    auto data = DataDir::open(settings.data, LockHolder::command, command.if_missing, entropy);
    if (data) {
      auto live = open_offline(std::move(*data), settings);
      return live ? command.run(**live, output) : refuse(output, live.error());
    }
    auto error = data.error();
    if (error.code != Code::busy) return refuse(output, error);
    const auto holder = DirectoryLock::holder(settings.data);
    if (holder && holder->as == LockHolder::serve) {
      const auto done = control_call(settings.data, words, output);
      if (done) return *done;
      error = done.error();
      if (error.code != Code::unavailable) return refuse(output, error);
    }
    const auto left = give_up - clock.monotonic();
    if (left <= left.zero()) return refuse(output, error);
    watch.wait(std::chrono::ceil<std::chrono::milliseconds>(left));
  }
}

int run_parsed(const Parsed& parsed, const std::vector<std::string>& args, Output& output) {
  const auto loaded = load_settings(parsed.sources);
  const auto* const local = std::get_if<LocalRun>(&parsed.run);
  const bool passes = local != nullptr && local->bad_settings == LocalRun::BadSettings::pass;
  if (!loaded.problems.empty() && !passes) {
    for (const auto& problem : loaded.problems) refuse(output, {Code::invalid, problem});
    return kWrongCall;
  }
  if (local != nullptr) return local->run(loaded, output);
  return run_store(std::get<StoreRun>(parsed.run), loaded.settings, args, output);
}

// Parses, says what there is to say, and passes what there is to run to `run`.
template <class RunParsed>
int dispatch(const std::vector<std::string>& args, Output& output, RunParsed run) {
  auto found = find_command(args);
  std::variant<Parsed, Said, Error> parsed;
  if (auto* const call = std::get_if<Call>(&found)) {
    parsed = parse(*call);
  } else if (auto* const said = std::get_if<Said>(&found)) {
    parsed = std::move(*said);
  } else {
    parsed = std::get<Error>(std::move(found));
  }
  if (const auto* const error = std::get_if<Error>(&parsed)) return refuse(output, *error);
  if (const auto* const said = std::get_if<Said>(&parsed)) {
    if (said->exit_code == kDone) {
      output.out(said->text);
    } else {
      output.err(said->text);
    }
    return said->exit_code;
  }
  return run(std::get<Parsed>(parsed));
}

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

int run_program(const std::vector<std::string>& args, const Environment& environment,
                Output& output) {
  return dispatch(args, output, [&](Parsed parsed) {
    parsed.sources.environment = environment;
    return run_parsed(parsed, args, output);
  });
}

int run_on(Live& live, const std::vector<std::string>& args, Output& output) {
  return dispatch(args, output, [&](const Parsed& parsed) {
    const auto* const store = std::get_if<StoreRun>(&parsed.run);
    if (store != nullptr) return store->run(live, output);
    return refuse(output, {Code::invalid, "the server does not run '" + args[0] +
                                              "' for others; run it without the control socket"});
  });
}

std::string help_text(const Command& command) {
  const auto said = parse({&command, {"--help"}});
  const auto* const text = std::get_if<Said>(&said);
  return text == nullptr ? "" : text->text;
}

}  // namespace nando
