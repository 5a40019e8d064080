#include "client/load.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace crash {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kRetryAfter = 2'000'000;
constexpr std::size_t kWaitsMax = 4'000'000;

std::vector<Door> read_doors(const std::string& text) {
  std::vector<Door> doors;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    const auto name = text.substr(at, end - at);
    if (name == "record") {
      doors.push_back(Door::record);
    } else if (name == "hits") {
      doors.push_back(Door::hits);
    } else if (name == "array") {
      doors.push_back(Door::array);
    } else if (name == "pixel") {
      doors.push_back(Door::pixel);
    } else {
      throw std::runtime_error("no such door: " + name);
    }
    at = end + 1;
  }
  return doors;
}

// `start` and what it lacks: of four bytes, or of eight groups.
std::string address(const std::string& start, std::uint32_t visitor) {
  const auto low = std::to_string(visitor & 255);
  if (start.find(':') != std::string::npos) return start + ":" + low;
  if (std::count(start.begin(), start.end(), '.') == 3) return start + low;
  return start + std::to_string(visitor >> 16 & 255) + "." + std::to_string(visitor >> 8 & 255) +
         "." + low;
}

std::string id_member(const HitId& id) {
  return id[0] == '\0' ? "" : ",\"id\":\"" + whole_id(id) + "\"";
}

}  // namespace

LoadOptions read_load_options(Flags& flags) {
  LoadOptions options;
  options.count = flags.number("count");
  options.seconds = flags.real("seconds");
  options.rate = flags.real("rate");
  options.warm_up_ms = flags.number("warm-up-ms");
  options.seed = flags.number("seed", 1);
  options.sites = static_cast<std::uint32_t>(flags.number("sites", 1));
  options.pages = static_cast<std::uint32_t>(flags.number("pages", 1));
  options.zipf = flags.real("zipf");
  options.doors = read_doors(flags.text("doors", "record"));
  options.array_hits = flags.number("array-hits", 1000);
  options.ids = flags.text("ids", "fixed");
  options.token = flags.text("token");
  options.visitors = static_cast<std::uint32_t>(flags.number("visitors"));
  options.addresses = flags.text("addresses", options.addresses);
  options.agent = flags.text("agent", options.agent);
  options.log = flags.text("log");
  options.again = flags.text("again");
  options.retry = flags.number("retry") != 0;
  options.stop_refused = flags.number("stop-refused") != 0;
  options.in_order = flags.text("in-order");
  return options;
}

std::string page_url(std::uint32_t page, std::uint32_t sites) {
  return "https://s" + std::to_string(page % sites) + ".crash.example/p" + std::to_string(page);
}

Load::Load(const LoadOptions& options) : options_(options), log_(options.log) {
  if (options.zipf > 0) {
    double sum = 0;
    for (std::uint32_t i = 0; i < options.pages; ++i) {
      zipf_.push_back(sum += std::pow(i + 1.0, -options.zipf));
    }
  }
  if (options.again.empty()) return;
  std::map<HitId, Entry> open;
  for (const auto& entry : read_log(options.again)) {
    if (entry.id[0] == '\0') continue;
    entry.outcome == Outcome::unknown ? void(open.emplace(entry.id, entry))
                                      : void(open.erase(entry.id));
  }
  for (const auto& [id, entry] : open) {
    Again again;
    again.hit.id = id;
    again.hit.page = entry.page;
    again_.push_back(again);
  }
}

std::uint32_t Load::choose_page(std::uint64_t number) const {
  if (options_.in_order == "pages") return static_cast<std::uint32_t>(number);
  const auto chance = mix(options_.seed * 1'000'003 + number);
  if (zipf_.empty()) return static_cast<std::uint32_t>(chance % options_.pages);
  const double at = static_cast<double>(chance >> 11) * 0x1p-53 * zipf_.back();
  return static_cast<std::uint32_t>(std::lower_bound(zipf_.begin(), zipf_.end(), at) -
                                    zipf_.begin());
}

