// serve: the one place where the parts are put together and taken apart.
//
// Threads: the main thread waits for signals and ticks; one I/O loop a thread (http); the
// committer; the keeper, which does the journal's housekeeping and snapshots; the feed, which fills
// the warehouse; the control socket's callers.
#include <fmt/core.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "api/api.h"
#include "cli/command.h"
#include "counters/counters.h"
#include "datadir/control.h"
#include "datadir/keys.h"
#include "datadir/run_dir.h"
#include "feed/feed.h"
#include "handlers/routes.h"
#include "ingest/rate_limiter.h"
#include "promotions/desk.h"
#include "promotions/judge.h"
#include "promotions/win_events.h"
#include "sites/auto_sites.h"
#include "store/administration.h"
#include "store/chore.h"
#include "store/retention.h"
#include "store/scrub.h"
#include "telemetry/log.h"
#include "visitors/entrants.h"
#include "visitors/salts.h"
#include "webhooks/sender.h"

namespace nando {

namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 100ms;
constexpr auto kDrainPatience = 1500ms;  // For answers under way when the server is told to stop.
constexpr auto kStopLimit = 1900ms;      // Then the process ends, whatever a disk or a client does.
// Sealing takes a twentieth of what counting takes. Were it the last, full segments would fill the
// disk of a busy machine.
constexpr Chore::Pace kKeeperPace{
    .rank = Chore::Rank::behind, .when_done = 50ms, .after_error = 200ms};
// A segment of 64 MiB each ten seconds: a journal of 500 GB is read again within a day.
constexpr Chore::Pace kScrubPace{.when_done = 10s, .after_error = 60s};
// It looks whether a day has begun, or a site's setting has changed.
constexpr Chore::Pace kRetentionPace{.when_done = 1s, .after_error = 60s};
constexpr Chore::Pace kFeedPace{.when_done = 200ms, .after_error = 5s};
constexpr RateLimits kLogIns{.hits_per_second = 1, .burst = 20};  // Of one client.
constexpr std::string_view kAddressFile = "address";

// AutoSites behind the interface that ingest asks.
class SiteMakerOnFirstHit final : public SiteMaker {
 public:
  explicit SiteMakerOnFirstHit(Sites& sites) : auto_sites_(sites) {}
  SiteMade make_site(std::string_view host) override { return auto_sites_.make_site(host); }

 private:
  AutoSites auto_sites_;
};

RateLimits limits_of(const Settings& settings) {
  return {.hits_per_second = settings.rate_limit_hits_per_second,
          .burst = settings.rate_limit_burst};
}

// One I/O loop serves tens of thousands of hits a second; the committer, the keeper and the kernel
// want the rest.
unsigned loops_of(const Settings& settings) {
  if (settings.server_threads > 0) return settings.server_threads;
  return std::max(1U, std::thread::hardware_concurrency() / 2);
}

// "/stats" of "https://example.com/stats".
std::string base_path_of(const std::string& public_url) {
  const auto scheme = public_url.find("://");
  const auto slash = public_url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  return slash == std::string::npos ? std::string() : public_url.substr(slash);
}

class Store final : public Live {
 public:
  explicit Store(const LoadedSettings& loaded) : loaded_(loaded), settings_(loaded.settings) {}

  Result<> start();
  void run_until_told(Output& output);
  void stop();
  std::string address() const { return address_; }

  Registry& registry() override { return *admin_.registry; }
  Sites& sites() override { return *admin_.sites; }
  Tokens& tokens() override { return *admin_.tokens; }
  const People& people() override { return admin_.people; }
  Directory& journal() override { return data_->journal(); }
  const std::string& data_path() override { return data_->path(); }
  Result<Position> end() override { return ledger_->position(); }
  Result<> run(const std::function<void(Ledger&)>& work) override;
  Result<Ledger*> ledger() override { return ledger_.get(); }
  Result<> keep_on() override;
  Result<Feed*> feed() override { return feed_.get(); }
  Result<> feed_on() override;
  Result<MacKeyId> rotate_key() override;
  Result<> revoke_key(MacKeyId key) override;
  std::shared_ptr<const KeyRing> keys() override { return ledger_->keys(); }

 private:
  Result<> open_data();
  void remove_old_exports();
  Result<> open_run_directory();
  Result<> start_serving();
  void start_webhooks();
  Result<> write_address(std::uint16_t port);
  void reload();
  void describe(MetricsPage& page) const;
  std::string warnings() const;
  CopyState warehouse_state() const;

