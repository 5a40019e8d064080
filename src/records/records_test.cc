#include "records/records.h"

#include <gtest/gtest.h>

#include "records/prizes.h"
#include "records/test_batch.h"

namespace nando {
namespace {

constexpr RecordContext kContext{Sequence{1000}, UnixTime{std::chrono::hours{24 * 20'000}}};

HitRecord full_hit() {
  return {.kind = HitKind::event,
          .door = Door::api_token,
          .agent = AgentClass::image_proxy,
          .site = SiteId{65'000},
          .page = PageId{900'000'000},
          .page_ordinal = ~std::uint64_t{0},
          .site_ordinal = 1,
          .fingerprint = 0xfedcba9876543210,
          .is_entry = false,
          .has_draw_entry = true,
          .visit = VisitId{990},
          .day = Day{19'999},
          .at = UnixTime{std::chrono::milliseconds{123'456'789}},
          .visitor = VisitorId{0x1122334455667788},
          .id = "an id of 16 byte",
          .secret_hash = SecretHash{std::byte{9}},
          .referrer = "https://other.example/",
          .title = "A title",
          .name = "signup",
          .props = "encoded",
          .screen = "1920x1080",
          .language = "de-AT"};
}

void expect_same(const HitRecord& a, const HitRecord& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.door, b.door);
  EXPECT_EQ(a.agent, b.agent);
  EXPECT_EQ(a.site, b.site);
  EXPECT_EQ(a.page, b.page);
  EXPECT_EQ(a.page_ordinal, b.page_ordinal);
  EXPECT_EQ(a.site_ordinal, b.site_ordinal);
  EXPECT_EQ(a.fingerprint, b.fingerprint);
  EXPECT_EQ(a.is_entry, b.is_entry);
  EXPECT_EQ(a.has_draw_entry, b.has_draw_entry);
  EXPECT_EQ(a.visit, b.visit);
  EXPECT_EQ(a.day, b.day);
  EXPECT_EQ(a.visitor, b.visitor);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.secret_hash, b.secret_hash);
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(a.referrer, b.referrer);
  EXPECT_EQ(a.title, b.title);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.props, b.props);
  EXPECT_EQ(a.screen, b.screen);
  EXPECT_EQ(a.language, b.language);
}

TEST(Records, AHitReadsBackAsItWasWritten) {
  for (const auto& hit :
       {full_hit(),
        HitRecord{
            .site = SiteId{1}, .page = PageId{1}, .is_entry = true, .visit = VisitId{1000}}}) {
    TestRecords batch;
    add_record(batch.builder, hit, kContext);
    const auto back = decode_hit(batch.views().front(), kContext);
    ASSERT_TRUE(back);
    expect_same(*back, hit);
  }
}

TEST(Records, AHitWithoutItsDetailsKeepsWhatNumbersRestOn) {
  TestRecords batch;
  add_record(batch.builder, full_hit(), kContext);
  auto view = batch.views().front();
  view.detail = {};
  const auto back = decode_hit(view, kContext);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->page_ordinal, full_hit().page_ordinal);
  EXPECT_EQ(back->fingerprint, full_hit().fingerprint);
  EXPECT_EQ(back->at, full_hit().at) << "charts go by it";
  EXPECT_TRUE(back->has_draw_entry);
  EXPECT_TRUE(back->id.empty());
  EXPECT_FALSE(back->visitor);
}

TEST(Records, WithoutDetailsIsWhatIsReadBackWithoutThem) {
  TestRecords batch;
  add_record(batch.builder, full_hit(), kContext);
  add_record(batch.builder, without_details(full_hit()), kContext);
  const auto views = batch.views();
  EXPECT_TRUE(views[1].detail.empty());
  EXPECT_EQ(as_text(views[0].count), as_text(views[1].count));
}

// Stores made before the time stood in the count part.
TEST(Records, ATimeInTheDetailsIsRead) {
  auto hit = full_hit();
  hit.at.reset();
  TestRecords batch;
  add_record(batch.builder, hit, kContext);
  auto view = batch.views().front();
  Buffer older(view.detail.begin(), view.detail.end());
  older.push_back(std::byte{4});
  ByteWriter(older).varint(8);
  ByteWriter(older).fixed<std::int64_t>(1'700'000'000'000);
  view.detail = older;
  EXPECT_EQ(decode_hit(view, kContext)->at->time_since_epoch().count(), 1'700'000'000'000);
}

TEST(Records, RemovalsAndVoidSpansReadBackAsTheyWereWritten) {
  TestRecords batch;
  for (const auto what : {Removal::site, Removal::page, Removal::expired}) {
    add_record(batch.builder, RemovalRecord{what, SiteId{3}, PageId{7}, Sequence{5}, Sequence{9}});
  }
  const UnixTime from{std::chrono::milliseconds{1000}};
  const UnixTime to{std::chrono::milliseconds{2000}};
  add_record(batch.builder, VoidRecord{SiteId{3}, PageId{7}, Sequence{9}, from, to, true});
  add_record(batch.builder, PageRecord{PageId{7}, SiteId{3}, {}, false, "a/", true});
  const auto views = batch.views();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(is_removal(views[i].kind));
    const auto back = decode_removal(views[i]);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->what, static_cast<Removal>(i));
    EXPECT_EQ(back->site, SiteId{3});
    EXPECT_EQ(back->page, PageId{7});
    EXPECT_EQ(back->after, Sequence{5});
    EXPECT_EQ(back->up_to, Sequence{9});
  }
  EXPECT_FALSE(is_removal(views[3].kind));
  EXPECT_FALSE(decode_removal(views[3]));
  const auto span = decode_void(views[3]);
  ASSERT_TRUE(span);
  EXPECT_EQ(span->page, PageId{7});
  EXPECT_EQ(span->up_to, Sequence{9});
  EXPECT_EQ(span->from, from);
  EXPECT_EQ(span->to, to);
  EXPECT_TRUE(span->is_undone);
  EXPECT_TRUE(decode_page(views[4])->is_again);
  EXPECT_FALSE(decode_page(views[4])->is_other);
}

TEST(Records, SmallRecordsReadBackAsTheyWereWritten) {
  TestRecords batch;
  add_record(batch.builder, EpochRecord{UnixTime{std::chrono::milliseconds{77}}});
  add_record(batch.builder, SiteRecord{SiteId{3}, "blog.example.com"});
  add_record(batch.builder,
             PageRecord{PageId{4}, SiteId{3}, PageKey{std::byte{1}}, true, "(other)"});
  add_record(batch.builder, BaseRecord{SiteId{3}, PageId{4}, 5000});
  add_probe(batch.builder);
  const auto views = batch.views();
  ASSERT_EQ(views.size(), 5U);
  EXPECT_EQ(decode_epoch(views[0])->began.time_since_epoch().count(), 77);
  EXPECT_EQ(decode_site(views[1])->host, "blog.example.com");
  EXPECT_TRUE(decode_page(views[2])->is_other);
  EXPECT_EQ(decode_page(views[2])->url, "(other)");
  EXPECT_EQ(decode_base(views[3])->base, 5000U);
  EXPECT_EQ(static_cast<RecordKind>(views[4].kind), RecordKind::probe);
}

EntryRecord full_entry() {
  return {.promotion = PromotionId{~0U},
          .ordinal = ~std::uint64_t{0},
          .id_digest = {std::byte{1}, std::byte{2}},
          .secret_hash = {std::byte{3}, std::byte{4}},
          .entrant = {.visitor = 5, .v4_24 = 6, .v6_64 = 7, .v6_56 = 8, .v6_48 = ~std::uint64_t{}}};
}

void expect_same(const EntryRecord& a, const EntryRecord& b) {
  EXPECT_EQ(a.promotion, b.promotion);
  EXPECT_EQ(a.ordinal, b.ordinal);
  EXPECT_EQ(a.id_digest, b.id_digest);
  EXPECT_EQ(a.secret_hash, b.secret_hash);
  EXPECT_EQ(a.entrant, b.entrant);
}

TEST(Records, AnEntryReadsBackAsItWasWrittenWhicheverNetworksCount) {
  TestRecords batch;
  std::vector<EntryRecord> written{full_entry()};
  for (unsigned which = 0; which < 32; ++which) {
    auto& entry = written.emplace_back(full_entry());
    const std::array fields = {&Entrant::visitor, &Entrant::v4_24, &Entrant::v6_64, &Entrant::v6_56,
                               &Entrant::v6_48};
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if ((which >> i & 1) == 0) entry.entrant.*fields[i] = 0;
    }
  }
  for (const auto& entry : written) add_record(batch.builder, entry);
  const auto views = batch.views();
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto back = decode_entry(views[i]);
    ASSERT_TRUE(back) << i;
    expect_same(*back, written[i]);
    EXPECT_TRUE(views[i].detail.empty()) << "kept for ever: who won can be recounted";
  }
  EXPECT_EQ(views[1].count.size(), views[0].count.size() - 5 * sizeof(std::uint64_t));
}