bool Load::next_hit(Entry& hit, std::uint64_t now) {
  hit = Entry{};
  if (!again_.empty() && again_.front().not_before <= now) {
    hit = again_.front().hit;
    again_.pop_front();
    return true;
  }
  if (options_.count != 0 && made_ >= options_.count) return false;
  if (options_.rate > 0 && next_due() > now) return false;
  if (options_.ids != "none") {
    hit.id = make_id(options_.seed, made_,
                     options_.ids == "varied"   ? IdForm::varied
                     : options_.ids == "chance" ? IdForm::chance
                                                : IdForm::fixed);
  }
  hit.page = choose_page(made_);
  ++made_;
  return true;
}

bool Load::ask(Question& question, std::uint64_t now) {
  if (started_ns_ == 0) started_ns_ = now;
  const auto door = options_.doors[asked_ % options_.doors.size()];
  const auto due = next_due();
  const std::size_t wanted = door == Door::array ? options_.array_hits : 1;
  Entry hit;
  while (question.hits.size() < wanted && next_hit(hit, now)) question.hits.push_back(hit);
  if (question.hits.empty()) return false;
  if (due != 0) question.due_ns = due;
  ++asked_;
  write_question(question, door);
  return true;
}

std::string Load::visitor(std::uint64_t number) const {
  const auto chosen = mix(options_.seed * 7919 + number) % options_.visitors;
  return address(options_.addresses, static_cast<std::uint32_t>(chosen));
}

std::string Load::array_body(const std::vector<Entry>& hits) const {
  std::string body = "[";
  for (std::size_t i = 0; i < hits.size(); ++i) {
    if (i > 0) body += ",";
    body += "{\"url\":\"" + page_url(hits[i].page, options_.sites) + "\"" + id_member(hits[i].id);
    if (options_.visitors > 0) {
      body += ",\"ip\":\"" + visitor(made_ + i) + "\",\"user_agent\":\"" + options_.agent + "\"";
    }
    body += "}";
  }
  return body + "]";
}

void Load::write_question(Question& question, Door door) {
  const auto& hit = question.hits[0];
  const auto url = page_url(hit.page, options_.sites);
  std::string start = "POST /api/v1/hits HTTP/1.1\r\n";
  std::string body;
  if (door == Door::record) {
    start = "POST /nandolytics/record HTTP/1.1\r\n";
    body = "{\"siteUrl\":\"" + url + "\"" + id_member(hit.id) + "}";
  } else if (door == Door::hits) {
    body = "{\"url\":\"" + url + "\"" + id_member(hit.id) + "}";
  } else if (door == Door::pixel) {
    question.hits[0].id = HitId{};  // The pixel takes none.
    start = "GET /hit.gif?url=" + percent_encoded(url) + " HTTP/1.1\r\n";
  } else {
    body = array_body(question.hits);
  }
  auto& bytes = question.bytes;
  bytes = start + "Host: 127.0.0.1\r\nUser-Agent: " + options_.agent + "\r\n";
  if (door == Door::array) {
    bytes += "Authorization: Bearer " + options_.token + "\r\n";
  } else if (options_.visitors > 0) {
    bytes += "X-Forwarded-For: " + visitor(made_) + "\r\n";
  }
  if (door != Door::pixel) {
    bytes +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  }
  bytes += "\r\n" + body;
}

