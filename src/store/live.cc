#include "store/live.h"

#include "base/clock.h"
#include "base/entropy.h"
#include "datadir/keys.h"
#include "feed/feed.h"
#include "ledger/ledger.h"

namespace nando {

namespace {

class OfflineLive final : public Live {
 public:
  OfflineLive(std::unique_ptr<DataDir> data, const Settings& settings)
      : data_(std::move(data)),
        settings_(settings),
        keys_(std::make_shared<const KeyRing>(data_->keys())) {}

  Result<> open() {
    auto registry = open_registry(data_->path());
    if (!registry) return registry.error();
    registry_ = std::move(*registry);
    auto sites = Sites::open(*registry_, tables_);
    if (!sites) return sites.error();
    sites_ = std::move(*sites);
    auto tokens = Tokens::open(*registry_, entropy_, clock_);
    if (!tokens) return tokens.error();
    tokens_ = std::move(*tokens);
    auto people = People::open(*registry_, entropy_, clock_);
    if (!people) return people.error();
    people_ = std::move(*people);
    return {};
  }

  Registry& registry() override { return *registry_; }
  Sites& sites() override { return *sites_; }
  Tokens& tokens() override { return *tokens_; }
  const People& people() override { return people_; }
  Directory& journal() override { return data_->journal(); }
  const std::string& data_path() override { return data_->path(); }

  Result<Position> end() override {
    if (auto opened = open_ledger(); !opened) return opened.error();
    return ledger_->position();
  }
  Result<> run(const std::function<void(Ledger&)>& work) override {
    if (auto opened = open_ledger(); !opened) return opened.error();
    work(*ledger_);
    return {};
  }
  Result<Ledger*> ledger() override {
    if (auto opened = open_ledger(); !opened) return opened.error();
    return ledger_.get();
  }
  Result<> keep_on() override {
    if (auto opened = open_ledger(); !opened) return opened.error();
    const auto kept = ledger_->keep();
    return kept ? Result<>() : kept.error();
  }
  Result<Feed*> feed() override {
    if (auto opened = open_ledger(); !opened) return opened.error();
    if (feed_ == nullptr) {
      feed_ = std::make_unique<Feed>(
          feed_parts(*data_, settings_, tables_, [this] { return ledger_->position(); }));
    }
    return feed_.get();
  }
  Result<> feed_on() override {
    auto feed = this->feed();
    if (!feed) return feed.error();
    const auto stepped = (*feed)->step();
    return stepped ? Result<>() : stepped.error();
  }
  Result<MacKeyId> rotate_key() override {
    auto ring = add_key(data_->root(), entropy_);
    if (!ring) return ring.error();
    keys_ = std::make_shared<const KeyRing>(std::move(*ring));
    return keys_->current();
  }
  std::shared_ptr<const KeyRing> keys() override { return keys_; }

 private:
  // As a start of the server would: recovers, and replays what the snapshot does not hold.
  Result<> open_ledger() {
    if (ledger_ != nullptr) return {};
    auto opened =
        Ledger::open(data_->root(), data_->journal(),
                     {.segment_bytes = settings_.journal_segment_bytes}, keys_, clock_, entropy_);
    if (!opened) return opened.error();
    ledger_ = std::move(*opened);
    return {};
  }

  std::unique_ptr<DataDir> data_;
  const Settings& settings_;
  SystemClock clock_;
  SystemEntropy entropy_;
  SiteTables tables_{SiteTable({})};
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Sites> sites_;
  std::unique_ptr<Tokens> tokens_;
  People people_;
  std::shared_ptr<const KeyRing> keys_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Feed> feed_;
};

}  // namespace

FeedParts feed_parts(DataDir& data, const Settings& settings, const SiteTables& sites,
                     std::function<Position()> durable_end) {
  return {.journal = data.journal(),
          .sites = sites,
          .node = kNode,
          .durable_end = std::move(durable_end),
          .path = settings.warehouse_path.empty() ? data.path() + "/warehouse.duckdb"
                                                  : settings.warehouse_path,
          .options = {.memory_bytes = settings.warehouse_memory_bytes}};
}

Result<std::unique_ptr<Live>> open_offline(std::unique_ptr<DataDir> data,
                                           const Settings& settings) {
  auto live = std::make_unique<OfflineLive>(std::move(data), settings);
  if (auto opened = live->open(); !opened) return opened.error();
  return std::unique_ptr<Live>(std::move(live));
}

}  // namespace nando