  const LoadedSettings& loaded_;
  Settings settings_;
  SystemClock clock_;
  SystemEntropy entropy_;
  std::string address_;
  SiteTables tables_{SiteTable({})};
  std::unique_ptr<DataDir> data_;
  Administration admin_;
  std::unique_ptr<SiteMakerOnFirstHit> site_maker_;
  std::unique_ptr<RateLimiter> rate_limiter_;
  std::unique_ptr<RateLimiter> log_in_limiter_;
  std::unique_ptr<Salts> salts_;
  std::unique_ptr<EntrantKey> entrant_key_;
  std::unique_ptr<Secrets> secrets_;
  std::unique_ptr<DrawJudge> judge_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Scrub> scrub_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<Health> health_;
  std::unique_ptr<PrizeDesk> prizes_;
  std::unique_ptr<WinEvents> wins_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<SenderThread> sending_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<Chore> keeper_;
  std::unique_ptr<Chore> feeder_;
  std::unique_ptr<Chore> scrubber_;
  std::unique_ptr<Chore> expirer_;
  std::unique_ptr<ControlServer> control_;
  std::mutex keys_mutex_;  // Commands come at the same time.
};

Result<> Store::start() {
  if (settings_.auto_sites && !settings_.listen.address.is_loopback() &&
      !settings_.auto_sites_force) {
    return Error{Code::invalid,
                 "--auto-sites lets anybody make sites, so it works on loopback only; listen on "
                 "127.0.0.1, or say "
                 "--auto-sites-force"};
  }
  if (auto opened = open_data(); !opened) return opened;
  if (auto opened = open_run_directory(); !opened) return opened;
  return start_serving();
}

Result<> Store::open_data() {
  auto data = DataDir::open(settings_.data, LockHolder::serve, IfMissing::create, entropy_);
  if (!data) return data.error();
  data_ = std::move(*data);
  auto ledger = Ledger::open(data_->root(), data_->journal(),
                             {.segment_bytes = settings_.journal_segment_bytes},
                             std::make_shared<const KeyRing>(data_->keys()), clock_, entropy_);
  if (!ledger) return ledger.error();
  ledger_ = std::move(*ledger);
  log_info("{}", ledger_->recovery());

  SiteId used;
  ledger_->counters().sites().each(
      [&](SiteId id, const SiteCounts::Entry&) { used = std::max(used, id); });
  auto opened = Administration::open(data_->path(), tables_, used, entropy_, clock_);
  if (!opened) return opened.error();
  admin_ = std::move(*opened);
  secrets_ = std::make_unique<Secrets>(*admin_.registry);
  judge_ = std::make_unique<DrawJudge>(*secrets_);
  ledger_->use_judge(*judge_);
  if (settings_.auto_sites) site_maker_ = std::make_unique<SiteMakerOnFirstHit>(*admin_.sites);
  return {};
}

void Store::start_webhooks() {
  if (settings_.webhook_urls.empty()) return;
  wins_ =
      std::make_unique<WinEvents>(*admin_.registry, [this](const auto& work) { return run(work); });
  sender_ = std::make_unique<Sender>(SenderParts{
      .source = *wins_,
      .clock = clock_,
      .targets = targets_of(settings_.webhook_urls),
      .secret = settings_.webhook_secret,
      .posts = {.reach = settings_.webhooks_allow_private ? Reach::anywhere : Reach::public_only},
  });
  sending_ = std::make_unique<SenderThread>(*sender_);
}

// What exports left behind that were under way when the process died.
void Store::remove_old_exports() {
  const auto folder = open_directory(feed_->folder().string(), IfMissing::fail);
  const auto names = folder ? (*folder)->list() : Result<std::vector<std::string>>(folder.error());
  if (!names) return;
  const auto exports =
      std::filesystem::path(feed_->path()).filename().string() + std::string(kExportSuffix);
  for (const auto& name : *names) {
    if (name.starts_with(exports)) static_cast<void>((*folder)->remove(name));
  }
}

Result<> Store::open_run_directory() {
  const auto& environment = loaded_.sources.environment;
  const auto xdg = environment.find("XDG_RUNTIME_DIR");
  const auto path =
      run_directory(settings_.run_dir, xdg == environment.end() ? "" : xdg->second, data_->path());
  if (!path) return path.error();
  auto directory = open_directory(*path, IfMissing::create);
  if (!directory) return directory.error();
  salts_ = std::make_unique<Salts>(std::move(*directory), entropy_, clock_.now());
  directory = open_directory(*path, IfMissing::fail);
  if (!directory) return directory.error();
  entrant_key_ = std::make_unique<EntrantKey>(std::move(*directory), entropy_, clock_);
  return {};
}

Result<> Store::start_serving() {
  rate_limiter_ = std::make_unique<RateLimiter>(limits_of(settings_), entropy_);
  log_in_limiter_ = std::make_unique<RateLimiter>(kLogIns, entropy_);
  committer_ = std::make_unique<Committer>(*ledger_, clock_);
  feed_ = std::make_unique<Feed>(
      feed_parts(*data_, settings_, tables_, [this] { return ledger_->position(); }));
  remove_old_exports();
  scrub_ = std::make_unique<Scrub>(data_->journal(), clock_);
  retention_ = std::make_unique<Retention>(*this, tables_, clock_);
  health_ = std::make_unique<Health>(*ledger_, *committer_, clock_);
  const auto seed = signing_seed(data_->root(), entropy_);
  if (!seed) return seed.error();
  prizes_ = std::make_unique<PrizeDesk>(PrizeDesk::Parts{.committer = *committer_,
                                                         .judge = *judge_,
                                                         .secrets = *secrets_,
                                                         .entropy = entropy_,
                                                         .clock = clock_,
                                                         .key = SigningKey(*seed)});
  api_ = std::make_unique<Api>(ApiParts{
      .routes = routes(),
      .sites = tables_,
      .tokens = *admin_.tokens,
      .sites_book = *admin_.sites,
      .people = admin_.people,
      .log_in_limiter = *log_in_limiter_,
      .rate_limiter = *rate_limiter_,
      .salts = *salts_,
      .entrant_key = *entrant_key_,
      .prizes = *prizes_,
      .clock = clock_,
      .ledger = *ledger_,
      .committer = *committer_,
      .health = *health_,
      .site_maker = site_maker_.get(),
      .trusted_proxies = settings_.trusted_proxies,
      .public_url = settings_.public_url,
      .base_path = base_path_of(settings_.public_url),
      .trial = settings_.shows_try_page() ? TrialPage::shown : TrialPage::hidden,
      .describe = [this](MetricsPage& page) { describe(page); },
      .warnings = [this] { return warnings(); },
      .warehouse = [this] { return warehouse_state(); },
      .scrub = [this]() -> ScrubState {
        const auto status = scrub_->status();
        return {status.segments, status.last_pass, status.damage};
      },
  });
  start_webhooks();
  // Commands wait for them.
  keeper_ = std::make_unique<Chore>("keeper", kKeeperPace, [this] { return ledger_->keep(); });
  feeder_ = std::make_unique<Chore>("feed", kFeedPace,
                                    [this] { return feed_->step_if_due(clock_.monotonic()); });
  scrubber_ = std::make_unique<Chore>("scrub", kScrubPace, [this] { return scrub_->step(); });
  expirer_ =
      std::make_unique<Chore>("retention", kRetentionPace, [this] { return retention_->step(); });
  // Before HTTP says that it is ready, so that commands find it too.
  auto control = ControlServer::start(data_->path(),
                                      [this](const std::vector<std::string>& args, Output& output) {
                                        return run_on(*this, args, output);
                                      });
  if (!control) return control.error();
  control_ = std::move(*control);
  auto server = http::Server::start(
      {.address = settings_.listen.host,
       .port = settings_.listen.port,
       .loops = loops_of(settings_)},
      [this](unsigned, http::Mailbox& mailbox) { return api_->make_loop(mailbox); });
  if (!server) return server.error();
  server_ = std::move(*server);
  return write_address(server_->port());
}

Result<> Store::write_address(std::uint16_t port) {
  const bool v6 = settings_.listen.address.family == IpAddress::Family::v6;
  address_ = fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), settings_.listen.host, port);
  return replace_file(data_->root(), kAddressFile, as_bytes(address_ + "\n"));
}

