#include "feed/feed.h"

#include <fstream>

#include "feed/test_feed.h"

namespace nando {

namespace {

using testing::HasSubstr;

TEST_F(FeedTest, LoadsEachRecordOnceOverRestartsAndSealing) {
  for (int life = 0; life < 4; ++life) {
    auto feed = make_feed();
    for (int i = 0; i < 3; ++i) {
      add_hits(200);
      while (journal_->keep().value()) {
      }
      feed_all(*feed);
      expect_exact(*feed);
    }
  }
  EXPECT_FALSE(was_set_aside());
}

TEST_F(FeedTest, ABotsViewThatHasNoNumberIsARowBesideThoseThatHaveOne) {
  const auto add_bot = [&](Door door) {
    add([&](BatchBuilder& batch) {
      HitRecord hit{.door = door, .agent = AgentClass::bot, .site = SiteId{1}, .page = PageId{1}};
      hit.page_ordinal = hit.site_ordinal = hits_;
      add_record(batch, hit, {Sequence{journal_->position().sequence.value + 1}, at_});
    });
  };
  add_bot(Door::script);  // Before any.
  add_hits(2);
  add_bot(Door::pixel);
  add_hits(2);
  auto feed = make_feed();
  feed_all(*feed);
  const auto totals = feed->warehouse()->totals(journal_->position().sequence).value();
  EXPECT_EQ(totals.kinds[0], hits_ + 2);
  EXPECT_EQ(totals.pages.at(0).page_views, hits_);
  EXPECT_TRUE(totals.pages.at(0).is_exact());
  feed.reset();
  auto database = DuckDb::open(path_, {});
  auto connection = database->connect();
  std::string found;
  ASSERT_TRUE(connection->ask(
      "SELECT string_agg(concat(door, ' ', agent_class, ' ', page_ordinal, ' ', visitor), ', ' "
      "ORDER BY sequence) FROM hits WHERE NOT is_counted",
      [&](const DuckChunk& chunk) { found = chunk.text(0, 0); }));
  EXPECT_EQ(found, "script bot 0 , pixel bot 6 ");
}

// The control of the mark in the transaction: were it moved in another one, a crash between the two
// would leave this behind.
TEST_F(FeedTest, AMarkThatStayedBehindItsRowsShowsInTheTotals) {
  add_hits(2);
  const auto early = journal_->position();
  add_hits(2);
  auto feed = make_feed();
  feed_all(*feed);
  expect_exact(*feed);
  feed.reset();
  {
    auto database = DuckDb::open(path_, {});
    ASSERT_TRUE(database->connect()->run(
        "UPDATE mark SET sequence = " + std::to_string(early.sequence.value) + ", head = '" +
        to_hex(early.head) + "'"));
  }
  feed = make_feed();
  feed_all(*feed);
  const auto totals = feed->warehouse()->totals(journal_->position().sequence).value();
  EXPECT_EQ(totals.kinds[0], hits_ + 6);
  EXPECT_FALSE(totals.pages[0].is_exact());
}

TEST_F(FeedTest, ALittleWaitsForMoreUnlessItIsAskedFor) {
  auto feed = make_feed();
  std::chrono::nanoseconds now = std::chrono::hours{1};
  const auto loads = [&] {
    const auto before = feed->status().loaded;
    EXPECT_TRUE(feed->step_if_due(now));
    return feed->status().loaded != before;
  };
  add_hits(1);
  EXPECT_TRUE(loads()) << "the first time it knows not how long something waits";
  add_hits(1);
  now += kFeedWaitMax - std::chrono::milliseconds{1};
  EXPECT_FALSE(loads());
  now += std::chrono::milliseconds{1};
  EXPECT_TRUE(loads()) << "it has waited long enough";
  add_hits(1);
  EXPECT_FALSE(loads());
  feed->hurry();
  EXPECT_TRUE(loads());
  add_hits(130, 1000);
  EXPECT_TRUE(loads()) << "enough for a transaction";
  EXPECT_FALSE(loads()) << "what is over is a little";
  feed->rebuild();
  EXPECT_TRUE(feed->step_if_due(now));
  EXPECT_FALSE(feed->wants_rebuild());
  feed_all(*feed);
  expect_exact(*feed);
}

TEST_F(FeedTest, TakesNoMoreAtOnceThanATransactionShouldHold) {
  add_hits(130, 1000);
  auto feed = make_feed();
  EXPECT_TRUE(feed->step().value());
  const auto first = feed->status();
  EXPECT_LE(first.loaded.value, kFeedRowsAtOnce);
  EXPECT_GT(first.loaded.value, kFeedRowsAtOnce - 1003);
  feed_all(*feed);
  expect_exact(*feed);
}

TEST_F(FeedTest, ProbesAloneWriteNothing) {
  add_hits(2);
  auto feed = make_feed();
  feed_all(*feed);
  const auto mark = feed->warehouse()->loaded().value();
  add([](BatchBuilder& batch) { add_probe(batch); });
  feed_all(*feed);
  EXPECT_EQ(feed->warehouse()->loaded().value(), mark);
  feed = make_feed();
  add_hits(1);
  feed_all(*feed);
  expect_exact(*feed);
  EXPECT_EQ(feed->warehouse()->loaded()->value().position, journal_->position());
}

TEST_F(FeedTest, AWarehouseOfAnotherJournalIsSetAsideAndFilledAnew) {
  add_hits(5);
  {
    auto feed = make_feed();
    feed_all(*feed);
  }
  open_journal(2);  // Another epoch, and longer, so that the mark's sequence is in it.
  add_hits(9);
  auto feed = make_feed();
  feed_all(*feed);
  expect_exact(*feed);
  EXPECT_TRUE(was_set_aside());
}

TEST_F(FeedTest, AWarehouseThatKnowsMoreThanTheJournalIsSetAside) {
  add_hits(5);
  {
    auto feed = make_feed();
    feed_all(*feed);
  }
  open_journal(1);  // The same epoch; what came after its beginning is gone.
  auto feed = make_feed();
  feed_all(*feed);
  expect_exact(*feed);
  EXPECT_TRUE(was_set_aside());
}

TEST_F(FeedTest, ADamagedFileIsSetAsideAndFilledAnew) {
  add_hits(5);
  std::ofstream(path_) << std::string(9000, 'x');
  auto feed = make_feed();
  feed_all(*feed);
  expect_exact(*feed);
  EXPECT_TRUE(was_set_aside());
}

// D6 for the warehouse: one flipped byte, then a start. Either the numbers are right (it was of no
// use, or the file was filled anew), or there are none.
TEST_F(FeedTest, AFlippedByteServesNoWrongNumber) {
  const int mutations = 1000;
  add_hits(100, 20);
  {
    auto feed = make_feed();
    feed_all(*feed);
  }
  {
    auto database = DuckDb::open(path_, {});
    ASSERT_TRUE(database->connect()->run("CHECKPOINT"));
  }
  std::ifstream in(path_, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  SeededEntropy chance(6);
  int refused = 0, same = 0, filled = 0;
  for (int i = 0; i < mutations; ++i) {
    std::filesystem::remove(path_ + ".aside");
    std::filesystem::remove(path_ + ".wal");
    auto bytes = whole;
    const auto at = chance.below(bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << chance.below(8)));
    std::ofstream(path_, std::ios::binary) << bytes;
    auto feed = make_feed();
    for (int steps = 0; steps < 4 && (!feed->step() || feed->warehouse() == nullptr); ++steps) {
    }
    ASSERT_NE(feed->warehouse(), nullptr) << "byte " << at << ": " << feed->status().problem;
    const auto totals = feed->warehouse()->totals(journal_->position().sequence);
    if (!totals) {
      ++refused;
      continue;
    }
    ASSERT_EQ(totals->kinds[0], hits_) << "byte " << at;
    ASSERT_TRUE(totals->pages.at(0).is_exact()) << "byte " << at;
    ++(was_set_aside() ? filled : same);
  }
  EXPECT_GT(refused + filled, 0);
  EXPECT_EQ(refused + filled + same, mutations);
}

TEST_F(FeedTest, OnADiskThatIsNearlyFullItWaitsAndSaysSo) {
  add_hits(5);
  Feed feed({.journal = *disk_,
             .sites = sites_,
             .durable_end = [this] { return journal_->position(); },
             .path = path_,
             .left_for_counting = ~std::uint64_t{0}});
  const auto stepped = feed.step();
  ASSERT_FALSE(stepped);
  EXPECT_EQ(stepped.error().code, Code::full);
  EXPECT_THAT(feed.status().problem, HasSubstr("what is left is for counting"));
  EXPECT_EQ(feed.status().loaded.value, 0U);
  EXPECT_NE(feed.warehouse(), nullptr);  // What is in it can be asked all the same.
  auto roomy = make_feed();
  feed_all(*roomy);
  expect_exact(*roomy);
}

TEST_F(FeedTest, AFileThatIsTakenAwayIsFilledAnew) {
  add_hits(5);
  auto feed = make_feed();
  feed_all(*feed);
  std::filesystem::remove(path_);
  add_hits(5);
  feed_all(*feed);
  expect_exact(*feed);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(FeedTest, AFileOfANewerVersionIsLeftAlone) {
  add_hits(5);
  auto feed = make_feed();
  feed_all(*feed);
  feed.reset();
  {
    auto database = DuckDb::open(path_, {});
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->connect()->run("UPDATE schema_version SET version = 99"));
  }
  feed = make_feed();
  const auto stepped = feed->step();
  EXPECT_EQ(stepped.error().code, Code::invalid);
  EXPECT_THAT(feed->status().problem, HasSubstr("newer version"));
  EXPECT_EQ(feed->warehouse(), nullptr);
  EXPECT_FALSE(was_set_aside());
}

TEST_F(FeedTest, RebuildThrowsTheFileAwayAndFillsANewOne) {
  add_hits(5);
  auto feed = make_feed();
  feed_all(*feed);
  feed->rebuild();
  feed_all(*feed);
  EXPECT_FALSE(feed->wants_rebuild());
  expect_exact(*feed);
  EXPECT_TRUE(was_set_aside());
}

class RowMakerTest : public FeedTest {
 protected:
  const Rows& rows_of(const std::function<void(BatchBuilder&)>& fill) {
    const auto before = journal_->position().sequence;
    add(fill);
    rows_.clear();
    const auto scanned = JournalReader(*disk_).scan(
        before, journal_->position().sequence,
        [&](const BatchView& batch) { return maker_.add(batch, rows_); });
    EXPECT_TRUE(scanned) << scanned.error().message;
    return rows_;
  }

