// export: every hit of the journal, oldest first, one JSON object a line.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <unordered_map>

#include "cli/command.h"
#include "counters/records.h"
#include "store/journal_view.h"
#include "wire/json.h"

namespace nando {

namespace {

struct ExportArguments {
  std::string format = "ndjson";
  std::string host;
};

class Exporter {
 public:
  Exporter(JournalView& view, Key128 hash_key, const ExportArguments& args, Output& output)
      : view_(view), hash_key_(hash_key), args_(args), output_(output) {}

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
        urls_.emplace_back(page->url);
        return {};
      }
      case RecordKind::page_view:
      case RecordKind::event: {
        const auto hit = decode_hit(record, {sequence, batch.committed});
        if (!hit) return hit.error();
        if (args_.host.empty() || hosts_[hit->site] == args_.host) write_hit(batch, *hit, sequence);
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
    if (view_.keys().find(key) == nullptr) return;
    Receipt receipt{.key = key,
                    .epoch = batch.epoch,
                    .sequence = sequence,
                    .site = hit.site,
                    .page = hit.page,
                    .page_ordinal = hit.page_ordinal,
                    .committed = batch.committed,
                    .secret_hash = hit.secret_hash.value_or(SecretHash{})};
    if (!hit.id.empty()) receipt.id_digest = digest_of(hash_key_, hit.site, hit.id);
    std::copy_n(batch.head.begin(), receipt.head.size(), receipt.head.begin());
    char sealed[kReceiptTextBytes];
    seal(receipt, view_.keys(), sealed);
    text("receipt", {sealed, sizeof sealed});
  }

  JournalView& view_;
  Key128 hash_key_;
  const ExportArguments& args_;
  Output& output_;
  std::string lines_;
  std::unordered_map<SiteId, std::string> hosts_;
  std::vector<std::string> urls_;
};

int export_here(const ExportArguments& args, const Settings& settings, Output& output) {
  if (args.format != "ndjson") {
    return refuse(output, {Code::invalid, "--format is not '" + args.format + "'; it is ndjson"});
  }
  auto view = JournalView::open(settings);
  if (!view) return refuse(output, view.error());
  const auto hash_key = view->reader().hash_key();
  if (!hash_key) return refuse(output, hash_key.error());
  Exporter exporter(*view, *hash_key, args, output);
  const Error unwanted{Code::unavailable, {}};
  const auto scanned =
      view->reader().scan({}, view->end().sequence, [&](const BatchView& batch) -> Result<> {
        if (!output.wanted()) return unwanted;
        return exporter.take(batch);
      });
  if (!scanned && scanned.error().code == Code::unavailable) return kRefused;
  exporter.flush();
  if (!scanned) return refuse(output, scanned.error());
  return output.wanted() ? kDone : kRefused;
}

}  // namespace

Run export_hits(CLI::App& app) {
  auto args = std::make_shared<ExportArguments>();
  app.add_option("--format", args->format, "ndjson: one JSON object a line (ndjson)")
      ->type_name("FORMAT");
  app.add_option("--site", args->host, "only hits of this site")->type_name("HOST");
  return LocalRun{[args](const LoadedSettings& loaded, Output& output) {
    return export_here(*args, loaded.settings, output);
  }};
}

}  // namespace nando
