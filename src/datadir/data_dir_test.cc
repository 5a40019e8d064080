#include "datadir/data_dir.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "datadir/run_dir.h"

namespace nando {
namespace {

std::string make_folder() {
  auto name = testing::TempDir() + "datadir-XXXXXX";
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  return name;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

Result<std::unique_ptr<DataDir>> open_at(const std::string& path,
                                         IfMissing if_missing = IfMissing::create) {
  SystemEntropy entropy;
  return DataDir::open(path, LockHolder::command, if_missing, entropy);
}

// Another process that holds the lock of a directory until it is told to go, or killed.
class OtherProcess {
 public:
  OtherProcess(const std::string& directory, LockHolder as) {
    int ready[2];
    int leave[2];
    EXPECT_EQ(::pipe(ready), 0);
    EXPECT_EQ(::pipe(leave), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(leave[1]);
      char byte = 'n';
      {
        const auto held = DirectoryLock::take(directory, as);
        byte = held ? 'y' : 'n';
        (void)!::write(ready[1], &byte, 1);
        (void)!::read(leave[0], &byte, 1);
      }
      ::_exit(0);
    }
    ::close(leave[0]);
    ::close(ready[1]);
    char byte = 'n';
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_EQ(byte, 'y');
    ::close(ready[0]);
    leave_ = leave[1];
  }
  ~OtherProcess() { go(); }

  pid_t pid() const { return pid_; }
  void go() {
    if (pid_ == 0) return;
    ::close(leave_);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }
  void kill() {
    ::kill(pid_, SIGKILL);
    go();
  }

 private:
  pid_t pid_ = 0;
  int leave_ = -1;
};

TEST(DataDir, MakesWhatIsMissingForItsOwnerAlone) {
  const auto path = make_folder() + "/a/data";
  const auto data = open_at(path);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_EQ(mode_of(path + "/journal"), 0700U);
  EXPECT_EQ(mode_of(path + "/keys"), 0600U);
  EXPECT_EQ(mode_of(path + "/lock"), 0600U);
  EXPECT_EQ((*data)->keys().current(), MacKeyId{1});
}

TEST(DataDir, MistypedPathMakesNothing) {
  const auto path = make_folder() + "/data";
  const auto data = open_at(path, IfMissing::fail);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, Code::not_found);
  EXPECT_NE(data.error().message.find(path), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(DataDir, SecondOneIsRefusedByDirectoryAndPid) {
  const auto path = make_folder();
  OtherProcess server(path, LockHolder::serve);
  const auto data = open_at(path);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, Code::busy);
  EXPECT_NE(data.error().message.find(path), std::string::npos);
  EXPECT_NE(data.error().message.find("process " + std::to_string(server.pid())),
            std::string::npos);
  EXPECT_NE(data.error().message.find("server"), std::string::npos);
  const auto holder = DirectoryLock::holder(path);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->pid, server.pid());
  EXPECT_EQ(holder->as, LockHolder::serve);
}

TEST(DataDir, IsRefusedToItsOwnProcessTwiceToo) {
  const auto path = make_folder();
  const auto first = open_at(path);
  ASSERT_TRUE(first);
  const auto second = open_at(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::busy);
  EXPECT_NE(second.error().message.find("a command, process " + std::to_string(::getpid())),
            std::string::npos);
}

TEST(DataDir, LockOfADeadProcessIsFree) {
  const auto path = make_folder();
  OtherProcess server(path, LockHolder::serve);
  server.kill();
  EXPECT_FALSE(DirectoryLock::holder(path));
  EXPECT_TRUE(open_at(path));
}

TEST(DataDir, LockIsFreeAfterItsHolderIsDone) {
  const auto path = make_folder();
  { EXPECT_TRUE(open_at(path)); }
  EXPECT_FALSE(DirectoryLock::holder(path));
  EXPECT_TRUE(open_at(path));
}

TEST(DirectoryWatch, WakesWhenTheLockIsLetGo) {
  using namespace std::chrono_literals;
  const auto path = make_folder();
  OtherProcess server(path, LockHolder::serve);
  DirectoryWatch watch(path);
  ASSERT_FALSE(open_at(path));
  std::thread other([&] { server.go(); });
  // Each wake-up is worth one more look; without the wake-up this would take minutes.
  auto data = open_at(path);
  while (!data) {
    watch.wait(60s);
    data = open_at(path);
  }
  other.join();
  EXPECT_TRUE(data);
}

TEST(DirectoryWatch, FailedAttemptsWakeNobody) {
  using namespace std::chrono_literals;
  const auto path = make_folder();
  const auto held = open_at(path);
  ASSERT_TRUE(held);
  DirectoryWatch watch(path);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(open_at(path));
  const auto begun = std::chrono::steady_clock::now();
  watch.wait(50ms);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 50ms);
}

TEST(DirectoryWatch, OfNoDirectoryWaitsNotForEver) {
  DirectoryWatch watch("/nowhere/at/all");
  watch.wait(std::chrono::hours{1});
}

// Each byte with a bit flipped, each beginning, and one byte too many.
void each_rot(const Buffer& bytes, const std::function<void(const Buffer&)>& check) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto rotten = bytes;
    rotten[i] ^= std::byte{1} << (i % 8);
    check(rotten);
    check({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(i)});
  }
  auto longer = bytes;
  longer.push_back(std::byte{0});
  check(longer);
}

