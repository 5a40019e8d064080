// inspect: what is in the journal: its segments, its end, or every record, decoded.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command.h"
#include "records/prizes.h"
#include "records/records.h"
#include "store/cursor.h"
#include "store/journal_view.h"

namespace nando {

namespace {

struct InspectArguments {
  bool end = false;
  bool segments = false;
  bool json = false;
  std::uint64_t after = 0;
  std::uint64_t limit = 0;
};

int print_segments(JournalReader& reader, bool json, Output& output) {
  const auto segments = reader.segments();
  if (!segments) return refuse(output, segments.error());
  std::vector<JsonObject> objects;
  std::vector<std::vector<std::string>> rows{
      {"SEGMENT", "STATE", "FIRST", "LAST", "BATCHES", "BYTES"}};
  for (const auto& segment : *segments) {
    const std::string state = segment.sealed ? "sealed" : segment.first ? "live" : "prepared";
    objects.push_back({{"name", segment.name},
                       {"state", state},
                       {"first", static_cast<std::int64_t>(segment.first.value)},
                       {"last", static_cast<std::int64_t>(segment.last.value)},
                       {"batches", static_cast<std::int64_t>(segment.batches)},
                       {"bytes", static_cast<std::int64_t>(segment.bytes)}});
    rows.push_back({segment.name, state, std::to_string(segment.first.value),
                    std::to_string(segment.last.value), std::to_string(segment.batches),
                    std::to_string(segment.bytes)});
  }
  output.out(json ? json_text(objects) : text_table(rows));
  return kDone;
}

std::string describe_hit(const HitRecord& hit) {
  return fmt::format(
      "site {} page {} ordinals {}/{} day {} visit {}{} door {} agent {} id {} fingerprint {:016x}",
      hit.site.value, hit.page.value, hit.page_ordinal, hit.site_ordinal, to_string(hit.day),
      hit.visit.value, hit.is_entry ? " (entry)" : "", name_of(hit.door), name_of(hit.agent),
      hit.id.empty() ? "-" : hit.id, hit.fingerprint.value_or(0));
}

Result<std::string> told(const auto& decoded, auto describe_it) {
  if (!decoded) return decoded.error();
  return describe_it(*decoded);
}

// Rules are lines; here they stand in one.
std::string describe_promotion(const PromotionRecord& record) {
  std::string text(record.text);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return fmt::format("promotion {} of site {} {} {}", record.promotion.value, record.site.value,
                     name_of(record.act), text);
}

std::string describe_entry(const EntryRecord& entry) {
  return fmt::format("promotion {} entry {} id digest {} secret hash {}", entry.promotion.value,
                     entry.ordinal, to_hex(entry.id_digest), to_hex(entry.secret_hash));
}

std::string describe_claim(const ClaimRecord& claim) {
  return fmt::format("promotion {} entry {} has prize {}", claim.promotion.value, claim.entry,
                     claim.prize);
}

Result<std::string> describe(const RecordView& record, const RecordContext& context) {
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::epoch:
      return told(decode_epoch(record),
                  [](const auto& r) { return "began " + to_string(r.began); });
    case RecordKind::site:
      return told(decode_site(record),
                  [](const auto& r) { return fmt::format("site {} {}", r.site.value, r.host); });
    case RecordKind::page:
      return told(decode_page(record), [](const auto& r) {
        return fmt::format("page {} of site {} {}", r.page.value, r.site.value, r.url);
      });
    case RecordKind::page_view:
    case RecordKind::event:
      return told(decode_hit(record, context), describe_hit);
    case RecordKind::promotion:
      return told(decode_promotion(record), describe_promotion);
    case RecordKind::entry:
      return told(decode_entry(record), describe_entry);
    case RecordKind::claim:
      return told(decode_claim(record), describe_claim);
    case RecordKind::base:
      return told(decode_base(record), [](const auto& r) {
        return fmt::format("site {} page {} base {}", r.site.value, r.page.value, r.base);
      });
    case RecordKind::site_removed:
    case RecordKind::page_removed:
    case RecordKind::expired:
      return told(decode_removal(record), [](const auto& r) {
        return fmt::format("site {} page {}: details of records {} to {}", r.site.value,
                           r.page.value, r.after.value + 1, r.up_to.value);
      });
    case RecordKind::void_span:
      return told(decode_void(record), [](const auto& r) {
        return fmt::format("site {} page {}: {} {} to {}, records up to {}", r.site.value,
                           r.page.value, r.is_undone ? "shown again" : "left out",
                           to_string(r.from), to_string(r.to), r.up_to.value);
      });
    default:
      return std::string();
  }
}

int print_records(JournalView& view, const InspectArguments& args, Output& output) {
  std::uint64_t printed = 0;
  const auto full = [&] { return args.limit > 0 && printed >= args.limit; };
  const Error enough{Code::unavailable, {}};
  const auto scanned =
      view.reader().scan({}, view.end().sequence, [&](const BatchView& batch) -> Result<> {
        if (batch.last().value <= args.after) return {};
        if (full() || !output.wanted()) return enough;
        output.out(fmt::format("batch {}..{} committed {} key {} head {}{}\n", batch.first.value,
                               batch.last().value, to_string(batch.committed), batch.mac_key,
                               to_hex(batch.head),
                               batch.details_removed ? " details removed" : ""));
        auto sequence = batch.first;
        for (const auto& record : batch.records) {
          const auto text = describe(record, {sequence, batch.committed});
          if (!text) return text.error();
          output.out(fmt::format("  {} {} v{} {}\n", sequence.value,
                                 name_of(static_cast<RecordKind>(record.kind)), record.version,
                                 *text));
          ++sequence.value;
          ++printed;
        }
        return {};
      });
  if (!scanned && scanned.error().code != Code::unavailable) return refuse(output, scanned.error());
  return kDone;
}

int inspect_here(const InspectArguments& args, const Settings& settings, Output& output) {
  auto view = JournalView::open(settings);
  if (!view) return refuse(output, view.error());
  if (args.segments) return print_segments(view->reader(), args.json, output);
  return print_records(*view, args, output);
}

int print_end(Live& live, Output& output) {
  const auto end = live.end();
  if (!end) return refuse(output, end.error());
  output.out(position_text(*end));
  return kDone;
}

}  // namespace

Run inspect(CLI::App& app) {
  auto args = std::make_shared<InspectArguments>();
  app.add_flag("--end", args->end, "only where the journal ends: record, epoch and head");
  app.add_flag("--segments", args->segments, "only the files it is kept in");
  app.add_flag("--json", args->json, "the segments as JSON");
  app.add_option("--after", args->after, "only batches after this record")->type_name("N");
  app.add_option("--limit", args->limit, "stop after so many records")->type_name("N");
  return EitherRun{[args](Live& live, Output& output) { return print_end(live, output); },
                   [args](const LoadedSettings& loaded, Output& output) {
                     return inspect_here(*args, loaded.settings, output);
                   },
                   [args] { return args->end; }};
}

}  // namespace nando
