#include "api/api.h"

#include <algorithm>

#include "api/loop.h"

namespace nando {

std::unique_ptr<http::Handler> Api::make_loop(http::Mailbox& mailbox) {
  return std::make_unique<Loop>(*this, mailbox);
}

void Api::enter(Loop* loop) {
  const std::lock_guard lock(mutex_);
  loops_.push_back(loop);
}

void Api::leave(Loop* loop) {
  const std::lock_guard lock(mutex_);
  std::erase(loops_, loop);
}

void Api::describe(MetricsPage& page) const {
  parts_.ledger.describe(page);
  parts_.committer.describe(page);
  if (parts_.describe) parts_.describe(page);
  page.counter("nandolytics_untrusted_proxy_hits_total",
               "Hits through a proxy of ours that trusted_proxies does not name.",
               static_cast<double>(proxy_watch_.hits()));
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < loops_.size(); ++i) loops_[i]->describe(page, std::to_string(i));
}

}  // namespace nando