TEST(Keys, AreTheSameAtTheNextStart) {
  const auto folder = make_folder();
  auto directory = open_directory(folder, IfMissing::fail);
  SystemEntropy entropy;
  ASSERT_EQ(read_keys(**directory).error().code, Code::not_found);
  const auto made = add_key(**directory, entropy);
  const auto read = read_keys(**directory);
  ASSERT_TRUE(made && read);
  EXPECT_EQ(read->current(), made->current());
  const auto message = as_bytes("message");
  EXPECT_EQ(read->find(read->current())->mac(message), made->find(made->current())->mac(message));
}

TEST(Keys, ReceiptOfARetiredKeyIsMadeAgainByteForByte) {
  const auto folder = make_folder();
  auto directory = open_directory(folder, IfMissing::fail);
  SystemEntropy entropy;
  const auto first = add_key(**directory, entropy);
  ASSERT_TRUE(first);
  Receipt receipt;
  receipt.key = first->current();
  receipt.page_ordinal = 7;
  std::string before(kReceiptTextBytes, ' ');
  ReceiptSealer().seal(receipt, *first, before.data());

  const auto second = add_key(**directory, entropy);
  const auto read = read_keys(**directory);
  ASSERT_TRUE(second && read);
  EXPECT_NE(read->current(), first->current());
  std::string after(kReceiptTextBytes, ' ');
  ReceiptSealer().seal(receipt, *read, after.data());
  EXPECT_EQ(after, before);
  EXPECT_TRUE(open_receipt(before, *read));
  receipt.key = read->current();
  ReceiptSealer().seal(receipt, *read, after.data());
  EXPECT_NE(after, before);
  EXPECT_FALSE(open_receipt(after, *first)) << "the control: the old ring lacks the new key";
}

TEST(Keys, ARevokedKeyIsGoneAndItsIdIsNotUsedAgain) {
  const auto folder = make_folder();
  auto directory = open_directory(folder, IfMissing::fail);
  SystemEntropy entropy;
  const auto first = add_key(**directory, entropy);
  ASSERT_TRUE(first);
  Receipt receipt;
  receipt.key = first->current();
  std::string sealed(kReceiptTextBytes, ' ');
  ReceiptSealer().seal(receipt, *first, sealed.data());
  EXPECT_EQ(revoke_key(**directory, first->current()).error().code, Code::conflict)
      << "new receipts are made under it";
  ASSERT_TRUE(add_key(**directory, entropy));
  const auto third = add_key(**directory, entropy);
  ASSERT_TRUE(third);
  EXPECT_TRUE(open_receipt(sealed, *third)) << "the control";

  const auto after = revoke_key(**directory, first->current());
  ASSERT_TRUE(after);
  const auto read = read_keys(**directory);
  ASSERT_TRUE(read);
  for (const auto* ring : {&*after, &*read}) {
    EXPECT_EQ(ring->current(), third->current());
    EXPECT_FALSE(open_receipt(sealed, *ring));
    EXPECT_NE(ring->find(MacKeyId{2}), nullptr) << "the others stay";
  }
  EXPECT_EQ(revoke_key(**directory, first->current()).error().code, Code::not_found);
  EXPECT_EQ(revoke_key(**directory, MacKeyId{99}).error().code, Code::not_found);
  EXPECT_EQ(add_key(**directory, entropy)->current(), MacKeyId{4});
}

