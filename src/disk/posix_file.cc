#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/assert.h"
#include "disk/file.h"

namespace nando {

namespace {

constexpr std::size_t kPartsMax = 16;

Error errno_error(std::string_view doing, const std::string& path) {
  const int number = errno;
  const Code code = number == ENOSPC || number == EDQUOT  ? Code::full
                    : number == ENOENT                    ? Code::not_found
                    : number == EEXIST                    ? Code::conflict
                    : number == EACCES || number == EPERM ? Code::denied
                                                          : Code::io;
  return {code, std::string(doing) + " " + path + ": " + std::generic_category().message(number)};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(fd_); }
  int get() const { return fd_; }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Result<> write_at(std::uint64_t offset, std::span<const Bytes> parts) override {
    ASSERT(parts.size() <= kPartsMax);
    std::array<iovec, kPartsMax> pieces;
    std::size_t total = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      pieces[i] = {const_cast<std::byte*>(parts[i].data()), parts[i].size()};
      total += parts[i].size();
    }
    const auto written = ::pwritev(fd_.get(), pieces.data(), static_cast<int>(parts.size()),
                                   static_cast<off_t>(offset));
    if (written < 0) return errno_error("cannot write to", path_);
    if (static_cast<std::size_t>(written) != total) {
      return Error{Code::io, "cannot write to " + path_ + ": wrote " + std::to_string(written) +
                                 " of " + std::to_string(total) + " bytes"};
    }
    return {};
  }

  Result<> sync() override {
    if (::fdatasync(fd_.get()) != 0) return errno_error("cannot sync", path_);
    return {};
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
    std::size_t done = 0;
    while (done < into.size()) {
      const auto got = ::pread(fd_.get(), into.data() + done, into.size() - done,
                               static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return errno_error("cannot read", path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  Result<std::uint64_t> size() const override {
    struct stat status {};
    if (::fstat(fd_.get(), &status) != 0) return errno_error("cannot stat", path_);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<> allocate(std::uint64_t bytes) override {
    const int number = ::posix_fallocate(fd_.get(), 0, static_cast<off_t>(bytes));
    if (number != 0) {
      errno = number;
      return errno_error("cannot allocate " + std::to_string(bytes) + " bytes for", path_);
    }
    return {};
  }

  Result<> truncate(std::uint64_t bytes) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) != 0) {
      return errno_error("cannot truncate", path_);
    }
    return {};
  }

 private:
  Descriptor fd_;
  std::string path_;
};

class PosixDirectory final : public Directory {
 public:
  PosixDirectory(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  Result<std::unique_ptr<File>> open(std::string_view name, OpenMode mode) override {
    const int flags = mode == OpenMode::read    ? O_RDONLY
                      : mode == OpenMode::write ? O_RDWR
                                                : O_RDWR | O_CREAT | O_EXCL;
    const int fd = ::openat(fd_.get(), std::string(name).c_str(), flags | O_CLOEXEC, 0600);
    if (fd < 0) return errno_error("cannot open", full(name));
    return std::unique_ptr<File>(std::make_unique<PosixFile>(fd, full(name)));
  }

  Result<> rename(std::string_view from, std::string_view to) override {
    if (::renameat(fd_.get(), std::string(from).c_str(), fd_.get(), std::string(to).c_str()) != 0) {
      return errno_error("cannot rename " + full(from) + " to", full(to));
    }
    return {};
  }

  Result<> remove(std::string_view name) override {
    if (::unlinkat(fd_.get(), std::string(name).c_str(), 0) != 0) {
      return errno_error("cannot remove", full(name));
    }
    return {};
  }

  Result<> sync() override {
    if (::fsync(fd_.get()) != 0) return errno_error("cannot sync directory", path_);
    return {};
  }

  Result<std::vector<std::string>> list() override {
    std::vector<std::string> names;
    std::error_code error;
    std::filesystem::directory_iterator entry(path_, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      if (entry->is_regular_file(error)) names.push_back(entry->path().filename().string());
    }
    if (error) return Error{Code::io, "cannot list " + path_ + ": " + error.message()};
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<std::uint64_t> free_bytes() override {
    struct statvfs status {};
    if (::fstatvfs(fd_.get(), &status) != 0) return errno_error("cannot stat", path_);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }

  std::string path() const override { return path_; }

 private:
  std::string full(std::string_view name) const { return path_ + "/" + std::string(name); }

  Descriptor fd_;
  std::string path_;
};

// Creates every missing folder of `path` and syncs each parent, so that the new names survive a
// power cut.
Result<> create_directories(const std::string& path) {
  std::filesystem::path so_far;
  for (const auto& part : std::filesystem::path(path)) {
    const auto parent = so_far.empty() ? std::filesystem::path(".") : so_far;
    so_far /= part;
    if (so_far.empty() || ::mkdir(so_far.c_str(), 0700) != 0) {
      if (so_far.empty() || errno == EEXIST || errno == EISDIR) continue;
      return errno_error("cannot create directory", so_far.string());
    }
    const int fd = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno_error("cannot open directory", parent.string());
    const Descriptor guard(fd);
    if (::fsync(fd) != 0) return errno_error("cannot sync directory", parent.string());
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Directory>> open_directory(const std::string& path, IfMissing if_missing) {
  if (if_missing == IfMissing::create) {
    if (auto made = create_directories(path); !made) return made.error();
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno_error("cannot open directory", path);
  return std::unique_ptr<Directory>(std::make_unique<PosixDirectory>(fd, path));
}

Result<Buffer> read_file(Directory& directory, std::string_view name, std::uint64_t bytes_max) {
  auto file = directory.open(name, OpenMode::read);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (*size > bytes_max) {
    return Error{Code::invalid, directory.path() + "/" + std::string(name) + " has " +
                                    std::to_string(*size) + " bytes; at most " +
                                    std::to_string(bytes_max) + " are read"};
  }
  Buffer bytes(*size);
  const auto got = (*file)->read_at(0, bytes);
  if (!got) return got.error();
  bytes.resize(*got);
  return bytes;
}

Result<> replace_file(Directory& directory, std::string_view name, Bytes bytes) {
  const auto temporary = std::string(name) + ".tmp";
  if (auto removed = directory.remove(temporary);
      !removed && removed.error().code != Code::not_found) {
    return removed;
  }
  auto file = directory.open(temporary, OpenMode::create_new);
  if (!file) return file.error();
  if (auto written = (*file)->write_at(0, bytes); !written) return written;
  if (auto synced = (*file)->sync(); !synced) return synced;
  if (auto renamed = directory.rename(temporary, name); !renamed) return renamed;
  return directory.sync();
}

}  // namespace nando
