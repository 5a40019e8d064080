// Published: a value that one thread replaces and many read on every hit, without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace nando {

// Where the current value stands. Writers publish; readers each keep a Reader.
template <class Value>
class Published {
 public:
  explicit Published(Value first) : current_(std::make_shared<const Value>(std::move(first))) {}

  void publish(Value value) {
    const std::lock_guard lock(mutex_);
    current_ = std::make_shared<const Value>(std::move(value));
    version_.fetch_add(1, std::memory_order_release);
  }

  // A reader's own hold on the current value: get() costs one atomic load until it changes, and
  // what it returned stays valid until the next get(). One thread.
  class Reader {
   public:
    explicit Reader(const Published& from) : from_(&from) {}
    const Value& get() {
      if (from_->version_.load(std::memory_order_acquire) != version_) {
        const std::lock_guard lock(from_->mutex_);
        held_ = from_->current_;
        version_ = from_->version_.load(std::memory_order_relaxed);
      }
      return *held_;
    }
    // Rises with every publish(); what was derived from an older version is stale.
    std::uint64_t version() const { return version_; }

   private:
    const Published* from_;
    std::shared_ptr<const Value> held_;
    std::uint64_t version_ = 0;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Value> current_;
  std::atomic<std::uint64_t> version_{1};
};

}  // namespace nando
