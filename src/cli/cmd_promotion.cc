// promotion: prize draws on a site's pages. What is decided here is a record; what is published is
// checked by `verify`, or by tools/check_draw.py, which knows nothing of this program.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "base/entropy.h"
#include "cli/command.h"
#include "counters/counters.h"
#include "journal/reader.h"
#include "ledger/ledger.h"
#include "model/day.h"
#include "prizes/entries_file.h"
#include "prizes/proof.h"
#include "promotions/opening.h"
#include "promotions/page.h"
#include "wire/promotion_json.h"

namespace nando {

namespace {

// What `list` says of one.
struct Row {
  std::shared_ptr<const Promotion> rules;
  std::string status;
  std::uint64_t entries = 0;
  std::uint32_t windows_over = 0;
  std::size_t claimed = 0;
};

std::string status_text(const PromotionState& state, UnixTime now) {
  const auto status = status_of(state, now);
  const bool waits = status == PromotionStatus::running && now < state.rules->opens;
  return waits ? "waiting" : std::string(name_of(status));
}

std::uint32_t windows_over(const PromotionState& state, UnixTime now) {
  const auto begun = state.windows_begun(now);
  return begun - (state.window(begun, now).is_over ? 0 : 1);
}

Result<std::vector<Row>> rows_of(Live& live) {
  std::vector<Row> rows;
  const SystemClock clock;
  const auto ran = live.run([&](Ledger& ledger) {
    for (const auto& state : ledger.counters().entries().all()) {
      rows.push_back({state->rules, status_text(*state, clock.now()), state->entries,
                      windows_over(*state, clock.now()), state->claims.size()});
    }
  });
  if (!ran) return ran.error();
  return rows;
}

JsonObject to_json(const Row& row) {
  const auto& rules = *row.rules;
  return {{"promotion", rules.name},
          {"site", rules.host},
          {"status", row.status},
          {"rule", std::string(name_of(rules.rule))},
          {"opens", to_string(rules.opens)},
          {"closes", to_string(rules.closes)},
          {"entries", static_cast<std::int64_t>(row.entries)},
          {"windows_over", std::int64_t{row.windows_over}},
          {"stock", std::int64_t{rules.stock}},
          {"claimed", static_cast<std::int64_t>(row.claimed)}};
}

int list(Live& live, bool json, Output& output) {
  const auto rows = rows_of(live);
  if (!rows) return refuse(output, rows.error());
  if (json) {
    std::vector<JsonObject> objects;
    for (const auto& row : *rows) objects.push_back(to_json(row));
    output.out(json_text(objects));
    return kDone;
  }
  if (rows->empty()) {
    output.err(
        "nandolytics: there is no promotion; open one with: nandolytics promotion add "
        "FILE.toml\n");
    return kDone;
  }
  std::vector<std::vector<std::string>> table{
      {"PROMOTION", "SITE", "STATUS", "RULE", "CLOSES", "ENTRIES", "CLAIMED"}};
  for (const auto& row : *rows) {
    const auto& rules = *row.rules;
    table.push_back({rules.name, rules.host, row.status, std::string(name_of(rules.rule)),
                     to_string(rules.closes), std::to_string(row.entries),
                     fmt::format("{} of {}", row.claimed, rules.stock)});
  }
  output.out(text_table(table));
  return kDone;
}

int add(Live& live, const std::string& file, Output& output) {
  SystemEntropy entropy;
  const SystemClock clock;
  Secrets secrets(live.registry());
  const OpeningParts parts{secrets, entropy, [&](const auto& work) { return live.run(work); }};
  const auto opened = open_promotion_file(parts, live.sites(), file, clock.now());
  if (!opened) return refuse(output, opened.error());
  const auto& rules = *opened;
  output.out(fmt::format("opened {} on {}: {}, until {}\n", rules.name, rules.host,
                         name_of(rules.rule), to_string(rules.closes)));
  if (rules.rule == WinRule::instant) {
    output.out(fmt::format("its seeds are committed to by {}\n", to_hex(rules.commitment)));
  }
  output.out("to be checked at /api/v1/promotions/" + rules.name + "\n");
  return kDone;
}

// One act on the promotion of that name. What was done, in words.
Result<> change(Live& live, const std::string& name, PromotionAct act, std::string_view text) {
  Result<> changed;
  const auto ran = live.run([&](Ledger& ledger) {
    const auto* state = ledger.counters().entries().find(name);
    if (state == nullptr) {
      changed = Error{Code::not_found, "there is no promotion " + name};
      return;
    }
    changed = ledger.change_promotion({state->id, act, state->site, text});
  });
  return ran ? changed : ran;
}

Run acting(CLI::App& app, PromotionAct act, std::string_view done) {
  const auto name = std::make_shared<std::string>();
  app.add_option("NAME", *name, "the promotion")->required();
  return StoreRun{[name, act, done](Live& live, Output& output) {
    if (const auto changed = change(live, *name, act, {}); !changed) {
      return refuse(output, changed.error());
    }
    output.out(*name + " " + std::string(done) + "\n");
    return kDone;
  }};
}

// The seeds of an instant draw are published by themselves, each when its window is over.
int reveal(Live& live, const std::string& name, const std::string& value, Output& output) {
  if (!value.empty()) {
    const auto changed = change(live, name, PromotionAct::revealed, value);
    if (!changed) return refuse(output, changed.error());
    output.out(name + " is drawn with: " + value + "\n");
    return kDone;
  }
  const auto rows = rows_of(live);
  if (!rows) return refuse(output, rows.error());
  for (const auto& row : *rows) {
    if (row.rules->name != name) continue;
    if (row.rules->rule == WinRule::sealed) {
      return refuse(output, {Code::invalid, "say the value that its rules name: --value \"...\" (" +
                                                row.rules->outside + ")"});
    }
    if (row.windows_over == 0 && row.status != "closed" && row.status != "over") {
      return refuse(output, {Code::conflict, "no window of " + name +
                                                 " is over; a seed that is told early tells who "
                                                 "will win"});
    }
    output.out(
        fmt::format("{} windows of {} are over; their seeds are published at "
                    "/api/v1/promotions/{}\n",
                    row.windows_over, name, name));
    return kDone;
  }
  return refuse(output, {Code::not_found, "there is no promotion " + name});
}

// Every entry of the promotion as the journal has it, a line each.
int entries(Live& live, const std::string& name, Output& output) {
  PromotionId id;
  Sequence end;
  const auto ran = live.run([&](Ledger& ledger) {
    const auto* state = ledger.counters().entries().find(name);
    if (state != nullptr) id = state->id;
    end = ledger.position().sequence;
  });
  if (!ran) return refuse(output, ran.error());
  if (!id) return refuse(output, {Code::not_found, "there is no promotion " + name});
  output.out(std::string(kEntriesHeader) + "\n");
  JournalReader reader(live.journal());
  std::string lines;
  const auto scanned = reader.scan({}, end, [&](const BatchView& batch) -> Result<> {
    for (const auto& record : batch.records) {
      if (record.kind != static_cast<std::uint8_t>(RecordKind::entry)) continue;
      const auto entry = decode_entry(record);
      if (!entry) return entry.error();
      if (entry->promotion != id) continue;
      append_line(lines, {entry->ordinal, batch.committed, entry->id_digest, entry->secret_hash});
    }
    if (!output.wanted()) return Error{Code::unavailable, "nobody waits for it any more"};
    output.out(lines);
    lines.clear();
    return {};
  });
  if (!output.wanted()) return refuse_unwanted(output);
  return scanned ? kDone : refuse(output, scanned.error());
}

struct VerifyArguments {
  std::string file;
  std::string entries;
  std::string key;
};

Result<std::string> text_of(const std::string& path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{Code::not_found, path + " cannot be read"};
  text << in.rdbuf();
  return text.str();
}

int verify_file(const VerifyArguments& args, Output& output) {
  const auto text = text_of(args.file);
  if (!text) return refuse(output, text.error());
  const auto proof = read_proof(*text);
  if (!proof) return refuse(output, proof.error());
  Evidence evidence;
  if (!args.key.empty()) {
    const auto bytes = from_hex(args.key);
    if (!bytes || bytes->size() != sizeof(PublicKey)) {
      return refuse(output, {Code::invalid, "--key is 64 hex digits"});
    }
    evidence.key = load<PublicKey>(bytes->data());
  }
  std::ifstream in;
  std::optional<EntriesFile> file;
  if (!args.entries.empty()) {
    in.open(args.entries, std::ios::binary);
    if (!in) return refuse(output, {Code::not_found, args.entries + " cannot be read"});
    file.emplace(in);
    evidence.entries = [&file] { return file->next(); };
  }
  const auto contradictions = check_proof(*proof, evidence);
  for (const auto& [fault, says] : contradictions) {
    output.err(fmt::format("nandolytics: {}: {}\n", name_of(fault), says));
  }
  if (!contradictions.empty()) return kRefused;
  std::size_t winners = 0;
  for (const auto& window : proof->windows) winners += window.winners.size();
  output.out(
      fmt::format("{}: {} windows with {} winners among {} entries follow from what is "
                  "published{}\n",
                  proof->promotion, proof->windows.size(), winners, proof->entries,
                  file ? ", and from its entries" : ""));
  return kDone;
}

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).string();
}

}  // namespace

