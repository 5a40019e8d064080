#include "client/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "client/engine.h"

namespace crash {

namespace {

constexpr std::size_t kBlock = 4096;

void must(bool good) {
  if (!good) throw std::runtime_error("the disk test cannot write");
}

}  // namespace

int time_disk(Flags& flags) {
  const auto path = flags.text("folder") + "/disk-test";
  const auto count = flags.number("count", 1000);
  flags.check_all_known();
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  must(fd >= 0);
  std::vector<char> block(kBlock);
  for (std::uint64_t i = 0; i < count; ++i) {
    must(::write(fd, block.data(), block.size()) == static_cast<ssize_t>(kBlock));
  }
  must(::fsync(fd) == 0);
  std::vector<std::uint64_t> waits;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::fill(block.begin(), block.end(), static_cast<char>(i + 1));
    const auto began = now_ns();
    must(::pwrite(fd, block.data(), kBlock, static_cast<off_t>(i * kBlock)) ==
         static_cast<ssize_t>(kBlock));
    must(::fdatasync(fd) == 0);
    waits.push_back((now_ns() - began) / 1000);
  }
  ::close(fd);
  ::unlink(path.c_str());
  std::sort(waits.begin(), waits.end());
  std::printf("{\"p50_us\":%lu,\"p99_us\":%lu,\"max_us\":%lu}\n", waits[waits.size() / 2],
              waits[waits.size() * 99 / 100], waits.back());
  return 0;
}

}  // namespace crash
