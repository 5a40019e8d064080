// Entrants: who is told apart from whom, and how long the key of it lives.
#include "visitors/entrants.h"

#include <gtest/gtest.h>

#include <set>

#include "visitors/pseudonym.h"
#include "visitors/test_run_directory.h"

namespace nando {
namespace {

using namespace std::chrono_literals;

constexpr PromotionId kPromotion{3};
constexpr std::string_view kAgent = "Mozilla/5.0 (X11; Linux x86_64)";
constexpr std::string_view kAddress = "198.51.100.77";
constexpr Key128 kKey{std::byte{1}};

Entrant named(std::string_view address, std::string_view agent = kAgent,
              PromotionId promotion = kPromotion, const Key128& key = kKey) {
  return entrant_of(key, promotion, *IpAddress::parse(address), agent);
}

// How an entrant differs from another: a letter for each key.
std::string difference(const Entrant& a, const Entrant& b) {
  std::string text;
  if (a.visitor != b.visitor) text += 'v';
  if (a.v4_24 != b.v4_24) text += '4';
  if (a.v6_64 != b.v6_64) text += 'a';
  if (a.v6_56 != b.v6_56) text += 'b';
  if (a.v6_48 != b.v6_48) text += 'c';
  return text;
}

TEST(Entrants, AreToldApartByTheirNetworksAtEveryBoundary) {
  struct Row {
    std::string_view one;
    std::string_view other;
    std::string_view differs;
  };
  for (const auto& row : {
           Row{"192.0.2.0", "192.0.2.0", ""},
           Row{"192.0.2.0", "192.0.2.1", "v"},
           Row{"192.0.2.0", "192.0.2.255", "v"},
           Row{"192.0.2.255", "192.0.3.0", "v4"},
           Row{"192.0.2.9", "192.0.3.9", "v4"},
           Row{"192.0.2.9", "::ffff:192.0.2.9", ""},
           Row{"2001:db8:1:2::", "2001:db8:1:2:ffff:ffff:ffff:ffff", ""},
           Row{"2001:db8:1:2::", "2001:db8:1:3::", "va"},
           Row{"2001:db8:1:2::", "2001:db8:1:ff::", "va"},
           Row{"2001:db8:1:2::", "2001:db8:1:102::", "vab"},
           Row{"2001:db8:1:2::", "2001:db8:1:ff02::", "vab"},
           Row{"2001:db8:1:2::", "2001:db8:2:2::", "vabc"},
           Row{"2001:db8:1:2::", "192.0.2.0", "v4abc"},
       }) {
    EXPECT_EQ(difference(named(row.one), named(row.other)), row.differs)
        << row.one << " " << row.other;
  }
}

TEST(Entrants, OfAnotherPromotionOrKeyAreOthersAndAnAgentMakesAVisitorOnly) {
  for (const auto address : {kAddress, std::string_view("2001:db8::1")}) {
    const auto networks = address == kAddress ? "4" : "abc";
    const auto who = named(address);
    EXPECT_EQ(difference(who, named(address, "another agent")), "v");
    EXPECT_EQ(difference(who, named(address, kAgent, PromotionId{4})), std::string("v") + networks);
    EXPECT_EQ(difference(who, named(address, kAgent, kPromotion, Key128{std::byte{2}})),
              std::string("v") + networks);
  }
  const std::string most(kAgentBytesMax - 1, 'a');
  EXPECT_EQ(difference(named(kAddress, most + "b"), named(kAddress, most + "c")), "v");
  EXPECT_EQ(difference(named(kAddress, most + "bb"), named(kAddress, most + "bc")), "");
}

// A network does not pass for another that begins alike, nor for a visitor.
TEST(Entrants, NoKeyIsAnotherNorNoneAndFamiliesHaveTheirOwn) {
  std::set<std::uint64_t> keys;
  std::size_t wanted = 0;
  for (const auto* address : {"0.0.0.0", "255.255.255.255", "192.0.2.1", "::", "2001:db8::"}) {
    const auto who = named(address, "");
    const bool is_v4 = std::string_view(address).find(':') == std::string_view::npos;
    EXPECT_EQ(who.v4_24 != 0, is_v4);
    for (const auto key : {who.v6_64, who.v6_56, who.v6_48}) EXPECT_EQ(key != 0, !is_v4);
    for (const auto key : {who.visitor, who.v4_24, who.v6_64, who.v6_56, who.v6_48}) {
      if (key != 0) keys.insert(key);
    }
    wanted += is_v4 ? 2 : 4;
  }
  EXPECT_EQ(keys.size(), wanted);
  const auto nobody = entrant_of(kKey, kPromotion, IpAddress{}, kAgent);
  EXPECT_NE(nobody.visitor, 0U);
  EXPECT_EQ(nobody, (Entrant{.visitor = nobody.visitor}));
}

class EntrantKeyTest : public testing::Test {
 protected:
  EntrantKey key() { return {run.open(), entropy, clock}; }
  static Key128 bytes_of(const EntrantKey& from) {
    Key128 bytes{};
    EXPECT_TRUE(from.current()->read(bytes));
    return bytes;
  }
  Buffer file() const {
    auto bytes = read_file(*run.open(), kEntrantKeyFile, 1 << 20);
    return bytes ? std::move(*bytes) : Buffer();
  }