  RowMaker maker_{sites_};
  Rows rows_;
};

TEST_F(RowMakerTest, LocalDayAndMinuteFollowTheSitesClock) {
  set_zone("Europe/Berlin");  // Summer time began at 2026-03-29T01:00Z.
  const auto local = [&](std::string_view at) {
    at_ = time_of(at);
    const auto& hit = rows_of([&](BatchBuilder& batch) { add_hit(batch, {}); }).hits.at(0);
    return to_string(hit.local_day) + " " + std::to_string(hit.local_minute);
  };
  EXPECT_EQ(local("2026-03-28T22:59:59.999Z"), "2026-03-28 1439");
  EXPECT_EQ(local("2026-03-28T23:00:00Z"), "2026-03-29 0");
  EXPECT_EQ(local("2026-03-29T00:59:59Z"), "2026-03-29 119");
  EXPECT_EQ(local("2026-03-29T01:00:00Z"), "2026-03-29 180");
  EXPECT_EQ(local("2026-10-25T00:30:00Z"), "2026-10-25 150");
  EXPECT_EQ(local("2026-10-25T01:30:00Z"), "2026-10-25 150");
}

TEST_F(RowMakerTest, ATimeThatTheSenderClaimsIsWhenItHappened) {
  HitRecord hit;
  hit.at = time_of("2026-01-02T03:04:05Z");
  const auto& row = rows_of([&](BatchBuilder& batch) { add_hit(batch, hit); }).hits.at(0);
  EXPECT_EQ(row.at, *hit.at);
  EXPECT_EQ(row.committed, at_);
  EXPECT_EQ(to_string(row.local_day), "2026-01-02");
  EXPECT_EQ(row.local_minute, 3 * 60 + 4);
}

TEST_F(RowMakerTest, TextIsKeptAndPropertiesBecomeJson) {
  HitRecord hit;
  hit.kind = HitKind::event;
  Buffer props;
  ByteWriter writer(props);
  for (const auto* text : {"plan", "\"pro\"", "n", "1"}) writer.sized(as_bytes(text));
  hit.props = as_text(props);
  hit.name = "signup";
  hit.title = "T";
  hit.referrer = "https://r.example/";
  hit.screen = "800x600";
  hit.language = "de";
  const auto& row = rows_of([&](BatchBuilder& batch) { add_hit(batch, hit); }).hits.at(0);
  EXPECT_EQ(row.props, R"({"plan":"\"pro\"","n":"1"})");
  EXPECT_EQ(row.name, "signup");
  EXPECT_EQ(row.title, "T");
  EXPECT_EQ(row.referrer, "https://r.example/");
  EXPECT_EQ(row.screen, "800x600");
  EXPECT_EQ(row.language, "de");
  EXPECT_EQ(row.kind, HitKind::event);
}

TEST_F(FeedTest, ASiteThatChangesItsZoneHasItsRowsMadeAgain) {
  add_hits(5);
  auto feed = make_feed();
  feed_all(*feed);
  EXPECT_EQ(feed->warehouse()->zones()->at(SiteId{1}), "Etc/UTC");
  set_zone("Asia/Kathmandu");
  feed_all(*feed);
  expect_exact(*feed);
  EXPECT_EQ(feed->warehouse()->zones()->at(SiteId{1}), "Asia/Kathmandu");
  feed.reset();
  set_zone("Etc/UTC");  // While nothing ran.
  feed = make_feed();
  feed_all(*feed);
  expect_exact(*feed);
  EXPECT_EQ(feed->warehouse()->zones()->at(SiteId{1}), "Etc/UTC");
}

}  // namespace

}  // namespace nando
