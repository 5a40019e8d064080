// A disk that fails under SQLite: a VFS in front of the real one that fails the k-th write, sync or
// removal.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>

#include "registry/registry.h"

namespace nando {
namespace {

struct Faults {
  int countdown = 0;  // The countdown-th step from now fails, and all after it; 0: none does.
  int steps = 0;      // Seen since the countdown was set.

  bool fails() {
    ++steps;
    return countdown != 0 && steps >= countdown;
  }
};

struct FaultyFile {
  sqlite3_file base;
  sqlite3_file* real;
  Faults* faults;
};

FaultyFile& mine(sqlite3_file* file) {
  return *reinterpret_cast<FaultyFile*>(file);
}
sqlite3_file* real(sqlite3_file* file) {
  return mine(file).real;
}

const sqlite3_io_methods kMethods = {
    1,
    [](sqlite3_file* f) {
      const int status = real(f)->pMethods->xClose(real(f));
      sqlite3_free(real(f));
      return status;
    },
    [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
      return real(f)->pMethods->xRead(real(f), to, n, at);
    },
    [](sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
      if (mine(f).faults->fails()) return SQLITE_IOERR_WRITE;
      return real(f)->pMethods->xWrite(real(f), from, n, at);
    },
    [](sqlite3_file* f, sqlite3_int64 n) { return real(f)->pMethods->xTruncate(real(f), n); },
    [](sqlite3_file* f, int flags) {
      if (mine(f).faults->fails()) return SQLITE_IOERR_FSYNC;
      return real(f)->pMethods->xSync(real(f), flags);
    },
    [](sqlite3_file* f, sqlite3_int64* n) { return real(f)->pMethods->xFileSize(real(f), n); },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); },
    [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); },
    [](sqlite3_file* f, int* out) { return real(f)->pMethods->xCheckReservedLock(real(f), out); },
    [](sqlite3_file* f, int op, void* arg) {
      return real(f)->pMethods->xFileControl(real(f), op, arg);
    },
    [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); },
    [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); },
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

// The default VFS while it lives.
class FaultyDisk {
 public:
  FaultyDisk() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.zName = "faulty";
    vfs_.pAppData = this;
    vfs_.szOsFile = sizeof(FaultyFile);
    vfs_.xOpen = open;
    vfs_.xDelete = [](sqlite3_vfs* vfs, const char* name, int sync) {
      auto& self = of(vfs);
      if (self.faults.fails()) return SQLITE_IOERR_DELETE;
      return self.real_->xDelete(self.real_, name, sync);
    };
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultyDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
  }

  Faults faults;

 private:
  static FaultyDisk& of(sqlite3_vfs* vfs) { return *static_cast<FaultyDisk*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    auto& self = of(vfs);
    auto* const inner = static_cast<sqlite3_file*>(sqlite3_malloc(self.real_->szOsFile));
    const int status = self.real_->xOpen(self.real_, name, inner, flags, out);
    if (status != SQLITE_OK) {
      sqlite3_free(inner);
      return status;
    }
    mine(file) = FaultyFile{{&kMethods}, inner, &self.faults};
    return SQLITE_OK;
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
};

std::string make_folder() {
  auto name = testing::TempDir() + "faults-XXXXXX";
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  return name;
}

const Fields kOld{{"x", "old"}};
const Fields kNew{{"x", "new"}};

TEST(Registry, AFailedChangeIsThereOrNotAndIsFinalUntilTheNextStart) {
  bool reached_the_end = false;
  for (int k = 1; !reached_the_end; ++k) {
    const auto folder = make_folder();
    ASSERT_TRUE((*open_registry(folder))->put("a", "1", kOld, kNoVersion));
    bool done = false;
    {
      FaultyDisk disk;
      auto registry = open_registry(folder);
      ASSERT_TRUE(registry);
      disk.faults = {k, 0};
      const auto put = (*registry)->put("a", "1", kNew, 1);
      reached_the_end = disk.faults.steps < k;
      done = put.has_value();
      EXPECT_EQ((*registry)->get("a", "1")->fields, done ? kNew : kOld) << k;
      disk.faults = {};
      if (!done) {
        EXPECT_EQ(put.error().code, Code::io) << k;
        EXPECT_FALSE((*registry)->put("a", "2", kNew, kNoVersion)) << k;
      }
    }
    auto reopened = open_registry(folder);
    ASSERT_TRUE(reopened) << "step " << k << ": " << reopened.error().message;
    const auto fields = (*reopened)->get("a", "1")->fields;
    EXPECT_TRUE(fields == kNew || (!done && fields == kOld)) << k;
    EXPECT_FALSE((*reopened)->get("a", "2")) << k;
    ASSERT_LT(k, 100);
  }
}

TEST(Registry, AChangeIsSyncedBeforeItIsAnswered) {
  const auto folder = make_folder();
  ASSERT_TRUE((*open_registry(folder))->put("a", "1", kOld, kNoVersion));
  FaultyDisk disk;
  auto registry = open_registry(folder);
  ASSERT_TRUE(registry);
  disk.faults = {};
  ASSERT_TRUE((*registry)->put("a", "1", kNew, 1));
  // Rollback journal, its header, the pages, and the removal of the rollback journal.
  EXPECT_GE(disk.faults.steps, 4);
}

}  // namespace
}  // namespace nando
