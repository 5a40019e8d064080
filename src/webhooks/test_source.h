// A source of events, for tests: a list, and for each target how far it has got. It can refuse.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

#include "webhooks/event.h"

namespace nando {

class TestSource final : public EventSource {
 public:
  explicit TestSource(std::size_t events = 0) {
    for (std::size_t i = 0; i < events; ++i) add();
  }
  void add() {
    const std::lock_guard guard(mutex_);
    const auto id = "event-" + std::to_string(events_.size() + 1);
    events_.push_back({.id = id, .body = "{\"id\":\"" + id + "\"}"});
  }
  void add(Event event) {
    const std::lock_guard guard(mutex_);
    events_.push_back(std::move(event));
  }
  // The next so many calls of next() and of sent() fail.
  void refuse(unsigned nexts, unsigned sents) {
    const std::lock_guard guard(mutex_);
    refused_nexts_ = nexts;
    refused_sents_ = sents;
  }

  Result<std::optional<Event>> next(const std::string& target) override {
    const std::lock_guard guard(mutex_);
    if (refused_nexts_ > 0 && refused_nexts_-- > 0) return Error{Code::io, "the source is ill"};
    const auto at = marks_[target];
    changed_.notify_all();
    if (at == events_.size()) return std::optional<Event>();
    return std::optional(events_[at]);
  }
  Result<> sent(const std::string& target, const Event& event) override {
    const std::lock_guard guard(mutex_);
    if (refused_sents_ > 0 && refused_sents_-- > 0) return Error{Code::full, "no room for marks"};
    EXPECT_EQ(event.id, events_[marks_[target]].id);
    ++marks_[target];
    changed_.notify_all();
    return {};
  }
  std::uint64_t waiting(const std::string& target) const override {
    const std::lock_guard guard(mutex_);
    const auto found = marks_.find(target);
    return events_.size() - (found == marks_.end() ? 0 : found->second);
  }

  // Until every target that was heard of has taken all; not longer than ten seconds.
  bool wait_until_taken(std::size_t targets = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      if (marks_.size() < targets) return false;
      for (const auto& [target, at] : marks_) {
        if (at != events_.size()) return false;
      }
      return true;
    });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_;
  std::map<std::string, std::size_t> marks_;
  unsigned refused_nexts_ = 0;
  unsigned refused_sents_ = 0;
};

}  // namespace nando