TEST(Records, AnEntryThatSaysMoreOrLessThanItHasIsRefused) {
  TestRecords batch;
  add_record(batch.builder, full_entry());
  auto view = batch.views().front();
  const auto refused = [&](auto spoil) {
    Buffer bytes(view.count.begin(), view.count.end());
    spoil(bytes);
    auto spoilt = view;
    spoilt.count = bytes;
    return !decode_entry(spoilt);
  };
  EXPECT_FALSE(refused([](Buffer&) {})) << "the control";
  EXPECT_TRUE(refused([](Buffer& bytes) { bytes[0] = std::byte{15}; })) << "one key too many";
  EXPECT_TRUE(refused([](Buffer& bytes) { bytes[0] = std::byte{63}; })) << "a flag of later";
  EXPECT_TRUE(refused([](Buffer& bytes) {
    std::fill(bytes.end() - sizeof(std::uint64_t), bytes.end(), std::byte{0});
  })) << "a key that is none: it would be written otherwise";
}

TEST(Records, ClaimsAndPromotionsReadBackAsTheyWereWritten) {
  TestRecords batch;
  add_record(batch.builder, ClaimRecord{PromotionId{3}, ~std::uint64_t{0}, ~0U});
  const std::string longest(kRulesTextBytesMax, 'r');
  for (const auto act : {PromotionAct::opened, PromotionAct::paused, PromotionAct::resumed,
                         PromotionAct::closed, PromotionAct::revealed}) {
    add_record(batch.builder, PromotionRecord{PromotionId{7}, act, SiteId{9}, longest});
  }
  const auto views = batch.views();
  const auto claim = decode_claim(views[0]);
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->promotion, PromotionId{3});
  EXPECT_EQ(claim->entry, ~std::uint64_t{0});
  EXPECT_EQ(claim->prize, ~0U);
  for (std::size_t i = 0; i < kPromotionActNames.size(); ++i) {
    EXPECT_TRUE(views[i + 1].detail.empty());
    const auto back = decode_promotion(views[i + 1]);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->promotion, PromotionId{7});
    EXPECT_EQ(back->act, static_cast<PromotionAct>(i));
    EXPECT_EQ(back->site, SiteId{9});
    EXPECT_EQ(back->text, longest);
  }
  Buffer unknown(views[5].count.begin(), views[5].count.end());
  unknown[0] = std::byte{5};
  auto view = views[5];
  view.count = unknown;
  EXPECT_FALSE(decode_promotion(view)) << "an act of later";
}