Run promotion_add(CLI::App& app) {
  const auto file = std::make_shared<std::string>();
  app.add_option("FILE", *file, "its rules, as TOML (docs/prizes.md)")->required();
  return StoreRun{.run = [file](Live& live, Output& output) { return add(live, *file, output); },
                  .forward =
                      [file] {
                        *file = absolute(*file);
                        return std::vector<std::string>{"promotion", "add", *file};
                      }};
}

Run promotion_list(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "print JSON");
  return StoreRun{[json](Live& live, Output& output) { return list(live, *json, output); }};
}

Run promotion_pause(CLI::App& app) {
  return acting(app, PromotionAct::paused, "takes no entries until it is resumed");
}

Run promotion_resume(CLI::App& app) {
  return acting(app, PromotionAct::resumed, "takes entries again");
}

Run promotion_close(CLI::App& app) {
  return acting(app, PromotionAct::closed, "takes no more entries; what was won can be claimed");
}

Run promotion_reveal(CLI::App& app) {
  const auto name = std::make_shared<std::string>();
  const auto value = std::make_shared<std::string>();
  app.add_option("NAME", *name, "the promotion")->required();
  app.add_option("--value", *value, "of a sealed one: the value from outside, as its rules say it")
      ->type_name("TEXT");
  return StoreRun{
      [name, value](Live& live, Output& output) { return reveal(live, *name, *value, output); }};
}

Run promotion_entries(CLI::App& app) {
  const auto name = std::make_shared<std::string>();
  app.add_option("NAME", *name, "the promotion")->required();
  return StoreRun{[name](Live& live, Output& output) { return entries(live, *name, output); }};
}

Run promotion_verify(CLI::App& app) {
  const auto args = std::make_shared<VerifyArguments>();
  app.add_option("FILE", args->file, "what /api/v1/promotions/NAME answered; '-' is stdin")
      ->required();
  app.add_option("--entries", args->entries, "what `promotion entries` printed, to check the chain")
      ->type_name("FILE");
  app.add_option("--key", args->key, "the key it must be signed with, if you noted it before")
      ->type_name("HEX");
  return LocalRun{[args](const LoadedSettings& /*settings*/, Output& output) {
    return verify_file(*args, output);
  }};
}

}  // namespace nando
