#include "ledger/committer.h"

#include <gtest/gtest.h>

#include <future>

#include "ledger/health.h"
#include "ledger/test_ledger.h"

namespace nando {
namespace {

using namespace std::chrono_literals;

// A directory whose files wait at sync() while the gate is closed.
class GatedDirectory final : public Directory {
 public:
  explicit GatedDirectory(Directory& below) : below_(below) {}

  void close() { closed_ = true; }
  void open_gate() {
    closed_ = false;
    closed_.notify_all();
  }
  bool someone_waits() const { return waiting_; }

  Result<std::unique_ptr<File>> open(std::string_view name, OpenMode mode) override {
    auto file = below_.open(name, mode);
    if (!file) return file.error();
    return std::unique_ptr<File>(std::make_unique<GatedFile>(*this, std::move(*file)));
  }
  Result<> rename(std::string_view from, std::string_view to) override {
    return below_.rename(from, to);
  }
  Result<> remove(std::string_view name) override { return below_.remove(name); }
  Result<> sync() override { return below_.sync(); }
  Result<std::vector<std::string>> list() override { return below_.list(); }
  Result<std::uint64_t> free_bytes() override { return below_.free_bytes(); }
  std::string path() const override { return below_.path(); }

 private:
  class GatedFile final : public File {
   public:
    GatedFile(GatedDirectory& gate, std::unique_ptr<File> file)
        : gate_(gate), file_(std::move(file)) {}
    Result<> write_at(std::uint64_t offset, std::span<const Bytes> parts) override {
      return file_->write_at(offset, parts);
    }
    Result<> sync() override {
      if (gate_.closed_) gate_.waiting_ = true;
      gate_.closed_.wait(true);
      return file_->sync();
    }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
      return file_->read_at(offset, into);
    }
    Result<std::uint64_t> size() const override { return file_->size(); }
    Result<> allocate(std::uint64_t bytes) override { return file_->allocate(bytes); }
    Result<> truncate(std::uint64_t bytes) override { return file_->truncate(bytes); }

   private:
    GatedDirectory& gate_;
    std::unique_ptr<File> file_;
  };

  Directory& below_;
  std::atomic<bool> closed_{false};
  std::atomic<bool> waiting_{false};
};

// A batch whose outcomes the test waits for.
class Promised final : public HitBatch {
 public:
  explicit Promised(std::promise<std::vector<Outcome>>& done) : done_(done) {}
  void on_committed(std::unique_ptr<HitBatch> self) override {
    done_.set_value(std::move(self->outcomes));
  }

 private:
  std::promise<std::vector<Outcome>>& done_;
};

// Says when it is stood in for, and when it is back.
class TestDuties final : public Duties {
 public:
  void stand_in() override {
    ++stood_in;
    stood_in.notify_all();
    recalled.wait(false);
    recalled = false;
  }
  void recall() override {
    recalled = true;
    recalled.notify_all();
  }

  std::atomic<int> stood_in{0};
  std::atomic<bool> recalled{false};
};

class CommitterTest : public testing::Test {
 protected:
  CommitterTest() : gate(store.journal) {
    auto opened = Ledger::open(store.data, gate, store.options, store.ring, clock, store.entropy);
    EXPECT_TRUE(opened);
    store.ledger = std::move(*opened);
    committer = std::make_unique<Committer>(*store.ledger, clock);
  }

  std::unique_ptr<HitBatch> batch(std::promise<std::vector<Outcome>>& done, std::size_t hits = 1) {
    auto made = std::make_unique<Promised>(done);
    for (std::size_t i = 0; i < hits; ++i) made->hits.push_back(to_hit({.page = "a/"}));
    return made;
  }

  // Makes the committer watch, which one commit of its own does, and commits in place.
  void commit_in_place(HitBatch& hits, Duties& duties) {
    do {
      std::promise<std::vector<Outcome>> done;
      auto waker = batch(done, 0);
      ASSERT_EQ(committer->submit(waker), Committer::Taken::yes);
      done.get_future().get();
    } while (!committer->commit_in_place(hits, duties));
  }

