#include "datadir/run_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/hash.h"

namespace nando {

namespace {

constexpr std::size_t kNameBytes = 8;  // Of the hash that names a data directory.

// Makes `path` if it is missing. In a directory that all may write (/dev/shm) somebody else may
// have made it first, to read what we put there: so whose it is, and what it is, is asked after.
Result<> make_private(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error{errno == EACCES || errno == EROFS ? Code::denied : Code::io,
                 "cannot create " + path + ": " + std::generic_category().message(errno)};
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return Error{Code::io, "cannot stat " + path + ": " + std::generic_category().message(errno)};
  }
  constexpr mode_t kOthers = 0077;
  if (S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & kOthers) == 0) {
    return {};
  }
  return Error{Code::denied, path + " must be a directory of user " + std::to_string(::geteuid()) +
                                 " that nobody else may enter (mode 0700); set run_dir to another"};
}

std::string hash_name(const std::string& data) {
  std::error_code error;
  auto absolute = std::filesystem::weakly_canonical(data, error).string();
  if (error) absolute = data;
  const auto hash = blake2b(as_bytes(absolute));
  return to_hex(Bytes(hash).first(kNameBytes));
}

Result<std::string> make_base(const std::string& setting, const std::string& xdg_runtime_dir) {
  if (!setting.empty()) {
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(setting).parent_path(), error);
    if (auto made = make_private(setting); !made) return made.error();
    return setting;
  }
  if (!xdg_runtime_dir.empty()) {
    const auto path = xdg_runtime_dir + "/nandolytics";
    if (make_private(path)) return path;
  }
  const std::string run = "/run/nandolytics";
  if (make_private(run)) return run;
  const auto shared = "/dev/shm/nandolytics-" + std::to_string(::geteuid());
  if (auto made = make_private(shared); !made) return made.error();
  return shared;
}

}  // namespace

Result<std::string> run_directory(const std::string& setting, const std::string& xdg_runtime_dir,
                                  const std::string& data) {
  const auto base = make_base(setting, xdg_runtime_dir);
  if (!base) return base.error();
  auto path = *base + "/" + hash_name(data);
  if (auto made = make_private(path); !made) return made.error();
  return path;
}

}  // namespace nando
