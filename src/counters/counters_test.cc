#include "counters/counters.h"

#include <gtest/gtest.h>

#include <thread>
#include <unordered_map>

#include "base/entropy.h"
#include "records/test_batch.h"

namespace nando {
namespace {

using namespace std::chrono_literals;

TEST(ShardedIndex, FindsWhatAMapFindsThroughInsertsAndErases) {
  SeededEntropy chance(1);
  ShardedIndex index;
  std::unordered_map<std::uint32_t, std::uint64_t>
      hashes;  // Slot -> hash; few hashes, so that runs are long.
  const auto hash_of = [&](std::uint32_t slot) { return hashes.at(slot); };
  for (std::uint32_t step = 0; step < 50'000; ++step) {
    if (hashes.empty() || chance.below(5) < 3) {
      const auto hash = chance.below(4) << 56 | chance.below(3) << 51 | chance.below(200);
      hashes.emplace(step, hash);
      index.insert(hash, step, hash_of);
    } else {
      const auto slot = hashes.begin()->first;
      index.erase(hashes.at(slot), slot, hash_of);
      hashes.erase(slot);
    }
    if (step % 1000 != 0) continue;
    for (const auto& entry : hashes) {
      ASSERT_EQ(index.find(entry.second, [&](auto s) { return s == entry.first; }), entry.first);
    }
  }
}

TEST(ShardedIndex, ReservedOrNotFindsTheSame) {
  for (const std::size_t reserved : {std::size_t{0}, std::size_t{10}, std::size_t{20'000}}) {
    ShardedIndex index;
    index.reserve(reserved);
    SeededEntropy chance(7);
    std::vector<std::uint64_t> hashes;
    for (std::uint32_t slot = 0; slot < 20'000; ++slot) {
      hashes.push_back(chance.next());
      index.insert(hashes.back(), slot, [&](std::uint32_t s) { return hashes[s]; });
    }
    for (std::uint32_t slot = 0; slot < hashes.size(); ++slot) {
      ASSERT_EQ(index.find(hashes[slot], [&](auto s) { return s == slot; }), slot);
    }
  }
}

TEST(ShardedIndex, TheLastSlotThatItTakes) {
  ShardedIndex index;
  constexpr auto kLast = ShardedIndex::kSlotsMax - 1;
  const auto hash = ~std::uint64_t{0};
  index.insert(hash, kLast, [&](std::uint32_t) { return hash; });
  EXPECT_EQ(index.find(hash, [](auto slot) { return slot == kLast; }), kLast);
  EXPECT_DEATH(index.insert(hash, kLast + 1, [&](std::uint32_t) { return hash; }), "kSlotsMax");
}

TEST(PageTable, LoadedOrAddedTheSameIsFound) {
  SeededEntropy chance(3);
  PageTable added, loaded;
  std::vector<PageTable::Row> rows;
  for (std::uint64_t n = 1; n <= 100'000; ++n) {
    PageTable::Row row{.count = n, .site = SiteId{1 + static_cast<std::uint32_t>(n % 5)}};
    chance.fill(row.key);
    row.nameless = n % 7 == 0;
    rows.push_back(row);
    const auto page = added.add(row.key, row.site);
    added.set_count(page, row.count);
    if (row.nameless) added.drop_name(page);
  }
  const auto all = std::span(rows);
  loaded.reserve(50'000);
  loaded.add_all(all.first(1));
  loaded.add_all(all.subspan(1, 69'999));
  loaded.add_all(all.subspan(70'000));
  ASSERT_EQ(loaded.size(), added.size());
  for (const auto& row : rows) {
    const auto page = loaded.find(row.key);
    ASSERT_EQ(page, added.find(row.key));
    ASSERT_EQ(loaded.count(*page), added.count(*page));
    ASSERT_EQ(loaded.site(*page), added.site(*page));
    ASSERT_EQ(loaded.is_nameless(*page), added.is_nameless(*page));
  }
}

TEST(PageTable, TakesBackTheLastPage) {
  PageTable pages;
  const PageKey a{std::byte{1}};
  const PageKey b{std::byte{2}};
  pages.add(a, SiteId{1});
  pages.add(b, SiteId{1});
  pages.remove_last();
  EXPECT_EQ(pages.size(), 1U);
  EXPECT_EQ(pages.find(a), PageId{1});
  EXPECT_EQ(pages.find(b), std::nullopt);
  EXPECT_EQ(pages.add(b, SiteId{1}), PageId{2});
}

TEST(PageTable, ReadersFindPagesWhileTheWriterAddsThem) {
  PageTable pages;
  const auto key = [](std::uint64_t n) {
    return siphash128({}, Bytes(reinterpret_cast<std::byte*>(&n), sizeof n));
  };
  constexpr std::uint64_t kPages = 50'000;
  std::jthread reader([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      const auto size = pages.size();
      if (size == 0) continue;
      const auto found = pages.find(key(size));
      ASSERT_TRUE(found);
      EXPECT_EQ(found->value, size);
    }
  });
  for (std::uint64_t n = 1; n <= kPages; ++n) pages.set_count(pages.add(key(n), SiteId{1}), n);
}

TEST(RetryWindow, KeepsAnIdForADayAndDropsItAfter) {
  RetryWindow window;
  const UnixTime start{1h};
  window.add(5, Sequence{10}, start);
  window.expire(start + kRetryHours + kMarkEvery);
  EXPECT_EQ(window.size(), 1U);
  window.expire(start + kRetryHours + kMarkEvery + 1ms);
  EXPECT_EQ(window.size(), 0U);
  EXPECT_EQ(window.find(5, [](Sequence) { return true; }), std::nullopt);
}

TEST(RetryWindow, TwoIdsWithOneFingerprintAreBothThere) {
  RetryWindow window;
  window.add(5, Sequence{10}, UnixTime{});
  window.add(5, Sequence{11}, UnixTime{});
  EXPECT_EQ(window.find(5, [](Sequence s) { return s.value == 10; }), Sequence{10});
  EXPECT_EQ(window.find(5, [](Sequence s) { return s.value == 11; }), Sequence{11});
  window.remove_last();
  EXPECT_EQ(window.find(5, [](Sequence s) { return s.value == 11; }), std::nullopt);
}

TEST(RetryWindow, GoesRoundAndRoundWithoutForgettingOrGrowing) {
  RetryWindow window(50'000);
  UnixTime now{};
  SeededEntropy chance(3);
  std::deque<std::pair<std::uint64_t, std::uint64_t>> expected;  // Fingerprint, sequence.
  for (std::uint64_t sequence = 1; sequence <= 400'000; ++sequence) {
    now += 2s;
    window.expire(now);
    const auto fingerprint = chance.next();
    window.add(fingerprint, Sequence{sequence}, now);
    expected.emplace_back(fingerprint, sequence);
    while (expected.size() > window.size()) expected.pop_front();
  }
  EXPECT_EQ(window.size(), 24U * 3600 / 2 + 1);
  for (const auto& [fingerprint, sequence] : expected) {
    EXPECT_EQ(window.find(fingerprint, [](Sequence) { return true; }), Sequence{sequence});
  }
}

TEST(Visits, AreForgottenTwoGapsAfterTheLastHitAtTheLatest) {
  Visits visits;
  UnixTime now{24h};
  for (std::uint64_t visitor = 1; visitor <= 1000; ++visitor) {
    visits.touch(VisitorId{visitor}, VisitId{visitor}, now);
    visits.advance(now);
  }
  for (int i = 0; i < 2; ++i) {
    now += kVisitGap + 1ms;
    visits.advance(now);
  }
  EXPECT_EQ(visits.size(), 0U);
}

// One site, one page and `hits` page views as a journal would hold them; `tamper` may change a
// record.
template <class Tamper>
Result<> fold_hits(std::uint64_t hits, Tamper tamper) {
  TestRecords batch;
  const UnixTime committed{1h};
  add_record(batch.builder, SiteRecord{SiteId{1}, "a.example"});
  add_record(batch.builder, PageRecord{PageId{1}, SiteId{1}, PageKey{}, false, "a.example/"});
  for (std::uint64_t n = 1; n <= hits; ++n) {
    HitRecord hit{.site = SiteId{1}, .page = PageId{1}, .page_ordinal = n, .site_ordinal = n};
    tamper(n, hit);
    add_record(batch.builder, hit, {Sequence{n + 2}, committed});
  }
  const auto views = batch.views();
  BatchView view;
  view.first = Sequence{1};
  view.committed = committed;
  view.records = views;
  Counters counters;
  return counters.fold(view);
}

TEST(Fold, AcceptsOrdinalsThatFollow) {
  EXPECT_TRUE(fold_hits(3, [](std::uint64_t, HitRecord&) {}));
}

TEST(Fold, RefusesAHoleADoubleAndAStranger) {
  EXPECT_FALSE(fold_hits(3, [](std::uint64_t n, HitRecord& hit) { hit.page_ordinal += n == 2; }));
  EXPECT_FALSE(fold_hits(3, [](std::uint64_t n, HitRecord& hit) { hit.site_ordinal -= n == 2; }));
  EXPECT_FALSE(fold_hits(3, [](std::uint64_t n, HitRecord& hit) { hit.page.value += n == 2; }));
  EXPECT_FALSE(fold_hits(3, [](std::uint64_t n, HitRecord& hit) { hit.site.value += n == 2; }));
  const auto refused =
      fold_hits(3, [](std::uint64_t n, HitRecord& hit) { hit.page_ordinal += n == 2; });
  EXPECT_EQ(refused.error().message,
            "record 4: its numbers do not follow from the records before it");
}

// A bot's view by script has no number: the next one has it.
TEST(Fold, AViewWithoutANumberCarriesThoseThatStand) {
  const auto with_bot = [](std::uint64_t second, std::uint64_t third, Door door) {
    return fold_hits(3, [&](std::uint64_t n, HitRecord& hit) {
      hit.door = door;
      if (n == 2) hit.agent = AgentClass::bot;
      const auto ordinal = n == 1 ? 1 : n == 2 ? second : third;
      hit.page_ordinal = hit.site_ordinal = ordinal;
    });
  };
  for (const auto door : {Door::script, Door::pixel}) {
    EXPECT_TRUE(with_bot(1, 2, door));
    EXPECT_FALSE(with_bot(2, 3, door));
    EXPECT_FALSE(with_bot(1, 3, door));
    EXPECT_FALSE(with_bot(0, 2, door));
  }
  for (const auto door : {Door::seed, Door::api_token}) {
    EXPECT_TRUE(with_bot(2, 3, door));
    EXPECT_FALSE(with_bot(1, 2, door));
  }
}

TEST(Counters, AnUnknownKindStopsTheFoldByName) {
  BatchView batch;
  const RecordView unknown{.kind = 31, .version = 1};
  batch.first = Sequence{1};
  batch.records = std::span(&unknown, 1);
  Counters counters;
  const auto folded = counters.fold(batch);
  ASSERT_FALSE(folded);
  EXPECT_EQ(folded.error().code, Code::invalid);
  EXPECT_NE(folded.error().message.find("record 1"), std::string::npos);
}

}  // namespace
}  // namespace nando
