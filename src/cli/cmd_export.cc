// export: every hit, oldest first. As JSON lines from the journal, in this process; as CSV, Parquet
// or a DuckDB file from the warehouse, once everything is in it.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <unordered_map>

#include "cli/command.h"
#include "model/counting.h"
#include "records/prizes.h"
#include "records/records.h"
#include "store/catch_up.h"
#include "store/cursor.h"
#include "store/journal_view.h"
#include "wire/json.h"

namespace nando {

namespace {

struct ExportArguments {
  std::string format = "ndjson";
  std::string host;
  std::string since;
  bool as_of = false;
};

void tell_cursor(const ExportArguments& args, const Position& at, Output& output) {
  if (args.as_of) output.err(fmt::format("as of {}\n", cursor_text(at)));
}

class Exporter {
 public:
  // Writes hits after `since`.
  Exporter(JournalView& view, Key128 hash_key, Sequence since, const ExportArguments& args,
           Output& output)
      : view_(view), hash_key_(hash_key), since_(since), args_(args), output_(output) {}

  Result<> take(const BatchView& batch) {
    auto sequence = batch.first;
    for (const auto& record : batch.records) {
      auto done = take_record(batch, record, sequence);
      if (!done)
        return Error{done.error().code,
                     fmt::format("record {}: {}", sequence.value, done.error().message)};
      ++sequence.value;
    }
    if (lines_.size() >= kChunkBytes) flush();
    return {};
  }

  void flush() {
    output_.out(lines_);
    lines_.clear();
  }

 private:
  static constexpr std::size_t kChunkBytes = 64 << 10;

  Result<> take_record(const BatchView& batch, const RecordView& record, Sequence sequence) {
    switch (static_cast<RecordKind>(record.kind)) {
      case RecordKind::site: {
        const auto site = decode_site(record);
        if (!site) return site.error();
        hosts_[site->site] = site->host;
        return {};
      }
      case RecordKind::page: {
        const auto page = decode_page(record);
        if (!page) return page.error();
        if (urls_.size() < page->page.value) urls_.resize(page->page.value);
        urls_[page->page.value - 1] = page->url;
        return {};
      }
      case RecordKind::page_view:
      case RecordKind::event: {
        const auto hit = decode_hit(record, {sequence, batch.committed});
        if (!hit) return hit.error();
        const bool wanted = args_.host.empty() || hosts_[hit->site] == args_.host;
        if (wanted && sequence > since_) write_hit(batch, *hit, sequence);
        return {};
      }
      default:
        return {};
    }
  }

  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    lines_ += fmt::format(",\"{}\":", key);
    append_json_string(lines_, value);
  }

  void props(std::string_view encoded) {
    if (encoded.empty()) return;
    lines_ += ",\"props\":";
    append_json_props(lines_, encoded);
  }

  void write_hit(const BatchView& batch, const HitRecord& hit, Sequence sequence) {
    lines_ += fmt::format(R"({{"kind":"{}","sequence":{})", name_of(hit.kind), sequence.value);
    text("site", hosts_[hit.site]);
    text("url", hit.page.value <= urls_.size() ? urls_[hit.page.value - 1] : "");
    lines_ += fmt::format(R"(,"page":{},"site_ordinal":{},"committed":"{}","day":"{}","door":"{}")"
                          R"(,"agent_class":"{}")",
                          hit.page_ordinal, hit.site_ordinal, to_string(batch.committed),
                          to_string(hit.day), name_of(hit.door), name_of(hit.agent));
    if (hit.visitor) lines_ += fmt::format(R"(,"visitor":"{:016x}")", hit.visitor.value);
    if (hit.visit) {
      lines_ += fmt::format(R"(,"visit":{},"entry":{})", hit.visit.value, hit.is_entry);
    }
    text("id", hit.id);
    if (hit.at) text("time", to_string(*hit.at));
    text("referrer", hit.referrer);
    text("title", hit.title);
    text("name", hit.name);
    props(hit.props);
    text("screen", hit.screen);
    text("language", hit.language);
    write_receipt(batch, hit, sequence);
    lines_ += "}\n";
  }

  void write_receipt(const BatchView& batch, const HitRecord& hit, Sequence sequence) {
    const MacKeyId key{batch.mac_key};
    // It cannot be made again from what is left.
    if (batch.details_removed && !hit.visitor) return;
    if (view_.keys().find(key) == nullptr) return;
    if (counting_rule(hit.door, hit.agent).counted == Counted::no) return;
    Receipt receipt{.key = key,
                    .epoch = batch.epoch,
                    .sequence = sequence,
                    .site = hit.site,
                    .page = hit.page,
                    .page_ordinal = hit.page_ordinal,
                    .committed = batch.committed,
                    .secret_hash = hit.secret_hash.value_or(SecretHash{})};
    if (!hit.id.empty()) receipt.id_digest = digest_of(hash_key_, hit.site, hit.id);
    if (hit.has_draw_entry && !add_entry(batch, sequence, receipt)) return;
    std::copy_n(batch.head.begin(), receipt.head.size(), receipt.head.begin());
    char sealed[kReceiptTextBytes];
    sealer_.seal(receipt, view_.keys(), sealed);
    text("receipt", {sealed, sizeof sealed});
  }

  // What the hit earned stands in the record after it.
  static bool add_entry(const BatchView& batch, Sequence hit, Receipt& receipt) {
    const auto next = hit.value - batch.first.value + 1;
    if (next >= batch.records.size()) return false;
    const auto entry = decode_entry(batch.records[next]);
    if (!entry) return false;
    receipt.promotion = entry->promotion.value;
    receipt.entry_ordinal = entry->ordinal;
    return true;
  }

