// Recount, of journals that no ledger would write: whose chain is whole and whose numbers are not.
#include "snapshot/recount.h"

#include <gtest/gtest.h>

#include "base/entropy.h"
#include "disk/simulated_disk.h"
#include "journal/journal.h"

namespace nando {
namespace {

constexpr PromotionId kPromotion{1};
constexpr SiteId kSite{1};

// The records of one promotion with two entries and a claim, to be spoilt one at a time.
struct Story {
  struct Entering {
    HitRecord hit;
    EntryRecord entry;
  };
  PromotionRecord opened{kPromotion, PromotionAct::opened, kSite, "rules"};
  PromotionRecord paused{kPromotion, PromotionAct::paused, kSite, {}};
  std::vector<Entering> enterings;
  std::vector<ClaimRecord> claims{{kPromotion, 2, 1}, {kPromotion, 1, 2}};
  bool entries_stand_apart = false;

  Story() {
    for (std::uint8_t n = 1; n <= 2; ++n) {
      const Hash128 digest{std::byte{n}, std::byte{7}};
      enterings.push_back({{.site = kSite,
                            .page = PageId{1},
                            .page_ordinal = n,
                            .site_ordinal = n,
                            .fingerprint = fingerprint_of(digest),
                            .has_draw_entry = true},
                           {.promotion = kPromotion, .ordinal = n, .id_digest = digest}});
    }
  }

  void tell(BatchBuilder& batch) const {
    add_record(batch, SiteRecord{kSite, "a.example"});
    add_record(batch, PageRecord{PageId{1}, kSite, PageKey{}, false, "a.example/"});
    add_record(batch, opened);
    add_record(batch, paused);
    for (const auto& [hit, entry] : enterings) {
      add_record(batch, hit, {Sequence{batch.records() + 1}, batch.committed});
      if (entries_stand_apart) add_probe(batch);
      if (entry.promotion) add_record(batch, entry);
    }
    for (const auto& claim : claims) add_record(batch, claim);
  }
};

// What is wrong; empty if nothing is.
std::string recount(const Story& story) {
  SimulatedDisk disk(1);
  ManualClock clock;
  SeededEntropy entropy(1);
  const auto ignore = [](const BatchView&) -> Result<> { return {}; };
  auto journal = Journal::open(disk, {}, clock, entropy, Position{}, ignore).value();
  BatchBuilder batch;
  batch.committed = clock.now();
  story.tell(batch);
  const auto end = journal->append(batch).value();
  JournalReader reader(disk);
  Recount counted;
  const auto done = counted.advance(reader, end.sequence, [](Sequence) {});
  if (!done) return done.error().message;
  EXPECT_EQ(counted.promotions().at(kPromotion).entries, story.enterings.size());
  EXPECT_EQ(counted.promotions().at(kPromotion).claims, story.claims.size());
  return "";
}

TEST(Recount, FindsNothingWrongWithWhatIsRight) {
  EXPECT_EQ(recount({}), "");
}

template <class Spoil>
std::string spoilt(Spoil spoil) {
  Story story;
  spoil(story);
  return recount(story);
}

TEST(Recount, FindsAForgedEntry) {
  EXPECT_EQ(spoilt([](Story& story) { story.enterings[1].entry.ordinal = 1; }),
            "record 8: promotion 1 has ordinal 1 where 2 were counted");
  EXPECT_EQ(spoilt([](Story& story) { story.enterings[1].entry.ordinal = 3; }),
            "record 8: promotion 1 has ordinal 3 where 2 were counted");
  EXPECT_EQ(spoilt([](Story& story) { story.enterings[0].entry.promotion = PromotionId{2}; }),
            "record 6: an entry names a promotion that was not opened");
  EXPECT_EQ(spoilt([](Story& story) { story.enterings[0].entry.id_digest[0] = std::byte{9}; }),
            "record 6: an entry does not follow the hit that earned it");
  EXPECT_EQ(spoilt([](Story& story) { story.enterings[0].hit.has_draw_entry = false; }),
            "record 6: an entry does not follow the hit that earned it");
  EXPECT_EQ(spoilt([](Story& story) { story.enterings[0].entry.promotion = {}; }),
            "record 6: the entry that the hit before it earned is not there");
  EXPECT_EQ(spoilt([](Story& story) { story.entries_stand_apart = true; }),
            "record 6: the entry that the hit before it earned is not there");
  EXPECT_EQ(spoilt([](Story& story) {
              story.claims.clear();
              story.enterings[1].entry.promotion = {};
            }),
            "record 8: the entry that the last hit of a batch earned is not there");
}

TEST(Recount, FindsAForgedClaim) {
  EXPECT_EQ(spoilt([](Story& story) { std::swap(story.claims[0], story.claims[1]); }),
            "record 9: prize 2 of promotion 1 was given out of turn");
  EXPECT_EQ(spoilt([](Story& story) { story.claims[1].prize = 1; }),
            "record 10: prize 1 of promotion 1 was given out of turn");
  EXPECT_EQ(spoilt([](Story& story) { story.claims[1].entry = 2; }),
            "record 10: prize 2 of promotion 1 went to one that had one");
  for (const std::uint64_t entry : {0U, 3U}) {
    EXPECT_EQ(spoilt([&](Story& story) { story.claims[0].entry = entry; }),
              "record 9: prize 1 of promotion 1 went to no entry");
  }
  EXPECT_EQ(spoilt([](Story& story) { story.claims[0].promotion = PromotionId{2}; }),
            "record 9: prize 1 of promotion 2 is of one that was not opened");
}

TEST(Recount, FindsAForgedPromotion) {
  EXPECT_EQ(spoilt([](Story& story) { story.opened.promotion = PromotionId{2}; }),
            "record 3: a promotion was opened out of turn");
  EXPECT_EQ(spoilt([](Story& story) { story.paused.act = PromotionAct::opened; }),
            "record 4: a promotion was opened out of turn");
  EXPECT_EQ(spoilt([](Story& story) { story.paused.promotion = PromotionId{2}; }),
            "record 4: a promotion changed that was not opened");
}

}  // namespace
}  // namespace nando
