#include "client/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/engine.h"

namespace crash {

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::size_t kBlock = 4096;
constexpr std::uint64_t kBlocks = 4096;  // Of the file, which is written round and round.

void must(bool good) {
  if (!good) throw std::runtime_error("the disk test cannot write");
}

class File {
 public:
  explicit File(std::string path)
      : path_(std::move(path)),
        fd_(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    must(fd_ >= 0);
    for (std::uint64_t i = 0; i < kBlocks; ++i) {
      must(::write(fd_, block_.data(), kBlock) == static_cast<ssize_t>(kBlock));
    }
    must(::fsync(fd_) == 0);
  }
  ~File() {
    ::close(fd_);
    ::unlink(path_.c_str());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write_and_sync() {
    std::fill(block_.begin(), block_.end(), static_cast<char>(next_ + 1));
    const auto offset = static_cast<off_t>(next_++ % kBlocks * kBlock);
    must(::pwrite(fd_, block_.data(), kBlock, offset) == static_cast<ssize_t>(kBlock));
    must(::fdatasync(fd_) == 0);
  }

 private:
  const std::string path_;
  std::vector<char> block_ = std::vector<char>(kBlock);
  const int fd_;
  std::uint64_t next_ = 0;
};

// How long each sync takes, one after the other.
std::vector<std::uint64_t> time_syncs(File& file, std::uint64_t count) {
  std::vector<std::uint64_t> waits;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto began = now_ns();
    file.write_and_sync();
    waits.push_back((now_ns() - began) / 1000);
  }
  return waits;
}

// How long each of those waits who come by schedule, if nothing is done for them but to sync: each
// sync is for all who came before it began.
std::vector<std::uint64_t> time_schedule(File& file, std::uint64_t rate, std::uint64_t seconds) {
  const auto began = now_ns();
  const auto due = [&](std::uint64_t i) { return began + i * kSecond / rate; };
  std::vector<std::uint64_t> waits;
  for (const auto all = rate * seconds; waits.size() < all;) {
    const auto now = now_ns();
    if (const auto next = due(waits.size()); now < next) {
      std::this_thread::sleep_for(std::chrono::nanoseconds{next - now});
      continue;
    }
    const auto came = std::min(all, (now - began) * rate / kSecond + 1);
    file.write_and_sync();
    const auto ended = now_ns();
    while (waits.size() < came) waits.push_back((ended - due(waits.size())) / 1000);
  }
  return waits;
}

}  // namespace

int time_disk(Flags& flags) {
  const auto path = flags.text("folder") + "/disk-test";
  const auto count = flags.number("count", 1000);
  const auto rate = flags.number("rate", 0);
  const auto seconds = flags.number("seconds", 10);
  flags.check_all_known();
  File file(path);
  auto waits = rate == 0 ? time_syncs(file, count) : time_schedule(file, rate, seconds);
  std::sort(waits.begin(), waits.end());
  std::printf("{\"p50_us\":%lu,\"p99_us\":%lu,\"max_us\":%lu}\n", waits[waits.size() / 2],
              waits[waits.size() * 99 / 100], waits.back());
  return 0;
}

}  // namespace crash
