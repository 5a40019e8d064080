#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <charconv>

#include "base/assert.h"
#include "cli/command.h"
#include "counters/counters.h"
#include "ledger/ledger.h"
#include "sites/site_keys.h"
#include "store/removal.h"

namespace nando {

namespace {

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

JsonValue to_json(const SiteKey& key, const Site& site) {
  const auto text = key.get(site);
  switch (key.kind) {
    case SiteKey::Kind::text:
      return text;
    case SiteKey::Kind::number:
      return number_of(text);
    case SiteKey::Kind::on_off:
      return text == "on";
    case SiteKey::Kind::list:
      return split_list(text);
  }
  ASSERT(false);
}

JsonObject to_json(const Site& site) {
  JsonObject object{{"id", std::int64_t{site.id.value}}, {"host", site.host}};
  for (const auto& key : site_keys()) object.emplace_back(key.name, to_json(key, site));
  return object;
}

std::string table_of(const std::vector<Site>& sites) {
  std::vector<std::vector<std::string>> rows{{"ID", "HOST"}};
  for (const auto& key : site_keys()) {
    std::string title(key.name);
    for (auto& c : title) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    rows[0].push_back(title);
  }
  for (const auto& site : sites) {
    std::vector<std::string> row{std::to_string(site.id.value), site.host};
    for (const auto& key : site_keys()) {
      const auto value = key.get(site);
      row.push_back(value.empty() ? "-" : value);
    }
    rows.push_back(std::move(row));
  }
  return text_table(rows);
}

int add(Live& live, const SiteDraft& draft, Output& output) {
  const auto added = live.sites().add(draft);
  if (!added) return refuse(output, added.error());
  if (!added->note.empty()) output.err("nandolytics: " + added->note + "\n");
  const bool open = added->site.counts == Visibility::open;
  output.out("added " + added->site.host + ", time zone " + std::string(added->site.zone.name()) +
             ", counts " + (open ? "public" : "not public") + "\n");
  return kDone;
}

int list(Live& live, bool json, Output& output) {
  const auto sites = live.sites().list();
  if (json) {
    std::vector<JsonObject> rows;
    for (const auto& site : sites) rows.push_back(to_json(site));
    output.out(json_text(rows));
    return kDone;
  }
  if (sites.empty()) {
    output.err("nandolytics: no site is counted; add one with: nandolytics site add HOST\n");
    return kDone;
  }
  output.out(table_of(sites));
  return kDone;
}

// Nobody enters on a site that is gone. What was won there can be claimed.
Result<> close_promotions(Ledger& ledger, SiteId site) {
  for (const auto& state : ledger.counters().entries().all()) {
    if (state->site != site || state->intake == Intake::closed) continue;
    const auto closed = ledger.change_promotion({state->id, PromotionAct::closed, site, {}});
    if (!closed) return closed;
  }
  return {};
}

// The record first: should something fail in between, the site is there to be removed again.
int remove(Live& live, const std::string& host, Output& output) {
  const auto site = live.sites().find(host);
  if (!site) return refuse(output, site.error());
  Result<Sequence> removed;
  std::uint64_t counted = 0;
  const auto ran = live.run([&](Ledger& ledger) {
    removed = ledger.position().sequence;
    const auto* entry = ledger.counters().sites().find(site->id);
    if (entry == nullptr) return;
    counted = entry->count;
    if (auto closed = close_promotions(ledger, site->id); !closed) {
      removed = closed.error();
      return;
    }
    const RemovalRecord record{
        .what = Removal::site, .site = site->id, .up_to = ledger.position().sequence};
    removed = ledger.remove(std::span(&record, 1));
  });
  if (!ran) return refuse(output, ran.error());
  if (!removed) return refuse(output, removed.error());
  if (auto done = live.sites().remove(host); !done) return refuse(output, done.error());
  if (auto done = finish_removals_everywhere(live, *removed, output); !done) {
    return refuse(output, done.error());
  }
  output.out(fmt::format("removed {}: its {} page views stay counted, all details are gone\n",
                         site->host, counted));
  return kDone;
}

}  // namespace

Run site_add(CLI::App& app) {
  const auto draft = std::make_shared<SiteDraft>();
  app.add_option("HOST", draft->host, "its host, as blog.example.com")->required();
  app.add_option("--timezone", draft->timezone, "where its days begin and end (UTC)")
      ->type_name("ZONE");
  app.add_flag_callback(
      "--public-counts", [draft] { draft->counts = Visibility::open; },
      "let anybody read its counts");
  return StoreRun{[draft](Live& live, Output& output) { return add(live, *draft, output); },
                  IfMissing::create};
}

Run site_list(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "print JSON");
  return StoreRun{[json](Live& live, Output& output) { return list(live, *json, output); }};
}

Run site_set(CLI::App& app) {
  struct Change {
    std::string host, key, value;
  };
  const auto change = std::make_shared<Change>();
  app.add_option("HOST", change->host, "the site")->required();
  std::string keys;
  for (const auto& key : site_keys()) {
    keys +=
        (keys.empty() ? "" : "; ") + std::string(key.name) + " (" + std::string(key.takes) + ")";
  }
  app.add_option("KEY", change->key, "one of: " + keys)->required();
  app.add_option("VALUE", change->value, "its new value")->required();
  return StoreRun{[change](Live& live, Output& output) {
    const auto site = live.sites().set(change->host, change->key, change->value);
    if (!site) return refuse(output, site.error());
    const auto key = find_site_key(change->key);
    output.out(site->host + ": " + change->key + " is now " + (*key)->get(*site) + "\n");
    return kDone;
  }};
}

Run site_remove(CLI::App& app) {
  const auto host = std::make_shared<std::string>();
  app.add_option("HOST", *host, "the site")->required();
  return StoreRun{[host](Live& live, Output& output) { return remove(live, *host, output); }};
}

}  // namespace nando
