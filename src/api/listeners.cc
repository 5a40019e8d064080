#include "api/listeners.h"

#include <algorithm>

#include "wire/json.h"

namespace nando {

namespace {

// Pages are looked through so often for those that are due.
constexpr std::chrono::milliseconds kLookEvery{25};
constexpr std::string_view kHeartbeat = ":\n\n";  // A comment.

bool same(const Ledger::Counts& a, const Ledger::Counts& b) {
  return a.page == b.page && a.page_shown == b.page_shown && a.site_shown == b.site_shown;
}

}  // namespace

void Listeners::append_event(const Ledger::Counts& counts, std::string& text) {
  text += "id: ";
  append_json_number(text, counts.page);
  text += "\ndata: {\"page\":";
  append_json_number(text, counts.page_shown);
  text += ",\"site\":";
  append_json_number(text, counts.site_shown);
  text += "}\n\n";
}

void Listeners::listen(const WatchedPage& page, const Ledger::Counts& told, http::Stream stream) {
  const auto now = clock_.monotonic();
  const auto [found, is_new] = pages_.try_emplace(page.key);
  auto& watched = found->second;
  if (is_new) {
    watched.page = page;
    watched.told = told;
    watched.due = now;
    watched.last_sent = now;
    next_look_ = std::min(next_look_, now);
  }
  watched.listeners.push_back({std::move(stream), !same(told, watched.told)});
  count_.fetch_add(1, std::memory_order_relaxed);
}

Listeners::Instant Listeners::interval() const {
  const auto wanted = kToldEveryForEach * static_cast<std::int64_t>(count_);
  return std::clamp<Instant>(wanted, kToldEveryMin, kToldEveryMax);
}

void Listeners::end_turn() {
  if (pages_.empty()) return;
  const auto now = clock_.monotonic();
  if (now < next_look_) return;
  next_look_ = now + kLookEvery;
  for (auto page = pages_.begin(); page != pages_.end();) {
    if (page->second.due <= now) tell(page->second, now);
    page = page->second.listeners.empty() ? pages_.erase(page) : std::next(page);
  }
}

void Listeners::tell(Page& page, Instant now) {
  page.due = now + interval();
  const auto counts = ledger_.counts(page.page.site, page.page.key);
  const bool changed = !same(counts, page.told);
  page.told = counts;
  const bool still_there = !changed && now - page.last_sent >= kStillThere;
  text_.clear();
  append_event(counts, text_);
  std::uint64_t events = 0;
  std::uint64_t missed = 0;
  for (auto& listener : page.listeners) {
    if (changed || listener.behind) {
      listener.behind = !listener.stream.send(text_);
      ++(listener.behind ? missed : events);
    } else if (still_there) {
      listener.stream.send(kHeartbeat);
    }
  }
  if (changed || still_there) page.last_sent = now;
  const auto gone =
      std::erase_if(page.listeners, [](const Listener& one) { return !one.stream.is_open(); });
  count_.fetch_sub(gone, std::memory_order_relaxed);
  events_.fetch_add(events, std::memory_order_relaxed);
  missed_.fetch_add(missed, std::memory_order_relaxed);
}

std::chrono::nanoseconds Listeners::patience() const {
  if (pages_.empty()) return std::chrono::nanoseconds::max();
  return std::max<Instant>(next_look_ - clock_.monotonic(), Instant::zero());
}

void Listeners::describe(MetricsPage& page, const std::string& label) const {
  page.gauge("nandolytics_live_listeners", "Who watches numbers change.",
             static_cast<double>(count_.load(std::memory_order_relaxed)), {{"loop", label}});
  page.counter("nandolytics_live_events_total", "Events that were sent to them.",
               static_cast<double>(events_.load(std::memory_order_relaxed)), {{"loop", label}});
  page.counter("nandolytics_live_missed_total",
               "Events that a slow listener was not sent; it gets a later one.",
               static_cast<double>(missed_.load(std::memory_order_relaxed)), {{"loop", label}});
}

}  // namespace nando