TEST(Keys, TheSigningSeedIsMadeOnceAndForItsOwnerOnly) {
  const auto folder = make_folder();
  auto directory = open_directory(folder, IfMissing::fail);
  SystemEntropy entropy;
  const auto made = signing_seed(**directory, entropy);
  ASSERT_TRUE(made);
  EXPECT_EQ(mode_of(folder + "/signing"), 0600U);
  EXPECT_EQ(signing_seed(**directory, entropy).value(), *made);
  std::filesystem::remove(folder + "/signing");
  EXPECT_NE(signing_seed(**directory, entropy).value(), *made) << "the control";
}

// Signed with another key from then on, nobody could tell ours from a stranger's.
TEST(Keys, ADamagedSigningSeedIsRefusedAndNotMadeAnew) {
  const auto folder = make_folder();
  auto directory = open_directory(folder, IfMissing::fail);
  SystemEntropy entropy;
  const auto made = signing_seed(**directory, entropy);
  ASSERT_TRUE(made);
  const auto bytes = *read_file(**directory, kSigningFile, 1000);
  EXPECT_EQ(bytes.size(), 72U);
  const auto check = [&](const Buffer& rotten) {
    std::ofstream(folder + "/signing", std::ios::binary) << as_text(rotten);
    const auto read = signing_seed(**directory, entropy);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::corrupt);
    EXPECT_NE(read.error().message.find("/signing"), std::string::npos);
    EXPECT_EQ(*read_file(**directory, kSigningFile, 1000), rotten);
  };
  each_rot(bytes, check);
  std::ofstream(folder + "/signing", std::ios::binary) << as_text(bytes);
  EXPECT_EQ(signing_seed(**directory, entropy).value(), *made) << "the control";
}

TEST(Keys, EveryFlippedBitAndEveryCutIsRefusedByName) {
  const auto folder = make_folder();
  auto directory = open_directory(folder, IfMissing::fail);
  SystemEntropy entropy;
  ASSERT_TRUE(add_key(**directory, entropy));
  const auto bytes = *read_file(**directory, kKeysFile, 1000);
  const auto check = [&](const Buffer& rotten) {
    std::ofstream(folder + "/keys", std::ios::binary) << as_text(rotten);
    const auto read = read_keys(**directory);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::corrupt);
    EXPECT_NE(read.error().message.find("/keys"), std::string::npos);
  };
  each_rot(bytes, check);
}

TEST(DataDir, KeysThatAreGoneWhileThereIsAJournalAreNotMadeAnew) {
  const auto path = make_folder();
  ASSERT_TRUE(open_at(path));
  std::filesystem::remove(path + "/keys");
  ASSERT_TRUE(open_at(path)) << "nothing was written under them yet";
  std::filesystem::remove(path + "/keys");
  std::ofstream(path + "/journal/000000000001.live") << "x";
  const auto data = open_at(path);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, Code::corrupt);
  EXPECT_NE(data.error().message.find("/keys"), std::string::npos);
}

TEST(RunDirectory, IsPrivateAndOneForEachDataDirectory) {
  const auto base = make_folder() + "/run";
  const auto first = run_directory(base, "", make_folder());
  const auto second = run_directory(base, "", make_folder());
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(mode_of(base), 0700U);
  EXPECT_EQ(mode_of(*first), 0700U);
}

TEST(RunDirectory, IsTheSameHoweverTheDataDirectoryIsSpelled) {
  const auto base = make_folder() + "/run";
  const auto data = make_folder();
  const auto first = run_directory(base, "", data);
  const auto second = run_directory(base, "", data + "/../" + data.substr(data.rfind('/') + 1));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST(RunDirectory, ComesFromTheSettingThenFromTheSession) {
  const auto session = make_folder();
  const auto data = make_folder();
  EXPECT_TRUE(run_directory("", session, data)->starts_with(session + "/nandolytics/"));
  const auto set = make_folder() + "/salts";
  EXPECT_TRUE(run_directory(set, session, data)->starts_with(set + "/"));
}

TEST(RunDirectory, ThatOthersMayEnterIsRefused) {
  const auto base = make_folder();
  std::filesystem::permissions(base, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const auto refused = run_directory(base, "", make_folder());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  std::filesystem::permissions(base, std::filesystem::perms::owner_all);
  EXPECT_TRUE(run_directory(base, "", make_folder()));
}

TEST(RunDirectory, ThatIsALinkLaidBySomebodyIsRefused) {
  const auto target = make_folder();
  const auto link = make_folder() + "/run";
  std::filesystem::create_symlink(target, link);
  EXPECT_EQ(run_directory(link, "", make_folder()).error().code, Code::denied);
}

}  // namespace
}  // namespace nando
