#include "cli/live.h"

#include "base/clock.h"
#include "base/entropy.h"

namespace nando {

namespace {

class OfflineLive final : public Live {
 public:
  explicit OfflineLive(std::unique_ptr<DataDir> data) : data_(std::move(data)) {}

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
    return {};
  }

  Sites& sites() override { return *sites_; }
  Tokens& tokens() override { return *tokens_; }

 private:
  std::unique_ptr<DataDir> data_;
  SystemClock clock_;
  SystemEntropy entropy_;
  SiteTables tables_{SiteTable({})};
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Sites> sites_;
  std::unique_ptr<Tokens> tokens_;
};

}  // namespace

Result<std::unique_ptr<Live>> open_offline(std::unique_ptr<DataDir> data,
                                           const Settings& /*settings*/) {
  auto live = std::make_unique<OfflineLive>(std::move(data));
  if (auto opened = live->open(); !opened) return opened.error();
  return std::unique_ptr<Live>(std::move(live));
}

}  // namespace nando
