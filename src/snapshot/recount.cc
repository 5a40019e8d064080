#include "snapshot/recount.h"

#include <fmt/core.h>

#include <utility>

#include "model/counting.h"
#include "prizes/entry_chain.h"

namespace nando {

namespace {

constexpr std::uint64_t kProgressEvery = 1 << 16;  // Records.

Error wrong_ordinal(std::string_view of, std::uint64_t id, std::uint64_t ordinal,
                    std::uint64_t counted) {
  return {Code::corrupt,
          fmt::format("{} {} has ordinal {} where {} were counted", of, id, ordinal, counted)};
}

}  // namespace

Result<> Recount::advance(JournalReader& journal, Sequence up_to,
                          const std::function<void(Sequence)>& progress) {
  if (up_to <= at_) return {};
  auto next_report = at_.value + kProgressEvery;
  return journal.scan(at_, up_to, [&](const BatchView& batch) -> Result<> {
    if (auto counted = count(batch); !counted) return counted;
    at_ = batch.last();
    if (at_.value >= next_report) {
      next_report = at_.value + kProgressEvery;
      progress(at_);
    }
    return {};
  });
}

Result<> Recount::count(const BatchView& batch) {
  auto sequence = batch.first;
  const auto wrong = [&](const Error& error) {
    return Error{error.code, fmt::format("record {}: {}", sequence.value, error.message)};
  };
  for (const auto& record : batch.records) {
    if (earner_ && record.kind != static_cast<std::uint8_t>(RecordKind::entry)) {
      return wrong({Code::corrupt, "the entry that the hit before it earned is not there"});
    }
    Result<> done;
    switch (static_cast<RecordKind>(record.kind)) {
      case RecordKind::page_view:
      case RecordKind::event: {
        const auto hit = decode_hit(record, {sequence, batch.committed});
        done = hit ? count_hit(*hit) : Result<>(hit.error());
        break;
      }
      case RecordKind::page: {
        const auto page = decode_page(record);
        if (!page) {
          done = page.error();
        } else if (page->is_again && page->page.value <= pages_.size()) {
          break;
        } else if (page->page.value != pages_.size() + 1) {
          done = Error{Code::corrupt, "a page was introduced out of turn"};
        } else {
          pages_.push_back(0);
        }
        break;
      }
      default:
        done = count_prize(record, batch.committed);
        break;
    }
    if (!done) return wrong(done.error());
    if (record.kind < kinds_.size()) ++kinds_[record.kind];
    ++sequence.value;
  }
  if (!earner_) return {};
  return wrong({Code::corrupt, "the entry that the last hit of a batch earned is not there"});
}

Result<> Recount::count_prize(const RecordView& record, UnixTime committed) {
  switch (static_cast<RecordKind>(record.kind)) {
    case RecordKind::promotion: {
      const auto promotion = decode_promotion(record);
      return promotion ? count_promotion(*promotion) : Result<>(promotion.error());
    }
    case RecordKind::entry: {
      const auto entry = decode_entry(record);
      return entry ? count_entry(*entry, committed) : Result<>(entry.error());
    }
    case RecordKind::claim: {
      const auto claim = decode_claim(record);
      return claim ? count_claim(*claim) : Result<>(claim.error());
    }
    default:
      return {};
  }
}

Result<> Recount::count_promotion(const PromotionRecord& record) {
  const bool is_known = promotions_.contains(record.promotion);
  if (record.act != PromotionAct::opened) {
    return is_known ? Result<>() : Error{Code::corrupt, "a promotion changed that was not opened"};
  }
  if (is_known || record.promotion.value != promotions_.size() + 1) {
    return Error{Code::corrupt, "a promotion was opened out of turn"};
  }
  promotions_[record.promotion].link = first_link(sha256(as_bytes(record.text)));
  return {};
}

Result<> Recount::count_entry(const EntryRecord& entry, UnixTime committed) {
  const auto found = promotions_.find(entry.promotion);
  if (found == promotions_.end()) {
    return Error{Code::corrupt, "an entry names a promotion that was not opened"};
  }
  const auto earner = std::exchange(earner_, std::nullopt);
  if (!earner || (earner->fingerprint && *earner->fingerprint != fingerprint_of(entry.id_digest))) {
    return Error{Code::corrupt, "an entry does not follow the hit that earned it"};
  }
  auto& promotion = found->second;
  if (entry.ordinal != ++promotion.entries) {
    return wrong_ordinal("promotion", entry.promotion.value, entry.ordinal, promotion.entries);
  }
  promotion.link = next_link(promotion.link, {.entry = entry.ordinal,
                                              .committed = committed,
                                              .id_digest = entry.id_digest,
                                              .secret_hash = entry.secret_hash});
  return {};
}

Result<> Recount::count_claim(const ClaimRecord& claim) {
  const auto wrong = [&](std::string_view what) {
    return Error{Code::corrupt, fmt::format("prize {} of promotion {} {}", claim.prize,
                                            claim.promotion.value, what)};
  };
  const auto found = promotions_.find(claim.promotion);
  if (found == promotions_.end()) return wrong("is of one that was not opened");
  auto& promotion = found->second;
  if (claim.prize != ++promotion.claims) return wrong("was given out of turn");
  if (claim.entry == 0 || claim.entry > promotion.entries) return wrong("went to no entry");
  if (!claimed_.emplace(claim.promotion, claim.entry).second)
    return wrong("went to one that had one");
  return {};
}

Result<> Recount::count_hit(const HitRecord& hit) {
  if (hit.page.value == 0 || hit.page.value > pages_.size()) {
    return Error{Code::corrupt, "a hit names a page that was not introduced"};
  }
  auto& page = pages_[hit.page.value - 1];
  auto& site = sites_[hit.site];
  if (is_numbered(hit.kind, hit.door, hit.agent)) {
    ++page;
    ++site;
    ++hits_;
  }
  if (hit.has_draw_entry) earner_ = Earner{hit.fingerprint};
  if (hit.page_ordinal != page)
    return wrong_ordinal("page", hit.page.value, hit.page_ordinal, page);
  if (hit.site_ordinal != site)
    return wrong_ordinal("site", hit.site.value, hit.site_ordinal, site);
  return {};
}

}  // namespace nando
