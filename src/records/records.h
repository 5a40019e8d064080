// What a journal record says: kinds, and how each is laid into a count part and a detail part. A
// record holds decisions, not inputs: replay needs no setting, clock, list or zone.
//
// Bytes: docs/formats/records.md. Every kind has a version; what one released version wrote, all
// later ones read. Failure: decoding gives Code::corrupt for bytes that no version wrote,
// Code::invalid for a newer version or kind.
#pragma once

#include "base/result.h"
#include "journal/batch.h"
#include "model/hit.h"

namespace nando {

// The numbers are the format; a number is never used again for something else. Kinds without a
// struct below have their place here and come with the issue that writes them.
enum class RecordKind : std::uint8_t {
  epoch = 1,
  site = 2,
  page = 3,
  page_view = 4,
  event = 5,
  base = 6,
  probe = 7,
  engagement = 8,
  performance = 9,
  imported_line = 10,
  imported_total = 11,
  import_progress = 12,
  refusals = 13,
  entry = 14,
  claim = 15,
  promotion = 16,
  void_span = 17,
  site_removed = 18,
  page_removed = 19,
  expired = 20,
};
std::string_view name_of(RecordKind kind);  // "unknown" for a number that is none.
inline constexpr bool is_removal(std::uint8_t kind) {
  return kind >= static_cast<std::uint8_t>(RecordKind::site_removed) &&
         kind <= static_cast<std::uint8_t>(RecordKind::expired);
}

// A life of the journal begins; its id stands in the segment header.
struct EpochRecord {
  UnixTime began;
};

struct SiteRecord {
  SiteId site;
  std::string_view host;  // Detail.
};

struct PageRecord {
  PageId page;
  SiteId site;
  PageKey key{};
  bool is_other = false;  // The site's page "(other)".
  std::string_view url;   // Detail.
  bool is_again = false;  // Known already: its URL was removed, and is told again.
};

// A page view or an event; they differ in kind alone. An event carries the ordinals as they stood.
struct HitRecord {
  HitKind kind = HitKind::page_view;
  Door door = Door::script;
  AgentClass agent = AgentClass::person;
  SiteId site;
  PageId page;
  std::uint64_t page_ordinal = 0;
  std::uint64_t site_ordinal = 0;
  std::optional<std::uint64_t> fingerprint;  // Of the id; nothing without one.
  bool is_entry = false;                     // First of its visit.
  bool has_draw_entry = false;               // Earned an entry: the next record (prizes.h).
  VisitId visit;                             // 0 if the visitor is unknown.
  Day day;
  std::optional<UnixTime> at;  // When it happened, if the sender said so.

  // Detail.
  VisitorId visitor;
  std::string_view id;
  std::optional<SecretHash> secret_hash;
  std::string_view referrer;
  std::string_view title;
  std::string_view name;
  std::string_view props;
  std::string_view screen;
  std::string_view language;
};

// What its count part holds.
HitRecord without_details(const HitRecord& hit);

// What is shown above the ordinal, from here on.
struct BaseRecord {
  SiteId site;
  PageId page;  // 0: of the site.
  std::uint64_t base = 0;
};

// Details that go: those of a site's or page's records after `after`, up to and with `up_to`.
// Counts stay. A batch that holds one of these holds nothing else, and begins a segment.
enum class Removal : std::uint8_t {
  site,     // The site was removed: its host and the URLs of its pages go too.
  page,     // A page was removed: its URL goes too.
  expired,  // What is older than the site keeps details of hits.
};
RecordKind kind_of(Removal removal);
struct RemovalRecord {
  Removal what = Removal::expired;
  SiteId site;
  PageId page;  // 0 but for a page.
  Sequence after;
  Sequence up_to;
};

// Hits that charts leave out, or show again: of the records up to `up_to`, those that happened in
// [from, to). Ordinals stay.
struct VoidRecord {
  SiteId site;
  PageId page;  // 0: every page of the site.
  Sequence up_to;
  UnixTime from;
  UnixTime to;
  bool is_undone = false;
};

// Adds one record to `batch`. A hit's own sequence number and its batch's time are what visit and
// day are written relative to, and what decoding must be told again.
struct RecordContext {
  Sequence sequence;
  UnixTime committed;
};
void add_record(BatchBuilder& batch, const EpochRecord& record);
void add_record(BatchBuilder& batch, const SiteRecord& record);
void add_record(BatchBuilder& batch, const PageRecord& record);
void add_record(BatchBuilder& batch, const HitRecord& record, const RecordContext& context);
void add_record(BatchBuilder& batch, const BaseRecord& record);
void add_record(BatchBuilder& batch, const RemovalRecord& record);
void add_record(BatchBuilder& batch, const VoidRecord& record);
void add_probe(BatchBuilder& batch);

// Text is borrowed from the record. A record whose details were removed has empty ones.
Result<EpochRecord> decode_epoch(const RecordView& record);
Result<SiteRecord> decode_site(const RecordView& record);
Result<PageRecord> decode_page(const RecordView& record);
Result<HitRecord> decode_hit(const RecordView& record, const RecordContext& context);
Result<BaseRecord> decode_base(const RecordView& record);
Result<RemovalRecord> decode_removal(const RecordView& record);
Result<VoidRecord> decode_void(const RecordView& record);

// The 128 bits an id is known by: SipHash of site and id under the journal's key. Its first half is
// the fingerprint of the retry window and of the count part, the whole stands in receipts.
Hash128 digest_of(const Key128& hash_key, SiteId site, std::string_view id);
inline std::uint64_t fingerprint_of(const Hash128& digest) {
  return load<std::uint64_t>(digest.data());
}

// The key of a site's page "(other)".
PageKey other_page_key(const Key128& hash_key, SiteId site);
inline constexpr std::string_view kOtherPageUrl = "(other)";

}  // namespace nando
