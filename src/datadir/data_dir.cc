#include "datadir/data_dir.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

#include "base/assert.h"

namespace nando {

namespace {

constexpr std::string_view kLockFile = "lock";
constexpr std::string_view kJournalFolder = "journal";

Error errno_error(const std::string& doing) {
  const int number = errno;
  const Code code = number == ENOENT                       ? Code::not_found
                    : number == EACCES || number == EPERM  ? Code::denied
                    : number == ENOSPC || number == EDQUOT ? Code::full
                                                           : Code::io;
  return {code, doing + ": " + std::generic_category().message(number)};
}

std::string_view word_of(LockHolder holder) {
  return holder == LockHolder::serve ? "serve" : "command";
}

// "4711 serve\n"
std::optional<DirectoryLock::Holder> read_holder(int fd) {
  std::array<char, 32> text{};
  const auto got = ::pread(fd, text.data(), text.size(), 0);
  if (got <= 0) return std::nullopt;
  const auto* const end = text.data() + got;
  DirectoryLock::Holder holder{};
  const auto [after, error] = std::from_chars(text.data(), end, holder.pid);
  if (error != std::errc() || after == end || *after != ' ') return std::nullopt;
  holder.as =
      std::string_view(after + 1, end) == "serve\n" ? LockHolder::serve : LockHolder::command;
  return holder;
}

// The holder writes its name just after it has the lock; what a dead one left says nothing.
std::optional<DirectoryLock::Holder> living_holder(int fd) {
  const auto holder = read_holder(fd);
  if (holder && (::kill(holder->pid, 0) == 0 || errno == EPERM)) return holder;
  return std::nullopt;
}

Error held(const std::string& directory, const std::optional<DirectoryLock::Holder>& holder) {
  if (!holder) return {Code::busy, directory + " is in use by another process"};
  const auto pid = "process " + std::to_string(holder->pid);
  return {Code::busy, directory + " is in use by " +
                          (holder->as == LockHolder::serve ? "the server, " : "a command, ") + pid};
}

bool has_journal(Directory& journal) {
  const auto files = journal.list();
  return files && !files->empty();
}

Result<KeyRing> open_keys(Directory& root, Directory& journal, IfMissing if_missing,
                          Entropy& entropy) {
  auto keys = read_keys(root);
  if (keys || keys.error().code != Code::not_found) return keys;
  if (has_journal(journal)) {
    return Error{Code::corrupt, root.path() +
                                    "/keys is gone, and the receipts in the journal were made "
                                    "under them; restore it from a backup"};
  }
  if (if_missing == IfMissing::fail) return keys;
  return add_key(root, entropy);
}

}  // namespace

// Opened for reading: an attempt that fails must not look like a change to those who wait.
Result<DirectoryLock> DirectoryLock::take(const std::string& directory, LockHolder as) {
  const auto path = directory + "/" + std::string(kLockFile);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return errno_error("cannot open " + path);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    auto error = errno == EWOULDBLOCK ? held(directory, living_holder(fd))
                                      : errno_error("cannot lock " + path);
    ::close(fd);
    return error;
  }
  DirectoryLock lock(fd, ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
  const auto text = std::to_string(::getpid()) + " " + std::string(word_of(as)) + "\n";
  if (lock.written_ < 0 ||
      ::pwrite(lock.written_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return errno_error("cannot write to " + path);
  }
  return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : locked_(std::exchange(other.locked_, -1)), written_(std::exchange(other.written_, -1)) {}

DirectoryLock::~DirectoryLock() {
  if (locked_ < 0) return;
  // If it cannot be emptied, the next holder writes over it.
  [[maybe_unused]] const int emptied = ::ftruncate(written_, 0);
  ::close(locked_);
  if (written_ >= 0) ::close(written_);
}

std::optional<DirectoryLock::Holder> DirectoryLock::holder(const std::string& directory) {
  const auto path = directory + "/" + std::string(kLockFile);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  std::optional<Holder> found;
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) found = living_holder(fd);
  ::close(fd);
  return found;
}

DataDir::DataDir(std::string path, DirectoryLock lock, std::unique_ptr<Directory> root,
                 std::unique_ptr<Directory> journal, KeyRing keys)
    : path_(std::move(path)),
      lock_(std::move(lock)),
      root_(std::move(root)),
      journal_(std::move(journal)),
      keys_(std::move(keys)) {}

Result<std::unique_ptr<DataDir>> DataDir::open(const std::string& path, LockHolder as,
                                               IfMissing if_missing, Entropy& entropy) {
  auto root = open_directory(path, if_missing);
  if (!root) {
    if (root.error().code != Code::not_found) return root.error();
    return Error{Code::not_found, "there is no data directory " + path +
                                      "; name it with --data, or make it with: nandolytics serve"};
  }
  auto lock = DirectoryLock::take(path, as);
  if (!lock) return lock.error();
  auto journal = open_directory(path + "/" + std::string(kJournalFolder), IfMissing::create);
  if (!journal) return journal.error();
  auto keys = open_keys(**root, **journal, if_missing, entropy);
  if (!keys) return keys.error();
  return std::unique_ptr<DataDir>(
      new DataDir(path, std::move(*lock), std::move(*root), std::move(*journal), std::move(*keys)));
}

DirectoryWatch::DirectoryWatch(const std::string& directory)
    : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (fd_ < 0) return;
  constexpr std::uint32_t kEvents = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO;
  if (::inotify_add_watch(fd_, directory.c_str(), kEvents) < 0) ::close(std::exchange(fd_, -1));
}

DirectoryWatch::~DirectoryWatch() {
  if (fd_ >= 0) ::close(fd_);
}

void DirectoryWatch::wait(std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds kBlindWait{100};
  if (fd_ < 0) {
    ::poll(nullptr, 0, static_cast<int>(std::min(patience, kBlindWait).count()));
    return;
  }
  pollfd watched{fd_, POLLIN, 0};
  ::poll(&watched, 1, static_cast<int>(patience.count()));
  std::array<std::byte, 4096> events;
  while (::read(fd_, events.data(), events.size()) > 0) continue;
}

}  // namespace nando