void Load::answered(Question& question, const Message& answer, std::uint64_t now) {
  ++statuses_[answer.status];
  const bool counts = question.due_ns - started_ns_ >= options_.warm_up_ms * 1'000'000;
  if (counts && waits_us_.size() < kWaitsMax) {
    waits_us_.push_back(static_cast<std::uint32_t>((now - question.due_ns) / 1000));
  }
  auto objects = json_objects(answer.body);
  const bool whole = objects.size() == question.hits.size();
  for (std::size_t i = 0; i < question.hits.size(); ++i) {
    auto& hit = question.hits[i];
    hit.sent_ns = question.sent_ns;
    read_answer(answer, whole ? objects[i] : answer.body, hit);
    if (hit.outcome == Outcome::refused) {
      if (first_refused_ns_ == 0) first_refused_ns_ = now;
      if (header_value(answer.head, "retry-after").empty() && answer.status != 200) {
        ++refused_without_retry_after_;
      }
    }
    settle(hit, now);
  }
}

void Load::lost(Question& question, Lost how, std::uint64_t now) {
  for (auto& hit : question.hits) {
    hit.sent_ns = question.sent_ns;
    if (how == Lost::sent) {
      hit.outcome = Outcome::unknown;
      settle(hit, now);
    } else {
      again_.push_front({hit, now});
    }
  }
}

void Load::settle(Entry& hit, std::uint64_t now) {
  hit.answered_ns = now;
  last_ns_ = now;
  ++outcomes_[static_cast<std::size_t>(hit.outcome)];
  duplicates_ += hit.duplicate;
  log_.add(hit);
  const bool ask_again =
      options_.retry && hit.outcome != Outcome::acknowledged && hit.outcome != Outcome::failed;
  if (!ask_again) {
    ++settled_;
    return;
  }
  Again again;
  again.hit.id = hit.id;
  again.hit.page = hit.page;
  again.not_before = now + kRetryAfter;
  again_.push_back(again);
}

std::uint64_t Load::next_due() const {
  if (options_.rate <= 0 || started_ns_ == 0) return 0;
  return started_ns_ + static_cast<std::uint64_t>(static_cast<double>(made_) / options_.rate * 1e9);
}

bool Load::done(std::uint64_t now) const {
  if (options_.stop_refused && first_refused_ns_ != 0) return true;
  if (started_ns_ != 0 && options_.seconds > 0 &&
      static_cast<double>(now - started_ns_) > options_.seconds * static_cast<double>(kSecond)) {
    return true;
  }
  return options_.count != 0 && made_ >= options_.count && again_.empty() &&
         (!options_.retry || settled_ >= options_.count);
}

void Load::print(std::FILE* to) const {
  auto waits = waits_us_;
  std::sort(waits.begin(), waits.end());
  const auto quantile = [&](double q) {
    return waits.empty()
               ? 0
               : waits[static_cast<std::size_t>(q * static_cast<double>(waits.size() - 1))];
  };
  // Nothing may have been answered before the server died.
  const double seconds =
      last_ns_ < started_ns_ ? 0 : static_cast<double>(last_ns_ - started_ns_) / 1e9;
  constexpr std::array kNames = {"acknowledged", "dropped", "refused", "unknown", "failed"};
  std::uint64_t sent = 0;
  for (const auto n : outcomes_) sent += n;
  std::fprintf(to, "{\"made\":%lu,\"sent\":%lu,\"seconds\":%.3f", made_, sent, seconds);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::fprintf(to, ",\"%s\":%lu", kNames[i], outcomes_[i]);
  }
  std::fprintf(to, ",\"duplicates\":%lu,\"refused_without_retry_after\":%lu", duplicates_,
               refused_without_retry_after_);
  std::fprintf(
      to, ",\"first_refused_ms\":%.1f",
      first_refused_ns_ == 0 ? -1.0 : static_cast<double>(first_refused_ns_ - started_ns_) / 1e6);
  std::fprintf(to, ",\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"max_us\":%u,\"statuses\":{",
               quantile(0.5), quantile(0.99), quantile(0.999), quantile(1));
  const char* comma = "";
  for (const auto& [status, n] : statuses_) {
    std::fprintf(to, "%s\"%d\":%lu", comma, status, n);
    comma = ",";
  }
  std::fprintf(to, "}}\n");
}

}  // namespace crash