TEST(Records, ANewerVersionIsRefusedAndNotGuessed) {
  TestRecords batch;
  add_record(batch.builder, full_hit(), kContext);
  add_record(batch.builder, full_entry());
  add_record(batch.builder, ClaimRecord{});
  add_record(batch.builder, PromotionRecord{});
  auto views = batch.views();
  for (auto& view : views) ++view.version;
  EXPECT_EQ(decode_hit(views[0], kContext).error().code, Code::invalid);
  EXPECT_EQ(decode_entry(views[1]).error().code, Code::invalid);
  EXPECT_EQ(decode_claim(views[2]).error().code, Code::invalid);
  EXPECT_EQ(decode_promotion(views[3]).error().code, Code::invalid);
}

bool any_reads(const RecordView& view) {
  return decode_hit(view, kContext) || decode_entry(view) || decode_claim(view) ||
         decode_promotion(view);
}

TEST(Records, EveryTruncationAndEveryByteTooManyIsRefused) {
  TestRecords batch;
  add_record(batch.builder, full_hit(), kContext);
  add_record(batch.builder, full_entry());
  add_record(batch.builder, ClaimRecord{PromotionId{1000}, 1000, 1000});
  add_record(batch.builder,
             PromotionRecord{PromotionId{1000}, PromotionAct::opened, SiteId{1000}, "rules"});
  for (const auto& whole : batch.views()) {
    EXPECT_TRUE(any_reads(whole)) << "the control";
    auto view = whole;
    for (std::size_t size = 0; size < whole.count.size(); ++size) {
      view.count = whole.count.first(size);
      EXPECT_FALSE(any_reads(view)) << int{whole.kind} << " " << size;
    }
    Buffer longer(whole.count.begin(), whole.count.end());
    longer.push_back(std::byte{0});
    view.count = longer;
    EXPECT_FALSE(any_reads(view)) << int{whole.kind};
  }
}

TEST(Records, ADetailFieldOfALaterVersionIsPassedOver) {
  TestRecords batch;
  add_record(batch.builder, full_hit(), kContext);
  auto view = batch.views().front();
  Buffer longer(view.detail.begin(), view.detail.end());
  longer.push_back(std::byte{200});
  ByteWriter(longer).sized(as_bytes("something new"));
  view.detail = longer;
  EXPECT_TRUE(decode_hit(view, kContext));
}

TEST(Records, NamesOfKindsAreTheirOwn) {
  EXPECT_EQ(name_of(RecordKind::page_view), "page_view");
  EXPECT_EQ(name_of(RecordKind::void_span), "void");
  EXPECT_EQ(name_of(RecordKind::entry), "entry");
  EXPECT_EQ(name_of(RecordKind::claim), "claim");
  EXPECT_EQ(name_of(RecordKind::promotion), "promotion");
  EXPECT_EQ(name_of(RecordKind::page_removed), "page_removed");
  EXPECT_EQ(name_of(static_cast<RecordKind>(200)), "unknown");
}

TEST(Records, OtherPageIsNoPageOfAnyUrl) {
  const Key128 key{std::byte{5}};
  EXPECT_NE(other_page_key(key, SiteId{1}), other_page_key(key, SiteId{2}));
  EXPECT_NE(digest_of(key, SiteId{1}, "same id of 16 b."),
            digest_of(key, SiteId{2}, "same id of 16 b."));
}

}  // namespace
}  // namespace nando
