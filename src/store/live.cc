#include "store/live.h"

#include "base/clock.h"
#include "base/entropy.h"
#include "datadir/keys.h"
#include "feed/feed.h"
#include "ledger/ledger.h"
#include "store/administration.h"

namespace nando {

namespace {

class OfflineLive final : public Live {
 public:
  OfflineLive(std::unique_ptr<DataDir> data, const Settings& settings)
      : data_(std::move(data)),
        settings_(settings),
        keys_(std::make_shared<const KeyRing>(data_->keys())) {}

  Result<> open() {
    auto opened = Administration::open(data_->path(), tables_, SiteId{}, entropy_, clock_);
    if (!opened) return opened.error();
    admin_ = std::move(*opened);
    return {};
  }

  Registry& registry() override { return *admin_.registry; }
  Sites& sites() override { return *admin_.sites; }
  Tokens& tokens() override { return *admin_.tokens; }
  const People& people() override { return admin_.people; }
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
  Result<> revoke_key(MacKeyId key) override {
    auto ring = nando::revoke_key(data_->root(), key);
    if (!ring) return ring.error();
    keys_ = std::make_shared<const KeyRing>(std::move(*ring));
    return {};
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
  Administration admin_;
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
