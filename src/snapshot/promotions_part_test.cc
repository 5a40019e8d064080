// The promotions of a snapshot, written and read back, and what is made of damaged bytes before the
// checksum at a snapshot's end can tell.
#include "snapshot/promotions_part.h"

#include <gtest/gtest.h>

#include "base/entropy.h"
#include "disk/simulated_disk.h"

namespace nando {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kFile = "part";
constexpr UnixTime kOpens{24h};

Promotion rules_by_entries() {
  return {.name = "launch",
          .host = "blog.example.com",
          .pages = {"/a", "/b/*"},
          .opens = kOpens,
          .closes = kOpens + 24h,
          .rule = WinRule::every,
          .windows = WindowKind::entries,
          .window_entries = 3,
          .window_count = 100,
          .limits = {.visitor = 1, .v4_24 = 2, .v6_64 = 3, .v6_56 = 4, .v6_48 = 5},
          .says = "a mug",
          .stock = 100,
          .claim_within = 1h};
}

Promotion rules_by_times() {
  auto rules = rules_by_entries();
  rules.name = "daily";
  rules.rule = WinRule::instant;
  rules.commitment = Hash256{std::byte{1}};
  rules.windows = WindowKind::times;
  rules.window_entries = 0;
  for (int i = 1; i <= 24; ++i) rules.window_ends.push_back(kOpens + i * 1h);
  rules.window_count = 24;
  return rules;
}

Promotion rules_sealed() {
  auto rules = rules_by_entries();
  rules.name = "sealed";
  rules.rule = WinRule::sealed;
  rules.windows = WindowKind::whole;
  rules.window_entries = 0;
  rules.window_count = 1;
  rules.outside = "the numbers of tomorrow";
  rules.outside_at = rules.closes + 1h;
  return rules;
}

// Three promotions with all that one can have.
Entries full_entries() {
  Entries entries;
  std::uint32_t id = 0;
  for (const auto& rules : {rules_by_entries(), rules_by_times(), rules_sealed()}) {
    const PromotionId promotion{++id};
    const auto text = rules_text(rules);
    EXPECT_TRUE(
        entries.add(PromotionRecord{promotion, PromotionAct::opened, SiteId{id}, text}, kOpens));
    for (std::uint64_t n = 1; n <= 50; ++n) {
      const EntryRecord record{.promotion = promotion,
                               .ordinal = n,
                               .id_digest = {std::byte{1}, static_cast<std::byte>(n)},
                               .secret_hash = {std::byte{2}, static_cast<std::byte>(n)},
                               .entrant = {.visitor = n % 7 + 1, .v4_24 = n << 40}};
      EXPECT_TRUE(entries.add(record, kOpens + n * 20min));
    }
    for (std::uint32_t prize = 1; prize <= 9; ++prize) {
      EXPECT_TRUE(entries.add(ClaimRecord{promotion, 50 - prize, prize}, kOpens + prize * 1h));
    }
  }
  EXPECT_TRUE(entries.add(PromotionRecord{PromotionId{1}, PromotionAct::paused, SiteId{1}, {}},
                          kOpens + 20h));
  EXPECT_TRUE(entries.add(PromotionRecord{PromotionId{2}, PromotionAct::closed, SiteId{2}, {}},
                          kOpens + 20h));
  EXPECT_TRUE(entries.add(PromotionRecord{PromotionId{3}, PromotionAct::revealed, SiteId{3}, "3 7"},
                          kOpens + 26h));
  entries.publish();
  return entries;
}

Buffer bytes_of(const Entries& entries) {
  SimulatedDisk disk(1);
  const auto file = disk.open(kFile, OpenMode::create_new).value();
  SnapshotWriter out(*file);
  put_promotions(out, entries);
  EXPECT_TRUE(out.finish());
  auto bytes = *read_file(disk, kFile, 1 << 20);
  bytes.resize(bytes.size() - sizeof(std::uint64_t));  // The checksum.
  return bytes;
}

// Nothing if they are refused.
std::optional<Entries> read(const Buffer& bytes) {
  SimulatedDisk disk(1, {{std::string(kFile), bytes}});
  const auto file = disk.open(kFile, OpenMode::read).value();
  SnapshotReader in(*file);
  Entries entries;
  if (!get_promotions(in, entries)) return std::nullopt;
  return entries;
}

TEST(PromotionsPart, ReadsBackAllThatWasWritten) {
  const auto entries = full_entries();
  EXPECT_EQ(entries.find("launch")->ended.size(), 16U);
  EXPECT_EQ(entries.find("daily")->ended.size(), 16U);
  const auto back = read(bytes_of(entries));
  ASSERT_TRUE(back);
  ASSERT_EQ(back->all().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto& is = *back->all()[i];
    const auto& was = *entries.all()[i];
    EXPECT_EQ(is.id, was.id);
    EXPECT_EQ(is.site, was.site);
    EXPECT_EQ(is.text, was.text);
    EXPECT_EQ(*is.rules, *was.rules);
    EXPECT_EQ(is.intake, was.intake);
    EXPECT_EQ(is.opened_at, was.opened_at);
    EXPECT_EQ(is.closed_at, was.closed_at);
    EXPECT_EQ(is.entries, was.entries);
    EXPECT_EQ(is.link, was.link);
    EXPECT_EQ(is.ended, was.ended);
    EXPECT_EQ(is.entrants, was.entrants);
    EXPECT_EQ(is.outside, was.outside);
    EXPECT_EQ(is.revealed_at, was.revealed_at);
    EXPECT_EQ(is.claims, was.claims);
    EXPECT_EQ(*is.shown, 50U);
  }
}

// So a byte that is wrong is either refused, or one of those that only the checksum protects.
TEST(PromotionsPart, WhatIsReadIsWrittenAlikeWhateverTheBytes) {
  const auto whole = bytes_of(full_entries());
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] ^= static_cast<std::byte>(1U << at % 8);
    const auto back = read(damaged);
    refused += back ? 0 : 1;
    if (!back) continue;
    const auto again = bytes_of(*back);  // Shorter, where the count is.
    ASSERT_TRUE(again.size() <= damaged.size() &&
                std::equal(again.begin(), again.end(), damaged.begin()))
        << "byte " << at;
  }
  EXPECT_GT(refused, whole.size() / 4);
}