void Store::describe(MetricsPage& page) const {
  const auto counts = server_->counts();
  page.counter("nandolytics_http_requests_total", "Requests that were parsed.",
               static_cast<double>(counts.requests));
  page.counter("nandolytics_http_bad_requests_total", "Messages that broke HTTP or a limit.",
               static_cast<double>(counts.refused));
  page.counter("nandolytics_http_slow_clients_total", "Connections closed for being slow.",
               static_cast<double>(counts.timed_out));
  page.counter("nandolytics_http_connections_total", "Connections that were accepted.",
               static_cast<double>(counts.accepted));
  page.gauge("nandolytics_http_connections", "Connections that are open.",
             static_cast<double>(counts.open));
  feed_->describe(page);
  if (sender_ != nullptr) sender_->describe(page);
}

std::string Store::warnings() const {
  auto all = salts_->problem();
  if (const auto proxy = api_->forgotten_proxy()) all += (all.empty() ? "" : "\n") + *proxy;
  if (sender_ != nullptr && !sender_->problem().empty()) {
    all += (all.empty() ? "" : "\n") + sender_->problem();
  }
  return all;
}

CopyState Store::warehouse_state() const {
  const auto status = feed_->status();
  return {.sequence = status.loaded.value,
          .lag = ledger_->position().sequence.value - status.loaded.value,
          .filling = status.filling,
          .problem = status.problem};
}

