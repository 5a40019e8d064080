// Room: what must stay free on a disk for counting, whatever else would like to write there.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "base/result.h"

namespace nando {

// A disk with less than this has no room for copies of what is counted.
inline constexpr std::uint64_t kLeftForCounting = 64 << 20;

// Code::full if less than `left` would be free in `folder` after `bytes` more. `who` waits then.
inline Result<> leave_room(const std::string& who, const std::filesystem::path& folder,
                           std::uint64_t bytes, std::uint64_t left = kLeftForCounting) {
  std::error_code error;
  const auto free = std::filesystem::space(folder, error).available;
  if (error || (free >= left && free - left >= bytes)) return {};
  const auto mebibytes = [](std::uint64_t count) { return std::to_string(count >> 20) + " MiB"; };
  const auto what =
      bytes == 0 ? "less than " : "it may take " + mebibytes(bytes) + ", then less than ";
  return Error{Code::full, who + ": " + what + mebibytes(left) + " are free in " + folder.string() +
                               ", and what is left is for counting"};
}

}  // namespace nando
