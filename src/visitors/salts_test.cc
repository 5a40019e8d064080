#include "visitors/salts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "visitors/pseudonym.h"
#include "visitors/test_run_directory.h"

namespace nando {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr SiteId kSite{9};

UnixTime noon() {
  return ManualClock().now() + hours{12};
}

Key128 key_of(const std::shared_ptr<const Salt>& salt) {
  Key128 key{};
  EXPECT_TRUE(salt->read(key));
  return key;
}

bool is_gone(const std::shared_ptr<const Salt>& salt) {
  Key128 key{};
  const bool readable = salt->read(key);
  return !readable && key == Key128{};
}

TEST(Salts, EachSiteAndDayHasOneOfItsOwn) {
  SystemEntropy entropy;
  Salts salts(nullptr, entropy, noon());
  const auto today = Zone::utc().day_of(noon());
  const auto salt = salts.salt_of(kSite, today, noon());
  EXPECT_EQ(salts.salt_of(kSite, today, noon()), salt);
  EXPECT_EQ(salts.find(kSite, today.day), salt);
  EXPECT_NE(key_of(salts.salt_of(SiteId{10}, today, noon())), key_of(salt));
  const auto tomorrow = Zone::utc().day_of(today.ends);
  EXPECT_EQ(salts.find(kSite, tomorrow.day), nullptr);
  EXPECT_NE(key_of(salts.salt_of(kSite, tomorrow, today.ends)), key_of(salt));
}

TEST(Salts, ARestartFindsThem) {
  SystemEntropy entropy;
  const RunDirectory run;
  const auto today = Zone::utc().day_of(noon());
  Key128 key;
  {
    Salts salts(run.open(), entropy, noon());
    key = key_of(salts.salt_of(kSite, today, noon()));
    EXPECT_EQ(salts.problem(), "");
  }
  Salts again(run.open(), entropy, noon() + hours{1});
  EXPECT_EQ(key_of(again.salt_of(kSite, today, noon() + hours{1})), key);

  Salts elsewhere(nullptr, entropy, noon());  // The control: without the file it is another.
  EXPECT_NE(key_of(elsewhere.salt_of(kSite, today, noon())), key);
}

TEST(Salts, AreForTheirOwnerOnly) {
  SystemEntropy entropy;
  const RunDirectory run;
  Salts salts(run.open(), entropy, noon());
  salts.salt_of(kSite, Zone::utc().day_of(noon()), noon());
  const auto file = std::filesystem::path(run.path()) / kSaltsFile;
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(Salts, AreGoneHalfAnHourAfterTheirDayInEveryZone) {
  SystemEntropy entropy;
  for (const auto* name : {"Pacific/Kiritimati", "Etc/GMT+12", "Etc/UTC", "Europe/Berlin"}) {
    const RunDirectory run;
    const auto today = Zone::find(name)->day_of(noon());
    Salts salts(run.open(), entropy, today.begins);
    const auto salt = salts.salt_of(kSite, today, today.begins);
    const auto key = key_of(salt);
    const auto dies = today.ends + kMidnightGrace;
    salts.tick(dies - milliseconds{1});
    EXPECT_EQ(key_of(salt), key) << name;
    EXPECT_TRUE(run.holds(key)) << name;  // So the search would find it.
    salts.tick(dies);
    EXPECT_TRUE(is_gone(salt)) << name;
    EXPECT_FALSE(run.holds(key)) << name;
    EXPECT_LT(dies - today.begins, kSaltAgeMax) << name;
  }
}

TEST(Salts, NoneLivesPast48HoursHoweverLongItsDay) {
  SystemEntropy entropy;
  const RunDirectory run;
  const LocalDay endless{Day{1}, noon(), noon() + hours{1000}};
  Salts salts(run.open(), entropy, noon());
  const auto salt = salts.salt_of(kSite, endless, noon());
  const auto key = key_of(salt);
  salts.tick(noon() + kSaltAgeMax - milliseconds{1});
  EXPECT_EQ(key_of(salt), key);
  salts.tick(noon() + kSaltAgeMax);
  EXPECT_TRUE(is_gone(salt));
  EXPECT_FALSE(run.holds(key));
}

TEST(Salts, AStartAndANewSaltDropOldOnesToo) {
  SystemEntropy entropy;
  const RunDirectory run;
  const auto today = Zone::utc().day_of(noon());
  Key128 key;
  {
    Salts salts(run.open(), entropy, noon());
    key = key_of(salts.salt_of(kSite, today, noon()));
  }
  EXPECT_TRUE(run.holds(key));
  Salts later(run.open(), entropy, noon() + hours{49});
  EXPECT_FALSE(run.holds(key));

  Salts busy(nullptr, entropy, noon());
  const auto old = busy.salt_of(kSite, today, noon());
  const auto next = noon() + hours{24};
  busy.salt_of(kSite, Zone::utc().day_of(next), next);
  EXPECT_TRUE(is_gone(old));
}

TEST(Salts, ACrashWhileWritingLeavesNoneBehind) {
  SystemEntropy entropy;
  const RunDirectory run;
  Key128 key;
  {
    Salts salts(run.open(), entropy, noon());
    key = key_of(salts.salt_of(kSite, Zone::utc().day_of(noon()), noon()));
  }
  const auto file = std::filesystem::path(run.path()) / kSaltsFile;
  std::filesystem::rename(file, file.string() + ".tmp");
  EXPECT_TRUE(run.holds(key));
  Salts later(run.open(), entropy, noon() + hours{49});
  EXPECT_FALSE(run.holds(key));
}

TEST(Salts, AClockThatWasWrongKeepsNoneForYears) {
  SystemEntropy entropy;
  Salts salts(nullptr, entropy, noon());
  const auto wrong = noon() + hours{24 * 3650};
  const auto salt = salts.salt_of(kSite, Zone::utc().day_of(wrong), wrong);
  salts.tick(noon());
  EXPECT_TRUE(is_gone(salt));
  // A small step back is daily life.
  const auto kept = salts.salt_of(kSite, Zone::utc().day_of(noon()), noon());
  salts.tick(noon() - minutes{59});
  EXPECT_FALSE(is_gone(kept));
}

TEST(Salts, AreWipedForAllWhoHoldThem) {
  SystemEntropy entropy;
  std::shared_ptr<const Salt> held;
  {
    Salts salts(nullptr, entropy, noon());
    held = salts.salt_of(kSite, Zone::utc().day_of(noon()), noon());
  }
  EXPECT_TRUE(is_gone(held));
}

TEST(Salts, ADamagedFileIsReplacedAndSaidSo) {
  SystemEntropy entropy;
  const RunDirectory run;
  const auto today = Zone::utc().day_of(noon());
  Buffer whole;
  {
    Salts salts(run.open(), entropy, noon());
    salts.salt_of(kSite, today, noon());
    const auto directory = run.open();
    whole = read_file(*directory, kSaltsFile, 1 << 20).value();
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] ^= std::byte{0x40};
    const auto directory = run.open();
    ASSERT_TRUE(replace_file(*directory, kSaltsFile, damaged));
    Salts salts(run.open(), entropy, noon());
    EXPECT_EQ(salts.find(kSite, today.day), nullptr) << at;
    ASSERT_TRUE(replace_file(*directory, kSaltsFile, Bytes(whole).first(at)));
    Salts shorter(run.open(), entropy, noon());
    EXPECT_EQ(shorter.find(kSite, today.day), nullptr) << at;
  }
}

TEST(Salts, AnUnwritableDirectoryStopsNoCountingAndIsToldUntilItIsMended) {
  SystemEntropy entropy;
  const RunDirectory run;
  bool is_read_only = true;
  const auto today = Zone::utc().day_of(noon());
  Salts salts(std::make_unique<ReadOnlyDirectory>(run.open(), is_read_only), entropy, noon());
  const auto key = key_of(salts.salt_of(kSite, today, noon()));
  EXPECT_EQ(key_of(salts.salt_of(kSite, today, noon())), key);
  EXPECT_EQ(salts.problem(), "read-only");
  is_read_only = false;
  salts.tick(noon());
  EXPECT_EQ(salts.problem(), "");
  EXPECT_TRUE(run.holds(key));
}

TEST(Salts, WhatCannotBeWrittenWithoutAnOldSaltIsRemoved) {
  SystemEntropy entropy;
  const RunDirectory run;
  bool is_read_only = false;
  Salts salts(std::make_unique<ReadOnlyDirectory>(run.open(), is_read_only), entropy, noon());
  const auto key = key_of(salts.salt_of(kSite, Zone::utc().day_of(noon()), noon()));
  is_read_only = true;
  salts.tick(noon() + kSaltAgeMax);
  EXPECT_FALSE(run.holds(key));
  EXPECT_EQ(salts.problem(), "read-only");
}

TEST(Salts, NoRunDirectoryIsAProblemThatIsTold) {
  SystemEntropy entropy;
  Salts salts(nullptr, entropy, noon());
  EXPECT_NE(salts.problem(), "");
  salts.tick(noon());
  EXPECT_NE(salts.problem(), "");
}

TEST(Salts, AReaderBesideTheWipeSeesTheWholeSaltOrNone) {
  SystemEntropy entropy;
  for (int i = 0; i < 300; ++i) {
    const auto key = entropy.take<16>();
    Salt salt(key);
    std::jthread reader([&] {
      Key128 read{};
      while (salt.read(read)) ASSERT_EQ(read, key);
    });
    salt.wipe();
  }
}

TEST(Pseudonym, TellsApartWhatMakesAVisitor) {
  const Key128 salt{std::byte{1}};
  const Key128 other_salt{std::byte{2}};
  const auto v4 = *IpAddress::parse("192.0.2.1");
  const auto v4_next = *IpAddress::parse("192.0.2.2");
  const auto v6 = *IpAddress::parse("2001:db8::1");
  const auto v6_same = *IpAddress::parse("2001:db8::ffff:1");
  const auto v6_next = *IpAddress::parse("2001:db8:0:1::1");
  const auto visitor = pseudonym(salt, kSite, v4, "agent");
  EXPECT_EQ(pseudonym(salt, kSite, v4, "agent"), visitor);
  EXPECT_NE(pseudonym(other_salt, kSite, v4, "agent"), visitor);
  EXPECT_NE(pseudonym(salt, SiteId{10}, v4, "agent"), visitor);
  EXPECT_NE(pseudonym(salt, kSite, v4_next, "agent"), visitor);
  EXPECT_NE(pseudonym(salt, kSite, v4, "agent2"), visitor);
  EXPECT_EQ(pseudonym(salt, kSite, v6, "agent"), pseudonym(salt, kSite, v6_same, "agent"));
  EXPECT_NE(pseudonym(salt, kSite, v6, "agent"), pseudonym(salt, kSite, v6_next, "agent"));
  EXPECT_TRUE(pseudonym(salt, kSite, IpAddress{}, ""));
}

TEST(Pseudonym, ReadsAnAgentUpToItsLimit) {
  const std::string most(kAgentBytesMax - 1, 'a');
  const auto client = *IpAddress::parse("192.0.2.1");
  const auto named = [&](const std::string& agent) {
    return pseudonym(Key128{}, kSite, client, agent);
  };
  EXPECT_NE(named(most + "b"), named(most + "c"));
  EXPECT_EQ(named(most + "bb"), named(most + "bc"));
}

}  // namespace
}  // namespace nando
