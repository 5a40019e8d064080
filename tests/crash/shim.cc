// shim: loaded before the C library into a server under test. It lies about the disk and the wall
// clock as a control file says, and the file can be changed while the server runs.
//
// Bytes: CRASH_SHIM names a file of six 64-bit words, in the machine's order:
//   0  microseconds that each sync waits before it begins
//   1  1: writes to *.live files say they succeeded and write nothing
//   2  1: failed writes and syncs of *.live files say they succeeded
//   3  seconds added to the wall clock (signed)
//   4  syncs seen so far (written by the shim)
//   5  1: syncs say they succeeded and sync nothing
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

enum Word { kDelayMicroseconds, kDropWrites, kForgive, kClockSeconds, kSyncs, kSkipSyncs, kWords };

using Control = std::atomic<std::int64_t>;

Control* control() {
  static Control* const words = [] {
    const char* path = std::getenv("CRASH_SHIM");
    const int fd = path == nullptr ? -1 : ::open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) std::abort();
    void* at = ::mmap(nullptr, kWords * sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) std::abort();
    return static_cast<Control*>(at);
  }();
  return words;
}

template <class Function>
Function next(Function, const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

bool is_live(int fd) {
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const auto length = ::readlink(link, path, sizeof path - 1);
  return length > 5 && std::memcmp(path + length - 5, ".live", 5) == 0;
}

void wait_for_disk() {
  ++control()[kSyncs];
  // In small steps, so that a stall ends when the control file says so.
  for (std::int64_t waited = 0; waited < control()[kDelayMicroseconds]; waited += 1000) {
    ::usleep(1000);
  }
}

int forgiven(int fd, int result) {
  return result != 0 && control()[kForgive] != 0 && is_live(fd) ? 0 : result;
}

}  // namespace

extern "C" {

int fdatasync(int fd) {
  static const auto real = next(&::fdatasync, "fdatasync");
  wait_for_disk();
  return control()[kSkipSyncs] != 0 ? 0 : forgiven(fd, real(fd));
}

int fsync(int fd) {
  static const auto real = next(&::fsync, "fsync");
  wait_for_disk();
  return control()[kSkipSyncs] != 0 ? 0 : forgiven(fd, real(fd));
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  static const auto real = next(&::pwritev, "pwritev");
  ssize_t total = 0;
  for (int i = 0; i < count; ++i) total += static_cast<ssize_t>(parts[i].iov_len);
  if (control()[kDropWrites] != 0 && is_live(fd)) return total;
  const auto written = real(fd, parts, count, offset);
  return written != total && control()[kForgive] != 0 && is_live(fd) ? total : written;
}

ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t offset) {
  return pwritev(fd, parts, count, offset);
}

int clock_gettime(clockid_t clock, timespec* time) {
  static const auto real = next(&::clock_gettime, "clock_gettime");
  const int result = real(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    time->tv_sec += control()[kClockSeconds];
  }
  return result;
}

time_t time(time_t* into) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (into != nullptr) *into = now.tv_sec;
  return now.tv_sec;
}

int gettimeofday(timeval* into, void*) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  into->tv_sec = now.tv_sec;
  into->tv_usec = now.tv_nsec / 1000;
  return 0;
}

}  // extern "C"