TEST(PromotionsPart, WhatNoJournalMakesIsRefused) {
  const auto good = full_entries();
  const auto refused = [&](auto spoil) {
    auto state = *good.all().front();
    spoil(state);
    Entries spoilt;
    spoilt.load(std::move(state));
    return !read(bytes_of(spoilt));
  };
  EXPECT_FALSE(refused([](PromotionState&) {})) << "the control";
  EXPECT_TRUE(refused([](PromotionState& state) { state.id = PromotionId{2}; }));
  EXPECT_TRUE(refused([](PromotionState& state) { state.ended.resize(101); })) << "of 100";
  EXPECT_TRUE(refused([](PromotionState& state) { state.intake = static_cast<Intake>(3); }));
  EXPECT_TRUE(refused([](PromotionState& state) { state.text += '\n'; }));
  EXPECT_TRUE(refused([](PromotionState& state) { state.outside = ""; }));
  EXPECT_TRUE(refused([](PromotionState& state) { state.entrants[0] = 1; })) << "no key is 0";
}

TEST(PromotionsPart, EveryTruncationIsRefused) {
  const auto whole = bytes_of(full_entries());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read(Buffer(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))))
        << size;
  }
}

// Who counted in 64 bits would be at it for years, and who made room for all of it out of memory.
TEST(PromotionsPart, AHugeCountCostsNoMoreThanTheBytesThatAreThere) {
  const auto whole = bytes_of(full_entries());
  const auto with_count_at = [&](std::size_t at, Buffer bytes) {
    store(bytes.data() + at, std::uint64_t{1} << 62);
    return bytes;
  };
  EXPECT_FALSE(read(with_count_at(0, whole)));
  // What stands where a fourth promotion should is none, and there is more than enough of it.
  auto longer = with_count_at(0, whole);
  longer.resize(longer.size() + (4 << 20), std::byte{0});
  EXPECT_FALSE(read(longer));
  const auto text = as_bytes(full_entries().all().front()->text);
  const auto fixed_bytes = 4 + text.size() + 1 + 8 + 8 + 8 + sizeof(Hash256);
  EXPECT_FALSE(read(with_count_at(8 + 4 + 4 + fixed_bytes, whole))) << "windows that ended";
}

}  // namespace
}  // namespace nando
