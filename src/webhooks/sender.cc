#include "webhooks/sender.h"

#include <pthread.h>

#include <algorithm>
#include <stop_token>

#include "base/assert.h"
#include "telemetry/log.h"
#include "webhooks/signature.h"

namespace nando {

namespace {

constexpr std::chrono::seconds kSourcePause{5};  // After an error of the source.

// It goes into a header.
bool is_event_id(const std::string& text) {
  return !text.empty() && text.size() <= kEventIdBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == ':' || c == '-';
         });
}

}  // namespace

// One target, and the event that it is at.
struct Sender::Line {
  enum class Stage { looking, sending, under_way, marking };

  std::size_t at;  // In targets and statuses, and its slot.
  Stage stage = Stage::looking;
  std::optional<Event> event;  // Unless looking.
  unsigned failures = 0;       // Of this event.
  std::chrono::nanoseconds due{};
};

std::chrono::milliseconds RetryPace::wait_after(unsigned failures) const {
  ASSERT(failures > 0);
  auto wait = std::min(first, most);
  for (unsigned i = 1; i < failures && wait < most; ++i) wait = std::min(wait * 2, most);
  return wait;
}

Sender::Sender(SenderParts parts) : parts_(std::move(parts)), posts_(parts_.posts) {
  for (std::size_t at = 0; at < parts_.targets.size(); ++at) {
    lines_.push_back({.at = at, .due = parts_.clock.monotonic()});
    statuses_.push_back({.target = parts_.targets[at].name});
  }
}

Sender::~Sender() = default;

void Sender::wake() {
  look_now_ = true;
  posts_.wake();
}

void Sender::step(std::chrono::milliseconds patience) {
  const bool look_now = look_now_.exchange(false);
  for (auto& line : lines_) {
    if (look_now && line.stage == Line::Stage::looking) line.due = parts_.clock.monotonic();
    attend(line);
  }
  for (const auto& answer : posts_.wait(until_next(patience))) settle(answer);
}

void Sender::attend(Line& line) {
  if (line.stage == Line::Stage::under_way || line.due > parts_.clock.monotonic()) return;
  if (line.stage == Line::Stage::marking) mark(line);
  if (line.stage == Line::Stage::looking && !look(line)) return;
  if (line.stage == Line::Stage::sending) send(line);
}

// Whether there is an event to send.
bool Sender::look(Line& line) {
  auto found = parts_.source.next(parts_.targets[line.at].key);
  note(line, found ? "" : "gets no event: " + found.error().message);
  if (!found || !*found) {
    line.due = parts_.clock.monotonic() + (found ? parts_.look : kSourcePause);
    return false;
  }
  line.event = std::move(**found);
  ASSERT(is_event_id(line.event->id));
  ASSERT(line.event->body.size() <= kEventBodyBytesMax);
  line.failures = 0;
  line.stage = Line::Stage::sending;
  return true;
}

void Sender::send(Line& line) {
  line.stage = Line::Stage::under_way;
  const auto& event = *line.event;
  posts_.begin(line.at,
               {.url = parts_.targets[line.at].url,
                .headers = {"Content-Type: application/json", "Nandolytics-Event: " + event.id,
                            "Nandolytics-Signature: " +
                                signature_of(parts_.secret, parts_.clock.now(), event.body)},
                .body = event.body});
}

void Sender::settle(const PostAnswer& answer) {
  auto& line = lines_[answer.slot];
  const auto hundreds = answer.status / 100;
  if (hundreds == 2) {
    line.stage = Line::Stage::marking;
    mark(line);
    return;
  }
  line.stage = Line::Stage::sending;
  line.due = parts_.clock.monotonic() + parts_.pace.wait_after(++line.failures);
  auto problem = answer.problem;
  if (problem.empty()) problem = "answered " + std::to_string(answer.status);
  if (hundreds == 3) problem += ", and redirects are not followed";
  {
    const std::lock_guard guard(mutex_);
    ++statuses_[line.at].failed_attempts;
  }
  note(line, problem);
}

void Sender::mark(Line& line) {
  if (const auto done = parts_.source.sent(parts_.targets[line.at].key, *line.event); !done) {
    line.due = parts_.clock.monotonic() + kSourcePause;
    note(line, "took an event, and that could not be noted: " + done.error().message);
    return;
  }
  note(line, "");
  line.event.reset();
  line.stage = Line::Stage::looking;
  line.due = parts_.clock.monotonic();
  const std::lock_guard guard(mutex_);
  ++statuses_[line.at].delivered;
}

// What a target suffers from is said once, and that it is over too.
void Sender::note(const Line& line, const std::string& problem) {
  const std::lock_guard guard(mutex_);
  auto& status = statuses_[line.at];
  if (status.problem == problem) return;
  if (problem.empty()) {
    log_info("webhook {} takes events again", status.target);
  } else {
    log_warn("webhook {} {}", status.target, problem);
  }
  status.problem = problem;
}

std::chrono::milliseconds Sender::until_next(std::chrono::milliseconds patience) const {
  std::chrono::nanoseconds wait = patience;
  const auto now = parts_.clock.monotonic();
  for (const auto& line : lines_) {
    if (line.stage != Line::Stage::under_way) wait = std::min(wait, line.due - now);
  }
  return std::chrono::ceil<std::chrono::milliseconds>(std::max(wait, std::chrono::nanoseconds{0}));
}

std::vector<Sender::Status> Sender::status() const {
  std::vector<Status> statuses;
  {
    const std::lock_guard guard(mutex_);
    statuses = statuses_;
  }
  for (std::size_t at = 0; at < statuses.size(); ++at) {
    statuses[at].waiting = parts_.source.waiting(parts_.targets[at].key);
  }
  return statuses;
}

std::string Sender::problem() const {
  std::string all;
  const std::lock_guard guard(mutex_);
  for (const auto& status : statuses_) {
    if (status.problem.empty()) continue;
    all += (all.empty() ? "webhook " : "\nwebhook ") + status.target + " " + status.problem;
  }
  return all;
}

void Sender::describe(MetricsPage& page) const {
  for (const auto& status : status()) {
    const MetricsPage::Labels labels{{"target", status.target}};
    page.counter("nandolytics_webhook_delivered_total", "Events that a target has taken.",
                 static_cast<double>(status.delivered), labels);
    page.counter("nandolytics_webhook_failed_attempts_total",
                 "Attempts that were not answered with 2xx; each is made again.",
                 static_cast<double>(status.failed_attempts), labels);
    page.gauge("nandolytics_webhook_waiting", "Events that a target has not taken yet.",
               static_cast<double>(status.waiting), labels);
    page.gauge("nandolytics_webhook_failing", "1 while the last attempt failed; /readyz says why.",
               status.problem.empty() ? 0 : 1, labels);
  }
}

SenderThread::SenderThread(Sender& sender)
    : thread_([&sender](const std::stop_token& stop) {
        constexpr std::chrono::minutes kPatience{1};
        const std::stop_callback wake(stop, [&sender] { sender.wake(); });
        while (!stop.stop_requested()) sender.step(kPatience);
      }) {
  pthread_setname_np(thread_.native_handle(), "webhooks");
}

}  // namespace nando
