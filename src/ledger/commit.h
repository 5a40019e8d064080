// Commit: one batch of hits on its way through the ledger. It plans (who is new, which page, which
// ordinals), writes the records, and, once they are durable, applies them and fills in the
// outcomes; or takes all of it back if the disk was full.
//
// Steps, in order: plan each hit and each claim; number() them; write() them into the batch; then
// apply() or undo().
//
// Threads: the committer's.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <span>

#include "counters/counters.h"
#include "journal/reader.h"
#include "ledger/hit_batch.h"
#include "ledger/judge.h"
#include "ledger/numbering.h"

namespace nando {

// What a claim is told that could not be written.
ClaimOutcome::Status claim_status_of(Outcome::Status status);

class Commit {
 public:
  struct Parts {
    Counters& counters;
    Numbering& numbering;
    JournalReader& reader;
    Key128 hash_key;
    Judge* judge = nullptr;  // Without one no draw is known.
  };
  explicit Commit(const Parts& parts) : parts_(parts) {}

  void use_judge(Judge& judge) { parts_.judge = &judge; }

  // Begins anew; memory is kept.
  void begin(UnixTime committed, MacKeyId key);

  // Decides what becomes of each hit; its outcome is final unless it is new.
  void plan(std::span<const Hit> hits, std::span<Outcome> outcomes);

  // Decides a claim; its outcome is final unless a record must be written first.
  void plan(const Claim& claim, ClaimOutcome& outcome);

  // True if there is something to write.
  bool any() const { return !hits_.empty() || !claims_.empty() || batch_.records() > 0; }
  [[nodiscard]] Result<> number();
  void write();
  BatchBuilder& batch() { return batch_; }

  void apply(const Position& position);
  // Takes back what plan() and write() did and gives every new hit this status.
  void undo(Outcome::Status status);
  // Gives every new hit this status and leaves what it changed as it stands, since the ledger will
  // be opened again; but not what is told and signed of promotions until then: entries and claims
  // that a crash could still take away.
  void abandon(Outcome::Status status);

 private:
  struct Planned {
    const Hit* hit;
    Outcome* outcome;
    PageId page;
    Hash128 digest;
    Sequence sequence;
    PromotionId promotion;
    std::uint64_t entry = 0;
  };
  enum class Given : std::uint8_t {
    now,      // A prize, by this claim.
    before,   // By one of this commit that is the same.
    nothing,  // But the answer rests on a time, or on claims, that are not written yet.
    hidden,   // Nothing, which leaves as much in the journal as a prize does.
  };
  struct PlannedClaim {
    const Claim* claim;
    ClaimOutcome* outcome;
    Given given;
  };
  struct Double {
    Outcome* outcome;
    std::size_t first;  // The planned hit it repeats.
  };

  void look_ahead(std::span<const Hit> hits);
  void plan(const Hit& hit, const Hash128& digest, Outcome& outcome);
  bool is_repeat(const Hit& hit, const Hash128& digest, Outcome& outcome);
  bool repeats_planned(const Hit& hit, std::uint64_t fingerprint, Outcome& outcome);
  bool repeats_stored(const Hit& hit, const Hash128& digest, Outcome& outcome);
  void fill_from(const HitRecord& record, const StoredRecord& stored, const Hit& repeat,
                 const Hash128& digest, Outcome& outcome);
  void fill_entry(const StoredRecord& hit, Outcome& outcome);
  bool same_hit(const Hit& hit, HitKind kind, PageId page) const;
  PageId page_for(const Hit& hit, bool& on_other);
  SiteCounts::Entry& site_for(const Hit& hit);
  void name_again(const Hit& hit, PageId page);
  PageId introduce_page(const Hit& hit, const PageKey& key, std::string_view url);
  OrdinalDemand& demand_for(std::uint32_t& scratch, SiteId site, PageId page);
  VisitId visit_for(const Hit& hit, Sequence sequence);
  std::optional<EntryRecord> entry_for(const Planned& planned);
  void write_claims();
  ClaimOutcome decide(const PromotionState& state, const Claim& claim, UnixTime now) const;
  void clear_scratch();
  void show(const OrdinalDemand& page, const OrdinalDemand& site, Outcome& outcome) const;

  Parts parts_;
  UnixTime committed_{};
  MacKeyId key_;
  Sequence first_;
  BatchBuilder batch_;
  KindCounts kinds_{};
  std::vector<Hash128> digests_;  // Of the ids of those that are being planned.
  std::vector<Planned> hits_;
  std::vector<Double> doubles_;
  std::vector<PlannedClaim> claims_;
  std::vector<OrdinalDemand> demands_;
  boost::unordered_flat_map<std::uint64_t, std::size_t>
      ids_;  // Fingerprint -> planned hit, in this batch.
  std::vector<SiteId> new_sites_;
  struct NewPage {
    SiteId site;
    bool is_other;
  };
  std::vector<NewPage> new_pages_;
  std::vector<PageId> named_again_;
  std::vector<Visits::Undo> visits_undo_;
  std::size_t ids_added_ = 0;
  std::uint64_t ordinals_left_ = 0;  // Reserved and not given yet.
};

}  // namespace nando
