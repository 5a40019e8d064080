// What the tests of this layer share: a run directory, and one that cannot be written.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "base/hash.h"
#include "disk/file.h"

namespace nando {

// A run directory that lives as long as the test.
class RunDirectory {
 public:
  RunDirectory() : path_(testing::TempDir() + "run_" + name_of_test()) {
    std::filesystem::remove_all(path_);
  }
  ~RunDirectory() { std::filesystem::remove_all(path_); }
  std::unique_ptr<Directory> open() const {
    return open_directory(path_, IfMissing::create).value();
  }
  bool holds(const Key128& key) const {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      const auto directory = open();
      const auto bytes = read_file(*directory, entry.path().filename().string(), 1 << 20).value();
      // Not std::ranges::search: clang 14 cannot compile libstdc++'s subrange.
      if (std::search(bytes.begin(), bytes.end(), key.begin(), key.end()) != bytes.end()) {
        return true;
      }
    }
    return false;
  }
  const std::string& path() const { return path_; }

 private:
  static std::string name_of_test() {
    return testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  std::string path_;
};

// The run directory, while somebody has filled it or taken our right to write.
class ReadOnlyDirectory final : public Directory {
 public:
  ReadOnlyDirectory(std::unique_ptr<Directory> real, const bool& is_read_only)
      : real_(std::move(real)), is_read_only_(is_read_only) {}
  Result<std::unique_ptr<File>> open(std::string_view name, OpenMode mode) override {
    if (is_read_only_ && mode != OpenMode::read) return Error{Code::io, "read-only"};
    return real_->open(name, mode);
  }
  Result<> rename(std::string_view from, std::string_view to) override {
    return real_->rename(from, to);
  }
  Result<> remove(std::string_view name) override { return real_->remove(name); }
  Result<> sync() override { return real_->sync(); }
  Result<std::vector<std::string>> list() override { return real_->list(); }
  Result<std::uint64_t> free_bytes() override { return real_->free_bytes(); }
  std::string path() const override { return real_->path(); }

 private:
  std::unique_ptr<Directory> real_;
  const bool& is_read_only_;
};

}  // namespace nando
