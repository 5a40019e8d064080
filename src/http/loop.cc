#include "http/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <span>

#include "base/assert.h"
#include "base/clock.h"
#include "telemetry/log.h"

namespace nando::http {
namespace {

constexpr std::size_t kInputBytes = 64 * 1024;  // Room for any head, and most bodies, at once.
static_assert(kInputBytes >= 2 * kHeaderBytesMax);
constexpr std::size_t kParsersKeptMax = 64;
constexpr int kAcceptsMax = 64;  // In one go.
constexpr std::size_t kEventsMax = 512;
constexpr int kRoundsMax = 16;  // A turn.
// What is ready one at a time is better left to the next turn: each look costs a microsecond.
constexpr std::size_t kWorthAnotherRound = 3;
constexpr std::chrono::milliseconds kTick{1000};

// epoll_pwait2 came with Linux 5.11, and some sandboxes forbid it; then limits are rounded up to
// milliseconds.
int wait_for_events(int epoll, std::span<epoll_event> events, const timespec& limit) {
  static std::atomic<bool> has_pwait2 = true;
  const auto most = static_cast<int>(events.size());
  if (has_pwait2.load(std::memory_order_relaxed)) {
    const int n = epoll_pwait2(epoll, events.data(), most, &limit, nullptr);
    if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return n;
    has_pwait2 = false;
  }
  const auto milliseconds = limit.tv_sec * 1000 + (limit.tv_nsec + 999'999) / 1'000'000;
  return epoll_wait(epoll, events.data(), most, static_cast<int>(milliseconds));
}

}  // namespace

Loop::Loop(const ServerOptions& options, Descriptor listener)
    : options_(options),
      listener_(std::move(listener)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      input_(kInputBytes) {
  ASSERT(epoll_ && wake_);
  ASSERT(watch(listener_.get(), EPOLLIN, &listener_));
  // Edge-triggered, so that it need never be read.
  ASSERT(watch(wake_.get(), EPOLLIN | EPOLLET, &wake_));
}

Loop::~Loop() = default;

bool Loop::watch(int fd, std::uint32_t events, void* tag) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = tag;
  return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Loop::count(Counter& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

ServerCounts Loop::counts() const {
  const auto read = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
  return {.accepted = read(accepted_),
          .open = read(open_count_),
          .requests = read(requests_),
          .refused = read(refused_),
          .timed_out = read(timed_out_)};
}

void Loop::post(std::function<void()> work) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    mailbox_.push_back(std::move(work));
    wake = std::exchange(sleeping_, false);
  }
  if (wake) eventfd_write(wake_.get(), 1);
}

void Loop::stand_in() {
  while (!take_recall() && !is_done()) turn();
}

void Loop::recall() {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    recalled_ = true;
    wake = std::exchange(sleeping_, false);
  }
  if (wake) eventfd_write(wake_.get(), 1);
}

bool Loop::take_recall() {
  const std::lock_guard lock(mutex_);
  return std::exchange(recalled_, false);
}

void Loop::stop(std::chrono::milliseconds patience) {
  {
    const std::lock_guard lock(mutex_);
    stop_asked_ = true;
    patience_ = patience;
    sleeping_ = false;
  }
  eventfd_write(wake_.get(), 1);
}

void Loop::run(const MakeHandler& make_handler, unsigned index,
               const std::function<void()>& started) {
  handler_ = make_handler(index, *this);
  ASSERT(handler_ != nullptr);
  now_ = SystemClock().monotonic();
  next_tick_ = now_ + kTick;
  started();
  while (!is_done()) turn();
  end();
}

// Everything that is ready, then the end of the turn. While much was, what became ready meanwhile
// is looked for once more: a fuller turn is a fuller batch. Rounds are bounded, so that no client
// can keep a turn from ending.
void Loop::turn() {
  turn_requests_ = 0;
  const bool may_sleep = ready_.empty() && mailbox_is_empty_and_may_sleep();
  auto found = round(may_sleep ? Wait::until_tick : Wait::none);
  for (int i = 1;
       i < kRoundsMax && found >= kWorthAnotherRound && turn_requests_ < kTurnRequestsMax; ++i) {
    found = round(Wait::none);
  }
  handler_->on_turn_end();
  reap();
  if (now_ >= next_tick_) tick();
  if (!stopping_ && stop_is_asked()) begin_stop();
}

// Returns how many things there were to do.
std::size_t Loop::round(Wait how) {
  const auto events = wait(how);
  const auto posts = run_mailbox();
  return events + posts + run_ready();
}

// Until the next tick, or as long as the handler has patience.
timespec Loop::sleep_limit() const {
  const auto until_tick = std::max(next_tick_ - now_, Instant::zero());
  const std::chrono::nanoseconds limit =
      std::min<std::chrono::nanoseconds>(until_tick, handler_->patience());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(limit);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((limit - seconds).count())};
}