  JournalView& view_;
  Key128 hash_key_;
  ReceiptSealer sealer_;
  Sequence since_;
  const ExportArguments& args_;
  Output& output_;
  std::string lines_;
  std::unordered_map<SiteId, std::string> hosts_;
  std::vector<std::string> urls_;
};

int export_here(const ExportArguments& args, const Settings& settings, Output& output) {
  auto view = JournalView::open(settings);
  if (!view) return refuse(output, view.error());
  const auto hash_key = view->reader().hash_key();
  if (!hash_key) return refuse(output, hash_key.error());
  Sequence since;
  if (!args.since.empty()) {
    const auto parsed = parse_cursor(args.since, view->end());
    if (!parsed) return refuse(output, parsed.error());
    since = *parsed;
  }
  Exporter exporter(*view, *hash_key, since, args, output);
  const Error unwanted{Code::unavailable, {}};
  const auto scanned =
      view->reader().scan({}, view->end().sequence, [&](const BatchView& batch) -> Result<> {
        if (!output.wanted()) return unwanted;
        return exporter.take(batch);
      });
  if (!scanned && scanned.error().code == Code::unavailable) return refuse_unwanted(output);
  exporter.flush();
  if (!scanned) return refuse(output, scanned.error());
  if (!output.wanted()) return refuse_unwanted(output);
  tell_cursor(args, view->end(), output);
  return kDone;
}

// Hands over the content of a file that has no name any more.
int stream_file(const std::string& path, Output& output) {
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  std::string chunk(256 << 10, '\0');
  while (file && output.wanted()) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    output.out(std::string_view(chunk).substr(0, static_cast<std::size_t>(file.gcount())));
  }
  if (!output.wanted()) return refuse_unwanted(output);
  if (file.eof()) return kDone;
  return refuse(output, {Code::io, "the export could not be read back"});
}

// Writes what is asked for to a file beside the warehouse's, where `bytes` more do not take what
// counting needs, and hands it over.
int export_part(Feed& feed, const Warehouse::Question& question, std::uint64_t bytes,
                Output& output) {
  const auto warehouse = feed.warehouse();
  if (warehouse == nullptr) return refuse(output, {Code::unavailable, "no warehouse; try again"});
  if (auto room = leave_room("no room for the export", feed.folder(), bytes); !room) {
    return refuse(output, room.error());
  }
  static std::atomic<unsigned> number = 0;
  const auto path = fmt::format("{}{}{}-{}", feed.path(), kExportSuffix, ::getpid(), ++number);
  if (const auto mark = warehouse->write_to(path, question); !mark) {
    std::error_code ignored;
    for (const auto* suffix : {"", ".wal"}) {
      std::filesystem::remove(path + suffix, ignored);
    }
    return refuse(output, mark.error());
  }
  return stream_file(path, output);
}

// Part by part, so that the file on the way stays small however slowly somebody reads.
int export_csv(Feed& feed, Warehouse::Question question, Sequence end, Output& output) {
  constexpr std::uint64_t kPartRecords = 50'000;
  constexpr std::uint64_t kPartBytes = 16 << 20;
  do {
    question.up_to.value = std::min(end.value, question.after.value + kPartRecords);
    const int code = export_part(feed, question, kPartBytes, output);
    if (code != kDone) return code;
    question.after = question.up_to;
    question.header = CsvHeader::left_out;
  } while (question.after < end);
  return kDone;
}

int export_from_warehouse(const ExportArguments& args, ExportFormat format, Live& live,
                          Output& output) {
  const auto end = live.end();
  if (!end) return refuse(output, end.error());
  Warehouse::Question question{.format = format, .up_to = end->sequence, .host = args.host};
  if (!args.since.empty()) {
    const auto since = parse_cursor(args.since, *end);
    if (!since) return refuse(output, since.error());
    question.after = *since;
  }
  if (auto done = catch_up(live, end->sequence, "export", output); !done) {
    return refuse(output, done.error());
  }
  auto& feed = **live.feed();
  // A copy, and a file of the same rows in another format, take no more than twice the warehouse.
  const int code = format == ExportFormat::csv
                       ? export_csv(feed, question, end->sequence, output)
                       : export_part(feed, question, 2 * feed.bytes(), output);
  if (code == kDone) tell_cursor(args, *end, output);
  return code;
}

std::optional<ExportFormat> table_format(const std::string& name) {
  return enum_from<ExportFormat>(kExportFormatNames, name);
}

}  // namespace

Run export_hits(CLI::App& app) {
  auto args = std::make_shared<ExportArguments>();
  app.add_option("--format", args->format,
                 "ndjson: one JSON object a line (the default); csv; parquet; duckdb: a copy of "
                 "the warehouse")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"ndjson", "csv", "parquet", "duckdb"}));
  app.add_option("--site", args->host, "only hits of this site")->type_name("HOST");
  app.add_option("--since", args->since, "only hits after this cursor")->type_name("CURSOR");
  app.add_flag("--as-of", args->as_of,
               "say on standard error the cursor that a later --since takes up from");
  return EitherRun{[args](Live& live, Output& output) {
                     return export_from_warehouse(*args, *table_format(args->format), live, output);
                   },
                   [args](const LoadedSettings& loaded, Output& output) {
                     return export_here(*args, loaded.settings, output);
                   },
                   [args] { return table_format(args->format).has_value(); }};
}

}  // namespace nando
