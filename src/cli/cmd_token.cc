#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "model/day.h"

namespace nando {

namespace {

struct AddArguments {
  std::string name, scope, host;
};

std::string time_text(UnixTime at) {
  constexpr auto kDay = std::chrono::hours{24};
  const auto local = Zone::utc().day_of(at);
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(at - local.begins).count() %
                       std::chrono::duration_cast<std::chrono::minutes>(kDay).count();
  return fmt::format("{}T{:02}:{:02}Z", to_string(local.day), minutes / 60, minutes % 60);
}

// The host of the token's site; sites are removed, tokens stay until they are revoked.
std::string site_text(Live& live, SiteId id) {
  if (!id) return "";
  const auto site = live.sites().find(id);
  return site ? site->host : "(removed)";
}

int add(Live& live, const AddArguments& args, Output& output) {
  const auto scope = enum_from<Scope>(kScopeNames, args.scope);
  if (!scope) {
    return refuse(
        output, {Code::invalid, "--scope is not '" + args.scope + "'; it is hits, stats or admin"});
  }
  TokenDraft draft{args.name, *scope, SiteId{}};
  if (!args.host.empty()) {
    const auto site = live.sites().find(args.host);
    if (!site) return refuse(output, site.error());
    draft.site = site->id;
  }
  const auto issued = live.tokens().add(draft);
  if (!issued) return refuse(output, issued.error());
  output.err(fmt::format("nandolytics: token {} is made; keep its text, it is not shown again\n",
                         issued->info.token.id.value));
  output.out(issued->text + "\n");
  return kDone;
}

int list(Live& live, bool json, Output& output) {
  std::vector<JsonObject> objects;
  std::vector<std::vector<std::string>> rows{{"ID", "NAME", "SCOPE", "SITE", "MADE"}};
  for (const auto& info : live.tokens().list()) {
    const auto& token = info.token;
    const std::string scope(name_of(token.scope));
    const auto site = site_text(live, token.site);
    const auto made = time_text(info.made);
    objects.push_back({{"id", std::int64_t{token.id.value}},
                       {"name", info.name},
                       {"scope", scope},
                       {"site", site},
                       {"made", made}});
    rows.push_back(
        {std::to_string(token.id.value), info.name, scope, site.empty() ? "-" : site, made});
  }
  if (json) {
    output.out(json_text(objects));
  } else if (objects.empty()) {
    output.err(
        "nandolytics: there are no tokens; make one with: nandolytics token add NAME "
        "--scope hits\n");
  } else {
    output.out(text_table(rows));
  }
  return kDone;
}

}  // namespace

Run token_add(CLI::App& app) {
  const auto args = std::make_shared<AddArguments>();
  app.add_option("NAME", args->name, "what it is for")->required();
  app.add_option("--scope", args->scope, "hits (send), stats (read) or admin (everything)")
      ->required()
      ->type_name("SCOPE");
  app.add_option("--site", args->host, "good for this site alone")->type_name("HOST");
  return StoreRun{[args](Live& live, Output& output) { return add(live, *args, output); },
                  IfMissing::create};
}

Run token_list(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "print JSON");
  return StoreRun{[json](Live& live, Output& output) { return list(live, *json, output); }};
}

Run token_revoke(CLI::App& app) {
  const auto id = std::make_shared<std::uint32_t>(0);
  app.add_option("ID", *id, "its number in `nandolytics token list`")->required();
  return StoreRun{[id](Live& live, Output& output) {
    if (const auto revoked = live.tokens().revoke(TokenId{*id}); !revoked) {
      return refuse(output, revoked.error());
    }
    output.out(fmt::format("revoked token {}\n", *id));
    return kDone;
  }};
}

}  // namespace nando
