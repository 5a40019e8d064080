#include "disk/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "disk/simulated_disk.h"

namespace nando {

namespace {

// What both directories, the real one and the simulated one, must do alike.
class DirectoryTest : public testing::TestWithParam<const char*> {
 protected:
  DirectoryTest() {
    if (std::string_view(GetParam()) == "simulated") {
      directory_ = std::make_unique<SimulatedDisk>(1);
      return;
    }
    std::filesystem::remove_all(path_);
    directory_ = *open_directory(path_ + "/deeper", IfMissing::create);
  }
  ~DirectoryTest() override { std::filesystem::remove_all(path_); }

  const std::string path_ = testing::TempDir() + "/file_test";
  std::unique_ptr<Directory> directory_;
};

TEST_P(DirectoryTest, WhatIsWrittenInPartsIsReadBack) {
  const auto file = *directory_->open("a", OpenMode::create_new);
  const std::array parts{as_bytes("one "), as_bytes(""), as_bytes("two "), as_bytes("three")};
  ASSERT_TRUE(file->write_at(3, parts));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(file->size().value(), 16U);
  Buffer bytes(20);
  EXPECT_EQ(file->read_at(3, bytes).value(), 13U);
  EXPECT_EQ(as_text(Bytes(bytes).first(13)), "one two three");
  EXPECT_EQ(file->read_at(100, bytes).value(), 0U);
}

TEST_P(DirectoryTest, AllocatedSpaceReadsAsZerosAndKeepsWhatIsThere) {
  const auto file = *directory_->open("a", OpenMode::create_new);
  ASSERT_TRUE(file->write_at(0, as_bytes("x")));
  ASSERT_TRUE(file->allocate(5));
  EXPECT_EQ(file->size().value(), 5U);
  Buffer bytes(5, std::byte{1});
  ASSERT_TRUE(file->read_at(0, bytes));
  EXPECT_EQ(as_text(bytes), std::string_view("x\0\0\0\0", 5));
  ASSERT_TRUE(file->allocate(2));
  EXPECT_EQ(file->size().value(), 5U);
  ASSERT_TRUE(file->truncate(1));
  EXPECT_EQ(file->size().value(), 1U);
}

TEST_P(DirectoryTest, OpenModesSayWhatMustBeThere) {
  EXPECT_EQ(directory_->open("a", OpenMode::read).error().code, Code::not_found);
  EXPECT_EQ(directory_->open("a", OpenMode::write).error().code, Code::not_found);
  EXPECT_TRUE(directory_->open("a", OpenMode::create_new));
  EXPECT_EQ(directory_->open("a", OpenMode::create_new).error().code, Code::conflict);
  EXPECT_TRUE(directory_->open("a", OpenMode::read));
}

TEST_P(DirectoryTest, NamesMoveAndGo) {
  for (const auto* name : {"b", "a"}) ASSERT_TRUE(directory_->open(name, OpenMode::create_new));
  EXPECT_EQ(directory_->list().value(), (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(directory_->rename("a", "b"));
  EXPECT_EQ(directory_->list().value(), std::vector<std::string>{"b"});
  EXPECT_EQ(directory_->rename("a", "b").error().code, Code::not_found);
  ASSERT_TRUE(directory_->remove("b"));
  EXPECT_EQ(directory_->remove("b").error().code, Code::not_found);
  ASSERT_TRUE(directory_->sync());
  EXPECT_GT(directory_->free_bytes().value(), 0U);
}

TEST_P(DirectoryTest, AnOpenFileOutlivesItsName) {
  const auto file = *directory_->open("a", OpenMode::create_new);
  ASSERT_TRUE(file->write_at(0, as_bytes("still here")));
  ASSERT_TRUE(directory_->remove("a"));
  Buffer bytes(10);
  EXPECT_EQ(file->read_at(0, bytes).value(), 10U);
}

TEST_P(DirectoryTest, AFileIsReplacedWholeOrNotAtAll) {
  for (const std::string text : {"first", "second, longer", ""}) {
    ASSERT_TRUE(replace_file(*directory_, "a", as_bytes(text)));
    EXPECT_EQ(as_text(read_file(*directory_, "a", 100).value()), text);
  }
  EXPECT_EQ(directory_->list().value(), std::vector<std::string>{"a"});
}

TEST_P(DirectoryTest, AFileIsReadUpToTheLimitAndNotPastIt) {
  ASSERT_TRUE(replace_file(*directory_, "a", as_bytes("12345")));
  EXPECT_TRUE(read_file(*directory_, "a", 5));
  EXPECT_EQ(read_file(*directory_, "a", 4).error().code, Code::invalid);
  EXPECT_EQ(read_file(*directory_, "b", 4).error().code, Code::not_found);
}

INSTANTIATE_TEST_SUITE_P(Both, DirectoryTest, testing::Values("real", "simulated"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(RealDirectory, IsMadeForItsOwnerAlone) {
  const auto path = testing::TempDir() + "/file_test_modes";
  std::filesystem::remove_all(path);
  EXPECT_EQ(open_directory(path, IfMissing::fail).error().code, Code::not_found);
  const auto directory = *open_directory(path, IfMissing::create);
  ASSERT_TRUE(directory->open("a", OpenMode::create_new));
  const auto mode = [](const std::string& of) {
    struct stat status {};
    EXPECT_EQ(::stat(of.c_str(), &status), 0);
    return status.st_mode & 0777;
  };
  EXPECT_EQ(mode(path), 0700U);
  EXPECT_EQ(mode(path + "/a"), 0600U);
  std::filesystem::remove_all(path);
}

// A power cut at any call of replace_file leaves the old file or the new one.
TEST(ReplaceFile, APowerCutLeavesTheOldFileOrTheNewOne) {
  int survived = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    SimulatedDisk disk(seed);
    ASSERT_TRUE(replace_file(disk, "a", as_bytes(std::string(2000, 'o'))));
    disk.stop_at_call(disk.calls() + 1 + seed % 9);
    const bool done = replace_file(disk, "a", as_bytes(std::string(2000, 'n'))).has_value();
    disk.power_cut();
    const auto text = std::string(as_text(read_file(disk, "a", 9999).value()));
    EXPECT_TRUE(text == std::string(2000, 'n') || (!done && text == std::string(2000, 'o')));
    survived += text[0] == 'n';
  }
  EXPECT_GT(survived, 50);
  EXPECT_LT(survived, 450);
}

}  // namespace

}  // namespace nando
