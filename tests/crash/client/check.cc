#include "client/check.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "client/load.h"
#include "client/question.h"
#include "client/wire.h"

namespace crash {

namespace {

constexpr std::size_t kCountsAtOnce = 40;
constexpr std::size_t kSpotChecks = 5;

std::string_view without_scheme(std::string_view url) {
  const auto at = url.find("://");
  return at == std::string_view::npos ? url : url.substr(at + 3);
}

// "s3.crash.example/p41" -> 41; nothing for a page of no run.
std::optional<std::uint32_t> page_number(std::string_view url) {
  const auto at = url.rfind("/p");
  if (at == std::string_view::npos) return std::nullopt;
  std::uint32_t page = 0;
  for (const char c : url.substr(at + 2)) {
    if (c < '0' || c > '9') return std::nullopt;
    page = page * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return page;
}

HitId head_of(std::string_view id) {
  HitId head{};
  std::memcpy(head.data(), id.data(), std::min(id.size(), head.size()));
  return head;
}

}  // namespace

CheckOptions read_check_options(Flags& flags) {
  CheckOptions options;
  auto logs = flags.text("logs");
  for (std::size_t at = 0; at < logs.size();) {
    const auto end = std::min(logs.find(',', at), logs.size());
    options.logs.push_back(logs.substr(at, end - at));
    at = end + 1;
  }
  options.exported = flags.text("export");
  options.sites = static_cast<std::uint32_t>(flags.number("sites", 1));
  options.port = static_cast<std::uint16_t>(flags.number("port"));
  return options;
}

std::size_t Check::HashId::operator()(const HitId& id) const {
  std::uint64_t words[2];
  std::memcpy(words, id.data(), sizeof words);
  return mix(words[0] * 31 ^ words[1]);
}

void Check::found(std::uint64_t& counter, const std::string& what) {
  ++counter;
  if (first_.empty()) first_ = what;
}

bool Check::run() {
  read_export();
  check_ordinals();
  check_answers();
  if (options_.port != 0) check_counts();
  return lost_ + changed_ + answers_differ_ + ids_twice_ + ordinals_twice_ + holes_ +
             out_of_order_ + refused_counted_ + strangers_ + inversions_ + aggregates_off_ ==
         0;
}

void Check::read_export() {
  std::ifstream file(options_.exported);
  if (!file) throw std::runtime_error("cannot open " + options_.exported);
  for (std::string line; std::getline(file, line);) {
    if (json_value(line, "kind") == "page_view") add_line(line);
  }
}

// A bot's view by script or pixel has no number and no receipt: its ordinals are those that stand.
bool Check::is_kept_only(std::string_view line) {
  const auto door = json_value(line, "door");
  return json_value(line, "agent_class") == "bot" && (door == "script" || door == "pixel");
}

void Check::add_kept(const Record& record, std::string_view line) {
  ++kept_;
  const auto last = [](const std::vector<std::uint64_t>& ordinals) {
    return ordinals.empty() ? 0 : ordinals.back();
  };
  if (record.page_ordinal != last(page_ordinals_[record.page]) ||
      record.site_ordinal != last(site_ordinals_[record.page % options_.sites]) ||
      json_value(line, "receipt")) {
    found(refused_counted_, "a bot's view has a number: " + std::string(line.substr(0, 200)));
  }
}

void Check::add_line(std::string_view line) {
  Record record;
  const auto url = without_scheme(json_value(line, "url").value_or(""));
  const auto page = page_number(url);
  if (!page || url != without_scheme(page_url(*page, options_.sites))) {
    found(strangers_, "a record of no page of this run: " + std::string(url));
    return;
  }
  record.page = *page;
  record.page_ordinal = json_number(line, "page").value_or(0);
  record.site_ordinal = json_number(line, "site_ordinal").value_or(0);
  record.sequence = json_number(line, "sequence").value_or(0);
  record.receipt = fingerprint(json_value(line, "receipt").value_or(""));
  if (record.sequence <= last_sequence_) {
    found(out_of_order_, "sequence " + std::to_string(record.sequence) + " after " +
                             std::to_string(last_sequence_));
  }
  last_sequence_ = record.sequence;
  if (page_ordinals_.size() <= *page) page_ordinals_.resize(*page + 1);
  if (site_ordinals_.size() < options_.sites) site_ordinals_.resize(options_.sites);
  if (is_kept_only(line)) return add_kept(record, line);
  ++records_;
  page_ordinals_[*page].push_back(record.page_ordinal);
  site_ordinals_[*page % options_.sites].push_back(record.site_ordinal);
  const auto id = json_value(line, "id").value_or("");
  if (id.empty() || id == "null") return;
  const auto head = head_of(id);
  if (whole_id(head) != id) found(changed_, "an id that was never sent: " + std::string(id));
  if (!by_id_.emplace(head, record).second) {
    found(ids_twice_, "counted twice: " + std::string(id));
  }
}

// Each page and each site: 1, 2, 3, ... N, in the order of the journal.
void Check::check_ordinals() {
  const auto check = [&](std::vector<std::uint64_t> ordinals, const std::string& whose) {
    for (std::size_t i = 1; i < ordinals.size(); ++i) {
      if (ordinals[i] < ordinals[i - 1]) found(out_of_order_, whose + " ordinals fall");
    }
    std::sort(ordinals.begin(), ordinals.end());
    std::uint64_t expected = 1;
    for (const auto ordinal : ordinals) {
      const auto text = whose + " ordinal " + std::to_string(ordinal);
      if (ordinal < expected) found(ordinals_twice_, text + " twice");
      for (; expected < ordinal; ++expected) found(holes_, text + " and none before it");
      if (ordinal == expected) ++expected;
    }
  };
  for (std::size_t i = 0; i < page_ordinals_.size(); ++i) {
    check(page_ordinals_[i], "page " + std::to_string(i));
  }
  for (std::size_t i = 0; i < site_ordinals_.size(); ++i) {
    check(site_ordinals_[i], "site " + std::to_string(i));
  }
}

void Check::check_answers() {
  struct Known {
    Entry first;  // The first acknowledgement.
    bool acknowledged = false;
    bool maybe = false;  // Some sending of it has an unknown outcome.
  };
  std::unordered_map<HitId, Known, HashId> known;
  std::vector<Entry> acknowledged;
  for (const auto& path : options_.logs) {
    for (const auto& entry : read_log(path)) {
      if (entry.outcome == Outcome::acknowledged) acknowledged.push_back(entry);
      if (entry.id[0] == '\0') continue;
      auto& one = known[entry.id];
      one.maybe =
          one.maybe || entry.outcome == Outcome::unknown || entry.outcome == Outcome::failed;
      if (entry.outcome != Outcome::acknowledged) continue;
      if (one.acknowledged &&
          (one.first.page_ordinal != entry.page_ordinal ||
           one.first.site_ordinal != entry.site_ordinal || one.first.receipt != entry.receipt)) {
        found(answers_differ_, "two answers to " + whole_id(entry.id));
      }
      if (!one.acknowledged) one.first = entry;
      one.acknowledged = true;
    }
  }
  for (const auto& [id, one] : known) {
    const auto record = by_id_.find(id);
    const bool counted = record != by_id_.end();
    if (counted) record->second.sent = true;
    if (one.acknowledged) {
      ++acknowledged_;
      if (!counted) {
        found(lost_, "acknowledged and lost: " + whole_id(id));
      } else if (record->second.page != one.first.page ||
                 record->second.page_ordinal != one.first.page_ordinal ||
                 record->second.site_ordinal != one.first.site_ordinal ||
                 record->second.receipt != one.first.receipt) {
        found(changed_, "not as it was answered: " + whole_id(id));
      }
    } else if (counted) {
      one.maybe ? void(++unknown_counted_)
                : found(refused_counted_, "refused and counted: " + whole_id(id));
    }
  }
  for (const auto& [id, record] : by_id_) {
    if (!record.sent) found(strangers_, "counted and never sent: " + whole_id(id));
  }
  check_order(acknowledged);
}

// Walks each page's first acknowledgements by ordinal with the latest sending time so far: a hit
// that was answered before a lower number was even sent has been overtaken.
void Check::check_order(const std::vector<Entry>& answers) {
  auto ordered = answers;
  std::erase_if(ordered, [](const Entry& entry) { return entry.duplicate != 0; });
  std::sort(ordered.begin(), ordered.end(), [](const Entry& a, const Entry& b) {
    return a.page != b.page ? a.page < b.page : a.page_ordinal < b.page_ordinal;
  });
  std::uint64_t latest_sent = 0;
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    if (i == 0 || ordered[i].page != ordered[i - 1].page) latest_sent = 0;
    if (ordered[i].answered_ns < latest_sent) {
      found(inversions_, "ordinal " + std::to_string(ordered[i].page_ordinal) + " of page " +
                             std::to_string(ordered[i].page) + " was answered before a lower " +
                             "one was sent");
    }
    latest_sent = std::max(latest_sent, ordered[i].sent_ns);
  }
}

void Check::check_counts() {
  std::vector<std::uint32_t> pages;
  for (std::uint32_t i = 0; i < page_ordinals_.size(); ++i) {
    if (!page_ordinals_[i].empty()) pages.push_back(i);
  }
  for (std::size_t at = 0; at < pages.size(); at += kCountsAtOnce) {
    const auto end = std::min(pages.size(), at + kCountsAtOnce);
    std::string target = "/api/v1/counts";
    for (std::size_t i = at; i < end; ++i) {
      target += (i == at ? "?url=" : "&url=") + percent_encoded(page_url(pages[i], options_.sites));
    }
    const auto answer = get(options_.port, target);
    const auto list = answer.body.find('[');
    const auto counts = list == std::string::npos
                            ? std::vector<std::string_view>{}
                            : json_objects(std::string_view(answer.body).substr(list));
    for (std::size_t i = at; i < end; ++i) {
      const auto page = pages[i];
      const auto count = i - at < counts.size() ? counts[i - at] : std::string_view{};
      if (json_number(count, "page") != page_ordinals_[page].size() ||
          json_number(count, "site") != site_ordinals_[page % options_.sites].size()) {
        found(aggregates_off_, "count of page " + std::to_string(page) + ": status " +
                                   std::to_string(answer.status) + ", " + std::string(count) +
                                   ", in the journal " +
                                   std::to_string(page_ordinals_[page].size()));
      }
    }
  }
  for (std::size_t i = 0; i < std::min(kSpotChecks, pages.size()); ++i) {
    const auto url = page_url(pages[i], options_.sites);
    const auto answer = get(options_.port, "/nandolytics/" + percent_encoded(url));
    if (json_number(answer.body, "siteHits") != page_ordinals_[pages[i]].size()) {
      found(aggregates_off_, "siteHits of " + url + ": " + answer.body);
    }
  }
}

void Check::print(std::FILE* to) const {
  std::string text;
  for (const char c : first_) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  std::fprintf(to, "{\"records\":%lu,\"kept\":%lu,\"acknowledged\":%lu,\"unknown_counted\":%lu",
               records_, kept_, acknowledged_, unknown_counted_);
  std::fprintf(to, ",\"lost\":%lu,\"changed\":%lu,\"answers_differ\":%lu,\"ids_twice\":%lu", lost_,
               changed_, answers_differ_, ids_twice_);
  std::fprintf(to, ",\"ordinals_twice\":%lu,\"holes\":%lu,\"out_of_order\":%lu", ordinals_twice_,
               holes_, out_of_order_);
  std::fprintf(to, ",\"refused_counted\":%lu,\"strangers\":%lu,\"inversions\":%lu",
               refused_counted_, strangers_, inversions_);
  std::fprintf(to, ",\"aggregates_off\":%lu,\"first\":\"%s\"}\n", aggregates_off_, text.c_str());
}

}  // namespace crash