  SystemEntropy entropy;
  ManualClock clock;
  RunDirectory run;
};

TEST_F(EntrantKeyTest, ARestartFindsItAndSoItsEntrants) {
  clock.advance(1h);
  const auto first = [&] {
    const auto before = key();
    Entrants entrants(before);
    return std::pair(bytes_of(before),
                     entrants.of(kPromotion, *IpAddress::parse(kAddress), kAgent));
  }();
  EXPECT_TRUE(run.holds(first.first));
  clock.advance(23h);
  const auto after = key();
  EXPECT_EQ(bytes_of(after), first.first);
  EXPECT_EQ(Entrants(after).of(kPromotion, *IpAddress::parse(kAddress), kAgent), first.second);
  const EntrantKey elsewhere(nullptr, entropy, clock);  // The control.
  EXPECT_NE(bytes_of(elsewhere), first.first);
}

TEST_F(EntrantKeyTest, IsForItsOwnerOnlyAndHasNoAddressInIt) {
  const auto made = key();
  Entrants(made).of(kPromotion, *IpAddress::parse(kAddress), kAgent);
  const auto path = std::filesystem::path(run.path()) / kEntrantKeyFile;
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto bytes = file();
  EXPECT_EQ(bytes.size(), 44U);
  EXPECT_EQ(as_text(bytes).find(kAddress), std::string_view::npos);
  const auto address = IpAddress::parse(kAddress)->bytes;
  EXPECT_EQ(as_text(bytes).find(std::string_view(reinterpret_cast<const char*>(&address), 4)),
            std::string_view::npos);
}

TEST_F(EntrantKeyTest, LivesADayOfTimeThatNoStepMoves) {
  auto made = key();
  const auto first = bytes_of(made);
  const auto held = made.current();
  for (const auto step : std::initializer_list<std::chrono::hours>{24h * 3650, -24h * 3651}) {
    clock.step_wall(step);
    made.tick();
    EXPECT_EQ(bytes_of(made), first) << "P8: the clock wins nothing";
  }
  clock.advance(kEntrantKeyAge - 1ms);
  made.tick();
  EXPECT_EQ(bytes_of(made), first);
  EXPECT_TRUE(run.holds(first));
  clock.advance(1ms);
  made.tick();
  EXPECT_NE(bytes_of(made), first);
  EXPECT_FALSE(run.holds(first));
  Key128 wiped{};
  EXPECT_FALSE(held->read(wiped));
  EXPECT_EQ(wiped, Key128{});
}

TEST_F(EntrantKeyTest, AThreadThatHeldTheOldOneUsesTheNew) {
  auto made = key();
  Entrants entrants(made);
  const auto who = [&] { return entrants.of(kPromotion, *IpAddress::parse(kAddress), kAgent); };
  const auto before = who();
  EXPECT_EQ(who(), before);
  clock.advance(kEntrantKeyAge);
  made.tick();
  EXPECT_EQ(difference(who(), before), "v4");
  EXPECT_EQ(who(), entrant_of(bytes_of(made), kPromotion, *IpAddress::parse(kAddress), kAgent));
}

TEST_F(EntrantKeyTest, IsOverAfterADayARebootOrTooLongByTheWall) {
  struct Row {
    std::chrono::milliseconds made_at;
    std::chrono::milliseconds back_at;  // Monotonic both.
    std::chrono::milliseconds wall_step;
    std::string_view becomes;
  };
  for (const auto& row : {
           Row{1h, 25h - 1ms, 0ms, "kept"},
           Row{1h, 25h, 0ms, "new"},
           Row{1h, 1h, 0ms, "kept"},
           Row{1h, 1h - 1ms, 0ms, "new"},  // The machine was started again.
           Row{1h, 2h, -24h, "kept"},
           Row{1h, 2h, 47h - 1ms, "kept"},
           Row{1h, 2h, 47h, "new"},
           Row{1h, 2h, -49h + 1ms, "kept"},
           Row{1h, 2h, -49h, "new"},
       }) {
    ManualClock before;
    before.advance(row.made_at);
    const auto first = bytes_of(EntrantKey(run.open(), entropy, before));
    ManualClock after;
    after.advance(row.back_at);
    after.step_wall(row.wall_step);
    const EntrantKey again(run.open(), entropy, after);
    const auto* const is = bytes_of(again) == first ? "kept" : "new";
    EXPECT_EQ(is, row.becomes) << row.back_at.count() << " " << row.wall_step.count();
    EXPECT_EQ(run.holds(first), row.becomes == "kept");
    std::filesystem::remove(std::filesystem::path(run.path()) / kEntrantKeyFile);
  }
}

TEST_F(EntrantKeyTest, ADamagedFileIsNotUsed) {
  const auto first = bytes_of(key());
  const auto whole = file();
  const auto becomes = [&](const Buffer& bytes) {
    EXPECT_TRUE(replace_file(*run.open(), kEntrantKeyFile, bytes));
    return bytes_of(key());
  };
  EXPECT_EQ(becomes(whole), first) << "the control";
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] ^= std::byte{0x80};  // Of a time: one that no clock has.
    EXPECT_NE(becomes(damaged), first) << at;
    EXPECT_NE(becomes(Buffer(whole.begin(), whole.begin() + static_cast<int>(at))), first) << at;
  }
  auto longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_NE(becomes(longer), first);
}