  SystemClock clock;
  LedgerOnDisk store;
  GatedDirectory gate;
  std::unique_ptr<Committer> committer;
};

TEST_F(CommitterTest, NoReceiptAndNoCountBeforeTheSync) {
  gate.close();
  std::promise<std::vector<Outcome>> done;
  auto outcomes = done.get_future();
  auto hits = batch(done);
  ASSERT_EQ(committer->submit(hits), Committer::Taken::yes);
  while (!gate.someone_waits()) std::this_thread::yield();
  EXPECT_EQ(outcomes.wait_for(20ms), std::future_status::timeout);
  EXPECT_EQ(store.page_count("a/"), 0U);
  gate.open_gate();
  EXPECT_EQ(outcomes.get().front().page_ordinal, 1U);
  EXPECT_EQ(store.page_count("a/"), 1U);
}

TEST_F(CommitterTest, WhatGathersDuringASyncIsCommittedTogether) {
  gate.close();
  std::promise<std::vector<Outcome>> first;
  auto hits = batch(first);
  ASSERT_EQ(committer->submit(hits), Committer::Taken::yes);
  while (!gate.someone_waits()) std::this_thread::yield();
  std::array<std::promise<std::vector<Outcome>>, 5> rest;
  for (auto& done : rest) {
    auto more = batch(done);
    ASSERT_EQ(committer->submit(more), Committer::Taken::yes);
  }
  gate.open_gate();
  const auto sequence = first.get_future().get().front().receipt.head;
  std::set<std::array<std::byte, kReceiptHeadBytes>> heads;
  for (auto& done : rest) heads.insert(done.get_future().get().front().receipt.head);
  EXPECT_EQ(heads.size(), 1U) << "five hand-overs, one batch, one head";
  EXPECT_FALSE(heads.contains(sequence));
}

TEST_F(CommitterTest, FullQueueRefusesAndLeavesTheBatchWithItsCaller) {
  gate.close();
  std::promise<std::vector<Outcome>> first;
  auto hits = batch(first);
  ASSERT_EQ(committer->submit(hits), Committer::Taken::yes);
  while (!gate.someone_waits()) std::this_thread::yield();
  constexpr std::size_t kEach = 4096;
  std::vector<std::promise<std::vector<Outcome>>> promises(kWaitingHitsMax / kEach);
  for (auto& done : promises) {
    auto more = batch(done, kEach);
    ASSERT_EQ(committer->submit(more), Committer::Taken::yes);
  }
  std::promise<std::vector<Outcome>> one_more;
  auto refused = batch(one_more);
  EXPECT_EQ(committer->submit(refused), Committer::Taken::queue_full);
  EXPECT_NE(refused, nullptr);
  gate.open_gate();
  for (auto& done : promises) EXPECT_EQ(done.get_future().get().size(), kEach);
  EXPECT_EQ(store.page_count("a/"), 1 + kWaitingHitsMax);
}

TEST_F(CommitterTest, AStalledDiskMakesItRefuse) {
  gate.close();
  std::promise<std::vector<Outcome>> first;
  auto hits = batch(first);
  ASSERT_EQ(committer->submit(hits), Committer::Taken::yes);
  while (committer->busy_for() <= kStallLimit) std::this_thread::yield();
  std::promise<std::vector<Outcome>> second;
  auto refused = batch(second);
  EXPECT_EQ(committer->submit(refused), Committer::Taken::stalled);
  gate.open_gate();
  EXPECT_EQ(first.get_future().get().size(), 1U);
}

TEST_F(CommitterTest, StopCommitsWhatWaits) {
  std::vector<std::promise<std::vector<Outcome>>> promises(50);
  for (auto& done : promises) {
    auto hits = batch(done);
    ASSERT_EQ(committer->submit(hits), Committer::Taken::yes);
  }
  committer->stop();
  EXPECT_EQ(store.page_count("a/"), promises.size());
  std::promise<std::vector<Outcome>> late;
  auto refused = batch(late);
  EXPECT_EQ(committer->submit(refused), Committer::Taken::stopping);
}

TEST_F(CommitterTest, InPlaceTheOutcomesAreInTheBatchAtOnce) {
  TestDuties duties;
  std::promise<std::vector<Outcome>> never;
  auto hits = batch(never, 3);
  commit_in_place(*hits, duties);
  ASSERT_EQ(hits->outcomes.size(), 3U);
  EXPECT_EQ(hits->outcomes.back().page_ordinal, 3U);
  EXPECT_EQ(store.page_count("a/"), 3U);
}

TEST_F(CommitterTest, ACommitInPlaceThatTakesLongIsStoodInForAndIsTheLastForNow) {
  TestDuties duties;
  std::promise<std::vector<Outcome>> never, later;
  auto hits = batch(never);
  // The gate is closed between the waker's commit and this one.
  std::jthread loop;
  while (duties.stood_in == 0) {
    if (loop.joinable()) loop.join();
    gate.open_gate();
    std::promise<std::vector<Outcome>> done;
    auto waker = batch(done, 0);
    ASSERT_EQ(committer->submit(waker), Committer::Taken::yes);
    done.get_future().get();
    gate.close();
    std::promise<bool> over;
    auto is_over = over.get_future();
    loop = std::jthread([&, over = std::move(over)]() mutable {
      over.set_value(committer->commit_in_place(*hits, duties));
    });
    while (duties.stood_in == 0 && is_over.wait_for(1ms) == std::future_status::timeout) {
    }
  }
  auto more = batch(later);
  EXPECT_EQ(committer->submit(more), Committer::Taken::yes) << "it queues";
  EXPECT_EQ(store.page_count("a/"), 0U);
  gate.open_gate();
  loop.join();
  EXPECT_EQ(later.get_future().get().front().page_ordinal, 2U);
  EXPECT_FALSE(duties.recalled) << "stand_in() has returned";
}

TEST_F(CommitterTest, NoCommitInPlaceWhileAnotherGoesOnOrAfterASlowOne) {
  gate.close();
  TestDuties duties;
  std::promise<std::vector<Outcome>> done, never;
  auto hits = batch(done);
  ASSERT_EQ(committer->submit(hits), Committer::Taken::yes);
  while (!gate.someone_waits()) std::this_thread::yield();
  auto other = batch(never);
  EXPECT_FALSE(committer->commit_in_place(*other, duties));
  while (committer->busy_for() <= kWatchTick) std::this_thread::yield();
  gate.open_gate();
  done.get_future().get();
  while (committer->busy_for() > 0ms) std::this_thread::yield();
  EXPECT_FALSE(committer->commit_in_place(*other, duties)) << "the last one was slow";
  EXPECT_EQ(store.page_count("a/"), 1U);
}

TEST_F(CommitterTest, WhoeverCommitsEachHitCountsOnce) {
  constexpr int kThreads = 3, kBatches = 300;
  std::atomic<int> in_place{0};
  {
    std::vector<std::jthread> loops;
    for (int t = 0; t < kThreads; ++t) {
      loops.emplace_back([&] {
        TestDuties duties;
        for (int i = 0; i < kBatches; ++i) {
          std::promise<std::vector<Outcome>> done;
          auto hits = batch(done);
          if (committer->commit_in_place(*hits, duties)) {
            ++in_place;
            EXPECT_EQ(hits->outcomes.size(), 1U);
          } else {
            ASSERT_EQ(committer->submit(hits), Committer::Taken::yes);
            done.get_future().get();
          }
        }
      });
    }
  }
  EXPECT_EQ(store.page_count("a/"), kThreads * kBatches);
  EXPECT_GT(in_place, 0);
}

TEST_F(CommitterTest, ReadersBesideTheCommitterSeeCountsThatOnlyRise) {
  std::atomic<bool> stop{false};
  std::jthread reader([&] {
    std::uint64_t last = 0;
    while (!stop) {
      const auto now = store.page_count("a/");
      EXPECT_GE(now, last);
      last = now;
    }
  });
  for (int i = 0; i < 200; ++i) {
    std::promise<std::vector<Outcome>> done;
    auto hits = batch(done, 3);
    hits->hits.push_back(to_hit({.page = "new/" + std::to_string(i)}));
    hits->hits.back().page_url = "new";
    ASSERT_EQ(committer->submit(hits), Committer::Taken::yes);
    done.get_future().get();
  }
  stop = true;
}

TEST_F(CommitterTest, HealthRestsOnACommitOrOneSharedProbe) {
  Health health(*store.ledger, *committer, clock);
  const auto ask = [&] {
    std::promise<std::string> answer;
    health.ask([&](std::string why_not) { answer.set_value(std::move(why_not)); });
    return answer.get_future().get();
  };
  const auto before = store.ledger->position().sequence.value;
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(ask(), "");
  EXPECT_LE(store.ledger->position().sequence.value - before, 3U);
}

TEST_F(CommitterTest, HealthTurnsRedWhenTheDiskStalls) {
  Health health(*store.ledger, *committer, clock);
  gate.close();
  std::promise<std::vector<Outcome>> done;
  auto hits = batch(done);
  ASSERT_EQ(committer->submit(hits), Committer::Taken::yes);
  const auto began = clock.monotonic();
  std::atomic<bool> red{false};
  while (!red && clock.monotonic() - began < 5s) {
    health.ask([&](std::string why_not) { red = !why_not.empty(); });
    health.tick();
    std::this_thread::yield();
  }
  EXPECT_TRUE(red);
  EXPECT_LT(clock.monotonic() - began, 2500ms);
  gate.open_gate();
  done.get_future().get();
}

}  // namespace
}  // namespace nando