Result<> Store::run(const std::function<void(Ledger&)>& work) {
  return committer_->run_and_wait(work);
}

void wait_a_tick() {
  std::mutex mutex;
  std::condition_variable wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, kTick);
}

Result<> Store::keep_on() {
  keeper_->wake();
  wait_a_tick();
  return {};
}

Result<> Store::feed_on() {
  feed_->hurry();
  feeder_->wake();
  wait_a_tick();
  return {};
}

Result<MacKeyId> Store::rotate_key() {
  const std::lock_guard lock(keys_mutex_);
  auto ring = add_key(data_->root(), entropy_);
  if (!ring) return ring.error();
  const auto current = ring->current();
  ledger_->use_keys(std::make_shared<const KeyRing>(std::move(*ring)));
  return current;
}

Result<> Store::revoke_key(MacKeyId key) {
  const std::lock_guard lock(keys_mutex_);
  auto ring = nando::revoke_key(data_->root(), key);
  if (!ring) return ring.error();
  ledger_->use_keys(std::make_shared<const KeyRing>(std::move(*ring)));
  return {};
}

void Store::reload() {
  const auto again = load_settings(loaded_.sources);
  for (const auto& problem : again.problems) log_error("settings not reloaded: {}", problem);
  if (!again.problems.empty()) return;
  rate_limiter_->set(limits_of(again.settings));
  log_open(again.settings.log_level);
  log_info(
      "settings reloaded; listen, data, run_dir, public_url, trusted_proxies and auto_sites need a "
      "restart");
}

void Store::run_until_told(Output& output) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  output.out(fmt::format("nandolytics: counting on http://{}{}\n", address_,
                         settings_.shows_try_page() ? "; try http://" + address_ + "/try" : ""));
  if (const auto token = admin_.people.sessions->set_up_token(); !token.empty()) {
    const auto url = settings_.public_url.empty() ? "http://" + address_ : settings_.public_url;
    output.out(fmt::format("nandolytics: set it up at {}/#set-up={}\n", url, token));
  }
  auto salts_due = clock_.monotonic() + 1min;
  for (;;) {
    const timespec tick{0, std::chrono::nanoseconds(kTick).count()};
    const int signal = sigtimedwait(&signals, nullptr, &tick);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGHUP) reload();
    health_->tick();
    if (clock_.monotonic() < salts_due) continue;
    salts_->tick(clock_.now());
    entrant_key_->tick();
    salts_due = clock_.monotonic() + 1min;
  }
}

void Store::stop() {
  log_info("stopping: answering what is under way");
  std::jthread limit([](std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    if (wake.wait_for(lock, stop, kStopLimit, [&] { return stop.stop_requested(); })) return;
    // A disk that does not answer. What was acknowledged is durable; the rest is unknown, and its
    // ids make asking again safe.
    log_warn("stopping without waiting longer for the disk");
    ::_exit(0);
  });
  server_->stop(kDrainPatience);
  api_->stop();
  control_->stop();
  sending_.reset();
  keeper_.reset();
  feeder_.reset();
  scrubber_.reset();
  expirer_.reset();
  committer_->stop();
  if (auto removed = data_->root().remove(kAddressFile); !removed)
    log_warn("{}", removed.error().message);
  log_info("stopped at record {}", ledger_->position().sequence.value);
}

// Every connection is a file; the limit that a shell hands down is for people.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A core file would hold what never reaches the disk otherwise: addresses and agents of the
// requests under way (docs/GUARANTEES.md, V1). The limit alone is not enough where the kernel pipes
// cores to a program.
void forbid_core_files() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

int serve_here(const LoadedSettings& loaded, Output& output) {
  log_open(loaded.settings.log_level);
  // Before any thread starts, so that signals come to this one only.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  raise_file_limit();
  forbid_core_files();
  for (const auto& note : loaded.notes) log_warn("{}", note);
  Store store(loaded);
  if (auto started = store.start(); !started) return refuse(output, started.error());
  store.run_until_told(output);
  store.stop();
  return kDone;
}

}  // namespace

Run serve(CLI::App& /*app*/) {
  return LocalRun{serve_here};
}

}  // namespace nando
