#include "disk/simulated_disk.h"

#include <gtest/gtest.h>

#include <set>

namespace nando {

namespace {

Buffer bytes_of(std::string_view text) {
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::unique_ptr<File> make(SimulatedDisk& disk, std::string_view name) {
  auto file = disk.open(name, OpenMode::create_new);
  EXPECT_TRUE(file);
  return std::move(*file);
}

// Runs `scene` on many disks and returns every state of the file "a" that a power cut left behind:
// its bytes as text, or "gone".
template <class Scene>
std::set<std::string> after_power_cuts(Scene scene) {
  std::set<std::string> states;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SimulatedDisk disk(seed);
    scene(disk);
    disk.power_cut();
    const auto image = disk.image();
    const auto file = image.find("a");
    states.insert(file == image.end() ? "gone" : std::string(as_text(file->second)));
  }
  return states;
}

TEST(SimulatedDisk, WhatIsSyncedSurvivesWithItsName) {
  const auto states = after_power_cuts([](SimulatedDisk& disk) {
    const auto file = make(disk, "a");
    ASSERT_TRUE(file->write_at(0, as_bytes("kept")));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.sync());
  });
  EXPECT_EQ(states, std::set<std::string>{"kept"});
}

TEST(SimulatedDisk, AFileSyncedWithoutItsDirectoryMayBeGone) {
  const auto states = after_power_cuts([](SimulatedDisk& disk) {
    const auto file = make(disk, "a");
    ASSERT_TRUE(file->write_at(0, as_bytes("kept")));
    ASSERT_TRUE(file->sync());
  });
  EXPECT_EQ(states, (std::set<std::string>{"gone", "kept"}));
}

TEST(SimulatedDisk, AnUnsyncedWriteMaySurviveInAnyPartAndItsSizeBeforeItsContent) {
  const std::string content(1024, 'x');
  const auto states = after_power_cuts([&](SimulatedDisk& disk) {
    const auto file = make(disk, "a");
    ASSERT_TRUE(disk.sync());
    ASSERT_TRUE(file->write_at(0, as_bytes(content)));
  });
  const std::string zeros(512, '\0');
  const std::string half(512, 'x');
  for (const auto& state : {std::string(), zeros + zeros, zeros + half, half + zeros, content}) {
    EXPECT_TRUE(states.count(state));
  }
}

TEST(SimulatedDisk, ARenameIsAllOrNothing) {
  const auto states = after_power_cuts([](SimulatedDisk& disk) {
    ASSERT_TRUE(make(disk, "a")->write_at(0, as_bytes("old")));
    const auto file = make(disk, "b");
    ASSERT_TRUE(file->write_at(0, as_bytes("new")));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.open("a", OpenMode::write).value()->sync());
    ASSERT_TRUE(disk.sync());
    ASSERT_TRUE(disk.rename("b", "a"));
  });
  EXPECT_EQ(states, (std::set<std::string>{"new", "old"}));
}

TEST(SimulatedDisk, AKillLosesNothingButTheOpenFiles) {
  SimulatedDisk disk(1);
  const auto file = make(disk, "a");
  ASSERT_TRUE(file->write_at(0, as_bytes("kept")));
  disk.kill();
  EXPECT_FALSE(file->sync());
  EXPECT_EQ(disk.image().at("a"), bytes_of("kept"));
}

TEST(SimulatedDisk, ASyncAfterOneThatFailedProvesNothing) {
  const auto states = after_power_cuts([](SimulatedDisk& disk) {
    const auto file = make(disk, "a");
    ASSERT_TRUE(disk.sync());
    ASSERT_TRUE(file->write_at(0, as_bytes("x")));
    disk.fail_call(disk.calls() + 1, Code::io);
    ASSERT_FALSE(file->sync());
    ASSERT_TRUE(file->sync());
    ASSERT_EQ(disk.image().at("a"), bytes_of("x"));
  });
  EXPECT_TRUE(states.count(""));
  EXPECT_TRUE(states.count("x"));
}

TEST(SimulatedDisk, CallsFailWhereTheyAreTold) {
  SimulatedDisk disk(1);
  const auto file = make(disk, "a");
  disk.fail_call(disk.calls() + 2, Code::full);
  EXPECT_TRUE(file->size());
  EXPECT_EQ(file->size().error().code, Code::full);
  EXPECT_TRUE(file->size());
  disk.stop_at_call(disk.calls() + 1);
  EXPECT_EQ(file->size().error().code, Code::io);
  EXPECT_EQ(disk.sync().error().code, Code::io);
  disk.power_cut();
  EXPECT_TRUE(disk.sync());
}

TEST(SimulatedDisk, SpaceEndsAtTheCapacity) {
  SimulatedDisk disk(1);
  disk.set_capacity(100);
  const auto file = make(disk, "a");
  EXPECT_TRUE(file->allocate(100));
  EXPECT_EQ(disk.free_bytes().value(), 0U);
  EXPECT_TRUE(file->write_at(90, as_bytes("0123456789")));
  EXPECT_EQ(file->write_at(91, as_bytes("0123456789")).error().code, Code::full);
  EXPECT_EQ(file->allocate(101).error().code, Code::full);
  EXPECT_TRUE(disk.remove("a"));
  EXPECT_EQ(disk.free_bytes().value(), 100U);
}

TEST(SimulatedDisk, TheSameSeedLeavesTheSameDisk) {
  const auto run = [](std::uint64_t seed) {
    SimulatedDisk disk(seed);
    for (const auto* name : {"a", "b", "c"}) {
      const auto file = make(disk, name);
      EXPECT_TRUE(file->write_at(100, bytes_of(std::string(3000, 'x'))));
    }
    disk.power_cut();
    return disk.image();
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

}  // namespace

}  // namespace nando