TEST_F(EntrantKeyTest, ACrashWhileWritingLeavesNoneBehind) {
  const auto first = bytes_of(key());
  const auto path = (std::filesystem::path(run.path()) / kEntrantKeyFile).string();
  std::filesystem::copy_file(path, path + ".tmp");
  auto again = key();
  EXPECT_EQ(bytes_of(again), first);
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST_F(EntrantKeyTest, AnUnwritableDirectoryStopsNobodyAndIsTriedAgain) {
  bool is_read_only = false;
  EntrantKey made(std::make_unique<ReadOnlyDirectory>(run.open(), is_read_only), entropy, clock);
  const auto first = bytes_of(made);
  is_read_only = true;
  clock.advance(kEntrantKeyAge);
  made.tick();
  const auto second = bytes_of(made);
  EXPECT_NE(second, first);
  EXPECT_FALSE(run.holds(first)) << "better no file than one with a key that was to be gone";
  EXPECT_TRUE(file().empty());
  made.tick();
  EXPECT_TRUE(file().empty());
  is_read_only = false;
  made.tick();
  EXPECT_EQ(bytes_of(made), second);
  EXPECT_TRUE(run.holds(second));
  clock.advance(kEntrantKeyAge - 1ms);
  EXPECT_EQ(bytes_of(key()), second) << "by the time it was made, not written";
}

TEST_F(EntrantKeyTest, EndsWithItsOwner) {
  std::shared_ptr<const Salt> held;
  {
    const EntrantKey made(nullptr, entropy, clock);
    held = made.current();
  }
  Key128 wiped{};
  EXPECT_FALSE(held->read(wiped));
}

}  // namespace
}  // namespace nando
