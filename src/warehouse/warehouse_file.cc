// The files that a warehouse keeps: its own, and the engine's log beside it.
#include <filesystem>
#include <system_error>

#include "warehouse/warehouse.h"

namespace nando {

Result<bool> clear_warehouse(const std::string& path, Keep keep) {
  std::error_code error;
  const bool there = std::filesystem::exists(path, error);
  for (const auto* suffix : {"", ".wal"}) {
    const auto from = path + suffix;
    const auto to = path + ".aside" + suffix;
    if (keep == Keep::aside && std::filesystem::exists(from, error)) {
      std::filesystem::remove(to, error);
      std::filesystem::rename(from, to, error);
    } else {
      std::filesystem::remove(from, error);
    }
    if (error) {
      return Error{Code::io, "cannot clear " + from + ": " + error.message()};
    }
  }
  return there;
}

// The log goes first: what the old file is without it, it was at some time.
Result<> replace_warehouse(const std::string& path, const std::string& from) {
  std::error_code error;
  std::filesystem::remove(path + ".wal", error);
  if (error) return Error{Code::io, "cannot remove " + path + ".wal: " + error.message()};
  std::filesystem::rename(from, path, error);
  if (error) return Error{Code::io, "cannot name " + path + ": " + error.message()};
  return {};
}

}  // namespace nando
