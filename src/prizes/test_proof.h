// SimulatedPromotion: a promotion of which every part is made up from a seed, entries and all, for
// tests that check what would be published of it.
#pragma once

#include "base/entropy.h"
#include "prizes/entries_file.h"
#include "prizes/proof.h"
#include "prizes/seed_chain.h"

namespace nando {

inline constexpr UnixTime kTestOpens{std::chrono::hours{24 * 365 * 55}};
inline constexpr Key256 kTestMaster = {std::byte{1}, std::byte{2}, std::byte{3}};

// Of rule instant, by entries; change what a test needs otherwise.
inline Promotion test_promotion() {
  Promotion rules;
  rules.name = "launch";
  rules.host = "example.com";
  rules.opens = kTestOpens;
  rules.closes = kTestOpens + std::chrono::hours{240};
  rules.window_entries = 10;
  rules.window_count = 20;
  rules.winners = 2;
  rules.says = "A mug, and our \"thanks\" \u2713";
  rules.stock = 40;
  rules.claim_within = std::chrono::hours{24};
  return rules;
}

inline Promotion test_promotion(WinRule rule) {
  auto rules = test_promotion();
  rules.rule = rule;
  if (rule != WinRule::every && rule != WinRule::instant) {
    rules.windows = WindowKind::whole;
    rules.window_entries = 0;
    rules.window_count = 1;
  }
  if (rule == WinRule::exact) rules.ordinals = {1, 7, 90, 10'000};
  if (rule == WinRule::exact || rule == WinRule::every) rules.winners = 1;
  if (rule == WinRule::sealed) {
    rules.outside = "The six numbers, rising";
    rules.outside_at = rules.closes + std::chrono::hours{3};
  }
  return rules;
}

// Of rule instant, `windows` of a day each.
inline Promotion test_promotion_by_day(std::uint32_t windows) {
  auto rules = test_promotion();
  rules.windows = WindowKind::times;
  rules.window_entries = 0;
  rules.window_count = windows;
  for (std::uint32_t i = 1; i <= windows; ++i) {
    rules.window_ends.push_back(rules.opens + std::chrono::hours{24 * i});
  }
  rules.closes = rules.window_ends.back();
  return rules;
}

class SimulatedPromotion {
 public:
  explicit SimulatedPromotion(Promotion rules, std::uint64_t seed = 1)
      : rules_(std::move(rules)), seeds_(kTestMaster, rules_.window_count), chance_(seed) {
    if (rules_.rule == WinRule::instant) rules_.commitment = seeds_.commitment();
    links_.push_back(first_link(sha256(as_bytes(rules_text(rules_)))));
  }

  const Promotion& rules() const { return rules_; }

  void enter(UnixTime at) {
    entries_.push_back({entries_.size() + 1, at, chance_.take<16>(), chance_.take<16>()});
    links_.push_back(next_link(links_.back(), entries_.back()));
  }
  // Evenly over the time that the promotion is open.
  void enter_many(std::uint64_t count) {
    const auto open = rules_.closes - rules_.opens;
    for (std::uint64_t i = 0; i < count; ++i) {
      enter(rules_.opens + open * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(count));
    }
  }

  // What is published at `as_of`, later than every entry.
  Proof published(UnixTime as_of, const std::optional<std::string>& outside = {}) const {
    Proof proof;
    proof.promotion = rules_.name;
    proof.id = {7};
    proof.rules = rules_text(rules_);
    const bool ended = as_of >= rules_.closes;
    proof.status = ended ? PromotionStatus::closed : PromotionStatus::running;
    proof.as_of = as_of;
    proof.entries = entries_.size();
    proof.head = links_.back();
    proof.outside = outside;
    proof.stock = rules_.stock;
    proof.claimed = 1;
    WindowSpan span;
    for (std::uint32_t window = 1; window <= rules_.window_count; ++window) {
      span = span_of(window, span);
      const bool is_over = rules_.windows == WindowKind::times
                               ? rules_.window_ends[window - 1] <= as_of
                               : ended || (rules_.windows == WindowKind::entries &&
                                           span.entries() == rules_.window_entries);
      if (!is_over || (rules_.windows == WindowKind::entries && span.entries() == 0)) break;
      std::optional<Hash256> seed;
      if (rules_.rule == WinRule::instant) seed = seeds_.seed(window);
      proof.windows.push_back(prove_window(rules_, window, span, links_[span.last], seed, outside));
    }
    proof.statement = sign(statement(), SigningKey(kTestMaster));
    return proof;
  }
  Proof published_at_end() const { return published(rules_.closes); }

  Statement statement() const {
    return {.epoch = {std::byte{9}},
            .sequence = {1'234'567},
            .journal_head = sha256(as_bytes("journal")),
            .committed = rules_.closes,
            .promotion = {7},
            .rules_hash = sha256(as_bytes(rules_text(rules_))),
            .entries = entries_.size(),
            .head = links_.back()};
  }

  std::vector<EntryLink>& entries() { return entries_; }
  std::string entries_file() const {
    std::string text = std::string(kEntriesHeader) + "\n";
    for (const auto& entry : entries_) append_line(text, entry);
    return text;
  }

 private:
  WindowSpan span_of(std::uint32_t window, const WindowSpan& before) const {
    if (rules_.windows == WindowKind::entries) {
      return span_by_entries(rules_, window, entries_.size());
    }
    WindowSpan span{before.last + 1, before.last};
    while (span.last < entries_.size() &&
           window_of(rules_, span.last + 1, entries_[span.last].committed) == window) {
      ++span.last;
    }
    return span;
  }

  Promotion rules_;
  SeedChain seeds_;
  SeededEntropy chance_;
  std::vector<EntryLink> entries_;
  std::vector<Hash256> links_;  // links_[n] is after entry n.
};

}  // namespace nando