std::size_t Loop::wait(Wait how) {
  const auto timeout = how == Wait::until_tick ? sleep_limit() : timespec{};
  std::array<epoll_event, kEventsMax> events;
  const int n = wait_for_events(epoll_.get(), events, timeout);
  ASSERT(n >= 0 || errno == EINTR);
  now_ = SystemClock().monotonic();
  set_date();
  for (int i = 0; i < n; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.ptr == &listener_) {
      accept_some();
    } else if (event.data.ptr != &wake_) {
      static_cast<Connection*>(event.data.ptr)->on_events(event.events);
    }
  }
  return static_cast<std::size_t>(std::max(n, 0));
}

void Loop::accept_some() {
  for (int i = 0; i < kAcceptsMax; ++i) {
    Endpoint from;
    constexpr int kFlags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    Descriptor socket(accept4(listener_.get(), from.get(), &from.size, kFlags));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return pause_accepting();
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EBADF) return;
      continue;  // That one client has gone already.
    }
    count(accepted_);
    if (open_ >= options_.connections_max) continue;
    const int fd = socket.get();
    auto connection = std::make_unique<Connection>(*this, std::move(socket), address_of(from),
                                                   connections_.size());
    if (!watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, connection.get())) continue;
    connections_.push_back(std::move(connection));
    open_count_.store(++open_, std::memory_order_relaxed);
  }
}

// Out of descriptors: whoever knocks waits in the backlog until a connection closes or a second has
// passed; to ask again at once would be to spin.
void Loop::pause_accepting() {
  accepting_ = false;
  epoll_event event{};
  event.data.ptr = &listener_;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), &event);
  log_warn("http: out of file descriptors with {} connections open; accepting later", open_);
}

void Loop::resume_accepting() {
  if (accepting_ || stopping_) return;
  accepting_ = true;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &listener_;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_.get(), &event);
}

bool Loop::mailbox_is_empty_and_may_sleep() {
  const std::lock_guard lock(mutex_);
  sleeping_ = mailbox_.empty() && !recalled_ && (!stop_asked_ || stopping_);
  return sleeping_;
}

std::size_t Loop::run_mailbox() {
  {
    const std::lock_guard lock(mutex_);
    sleeping_ = false;
    work_.swap(mailbox_);
  }
  for (auto& work : work_) work();
  const auto n = work_.size();
  work_.clear();
  return n;
}

std::size_t Loop::run_ready() {
  running_.swap(ready_);
  for (auto* connection : running_) connection->advance();
  const auto n = running_.size();
  running_.clear();
  return n;
}

void Loop::tick() {
  next_tick_ = now_ + kTick;
  for (std::size_t i = 0; i < connections_.size(); ++i) connections_[i]->check_time();
  reap();
  resume_accepting();
}

bool Loop::stop_is_asked() {
  const std::lock_guard lock(mutex_);
  return stop_asked_;
}

void Loop::begin_stop() {
  stopping_ = true;
  {
    const std::lock_guard lock(mutex_);
    deadline_ = now_ + patience_;
  }
  next_tick_ = std::min(next_tick_, deadline_);
  listener_.close();
  for (std::size_t i = 0; i < connections_.size(); ++i) connections_[i]->stop();
  reap();
}

bool Loop::is_done() const {
  return stopping_ && (open_ == 0 || now_ >= deadline_);
}

// Connections die only here, when neither an event of this turn nor ready_ can still name them.
void Loop::reap() {
  std::erase_if(dead_, [this](Connection* connection) {
    if (connection->is_queued()) return false;
    const auto index = connection->index();
    connections_.back()->index() = index;
    std::swap(connections_[index], connections_.back());
    connections_.pop_back();
    return true;
  });
}

void Loop::end() {
  ending_ = true;
  for (auto& connection : connections_) connection->close();
  std::vector<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    dropped.swap(mailbox_);
  }
  dropped.clear();
  handler_.reset();
  reap();
}

std::unique_ptr<RequestParser> Loop::take_parser() {
  if (parsers_.empty()) return std::make_unique<RequestParser>();
  auto parser = std::move(parsers_.back());
  parsers_.pop_back();
  return parser;
}

void Loop::give_back(std::unique_ptr<RequestParser> parser) {
  parser->reset();
  if (parsers_.size() < kParsersKeptMax) parsers_.push_back(std::move(parser));
}

void Loop::closed_one() {
  open_count_.store(--open_, std::memory_order_relaxed);
  resume_accepting();
}

void Loop::set_date() {
  const auto second = std::chrono::system_clock::to_time_t(SystemClock().now());
  if (second == date_second_) return;
  date_second_ = second;
  std::tm parts{};
  gmtime_r(&second, &parts);
  std::array<char, 64> text;
  const auto size =
      std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
  date_line_.assign(text.data(), size);
}

}  // namespace nando::http
