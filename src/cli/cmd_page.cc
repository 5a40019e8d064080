// page, void: what a person may take back. Counts stay as they are.
#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "counters/counters.h"
#include "ingest/page_url.h"
#include "ledger/ledger.h"
#include "store/catch_up.h"
#include "store/removal.h"

namespace nando {

namespace {

struct NamedPage {
  Site site;
  std::string url;  // As it is spelled.
  PageKey key{};
};

// The page of a URL as typed; of `site` only, if one is named.
Result<NamedPage> name_page(Live& live, const std::string& typed) {
  const auto ledger = live.ledger();
  if (!ledger) return ledger.error();
  const auto url = typed.find("://") == std::string::npos ? "https://" + typed : typed;
  UrlReader reader;
  const auto* parts = reader.read(url);
  if (parts == nullptr || !is_web(*parts)) {
    return Error{Code::invalid,
                 "'" + typed + "' is no URL of a page; one is https://blog.example.com/a"};
  }
  const SiteTable table(live.sites().list());
  const auto* site = table.find(parts->host);
  if (site == nullptr) {
    return Error{Code::not_found, "no site has the host " + std::string(parts->host) +
                                      "; see: nandolytics site list"};
  }
  NamedPage page{.site = *site};
  spell_page(*parts, page_host(table, *site, parts->host), *site, page.url);
  if (page.url.size() > kUrlBytesMax) return Error{Code::invalid, "the URL is too long for a page"};
  page.key = page_key((*ledger)->hash_key(), site->id, page.url);
  return page;
}

Error never_counted(const NamedPage& page) {
  return {Code::not_found, page.url + " was never counted"};
}

int remove_page(Live& live, const std::string& typed, Output& output) {
  const auto page = name_page(live, typed);
  if (!page) return refuse(output, page.error());
  Result<Sequence> removed = never_counted(*page);
  std::uint64_t counted = 0;
  const auto ran = live.run([&](Ledger& ledger) {
    const auto id = ledger.counters().pages().find(page->key);
    if (!id) return;
    counted = ledger.counters().pages().count(*id);
    const RemovalRecord record{.what = Removal::page,
                               .site = page->site.id,
                               .page = *id,
                               .up_to = ledger.position().sequence};
    removed = ledger.remove(std::span(&record, 1));
  });
  if (!ran) return refuse(output, ran.error());
  if (!removed) return refuse(output, removed.error());
  if (auto done = finish_removals_everywhere(live, *removed, output); !done) {
    return refuse(output, done.error());
  }
  output.out(fmt::format(
      "{}: its URL and the details of its hits are gone; its {} page views stay counted\n",
      page->url, counted));
  return kDone;
}

struct VoidArguments {
  std::string host, from, to, path;
  bool undo = false;
  bool dry_run = false;
};

Result<VoidRow> span_of(Live& live, const VoidArguments& args) {
  const auto site = live.sites().find(args.host);
  if (!site) return site.error();
  VoidRow span{.site = site->id, .is_void = !args.undo};
  const auto from = parse_local(args.from, site->zone);
  const auto to = parse_local(args.to, site->zone);
  for (const auto& [name, time, text] :
       {std::tuple("--from", &from, &args.from), std::tuple("--to", &to, &args.to)}) {
    if (*time) continue;
    return Error{Code::invalid,
                 fmt::format("{} is not '{}'; it is a date or a time in {}, as 2026-11-22, "
                             "2026-11-22T17:00 or 2026-11-22T17:00:00Z",
                             name, *text, site->zone.name())};
  }
  span.from = from->begins;
  span.to = to->ends;
  if (span.from >= span.to) return Error{Code::invalid, "--to is not after --from"};
  if (args.path.empty()) return span;
  const auto page =
      name_page(live, site->host + (args.path.starts_with('/') ? "" : "/") + args.path);
  if (!page) return page.error();
  const auto ran = live.run([&](Ledger& ledger) {
    span.page = ledger.counters().pages().find(page->key).value_or(PageId{});
  });
  if (!ran) return ran.error();
  if (!span.page) return never_counted(*page);
  return span;
}

Result<std::uint64_t> count_hits(Live& live, const VoidRow& span, Output& output) {
  if (auto done = catch_up(live, Sequence{span.up_to}, "warehouse", output); !done) {
    return done.error();
  }
  const auto feed = live.feed();
  if (!feed) return feed.error();
  const auto warehouse = (*feed)->warehouse();
  if (warehouse == nullptr) return Error{Code::unavailable, (*feed)->status().problem};
  return warehouse->hits_in(span);
}

int void_span(Live& live, const VoidArguments& args, Output& output) {
  auto span = span_of(live, args);
  if (!span) return refuse(output, span.error());
  Result<Sequence> written;
  const auto ran = live.run([&](Ledger& ledger) {
    span->up_to = ledger.position().sequence.value;
    written = ledger.position().sequence;
    if (args.dry_run || ledger.counters().sites().find(span->site) == nullptr) return;
    written = ledger.leave_out(
        {span->site, span->page, Sequence{span->up_to}, span->from, span->to, args.undo});
  });
  if (!ran) return refuse(output, ran.error());
  if (!written) return refuse(output, written.error());
  const auto hits = count_hits(live, *span, output);
  if (!hits) return refuse(output, hits.error());
  if (auto done = catch_up(live, *written, "warehouse", output); !done) {
    return refuse(output, done.error());
  }
  output.out(fmt::format("{} hits from {} to {} {} {} charts; they keep their numbers\n", *hits,
                         to_string(span->from), to_string(span->to),
                         args.dry_run ? "would be" : "are",
                         args.undo ? "shown again in" : "left out of"));
  return kDone;
}

}  // namespace

Run page_remove(CLI::App& app) {
  const auto url = std::make_shared<std::string>();
  app.add_option("URL", *url, "the page")->required();
  return StoreRun{[url](Live& live, Output& output) { return remove_page(live, *url, output); }};
}

Run void_hits(CLI::App& app) {
  const auto args = std::make_shared<VoidArguments>();
  app.add_option("--site", args->host, "the site")->type_name("HOST")->required();
  app.add_option("--from", args->from, "the first moment, in the site's time zone")
      ->type_name("TIME")
      ->required();
  app.add_option("--to", args->to, "the end; a date includes that day")
      ->type_name("TIME")
      ->required();
  app.add_option("--path", args->path, "of one page only")->type_name("PATH");
  app.add_flag("--undo", args->undo, "show them again");
  app.add_flag("--dry-run", args->dry_run, "only say how many there are");
  return StoreRun{[args](Live& live, Output& output) { return void_span(live, *args, output); }};
}

}  // namespace nando
