// Assets: what browsers get of ours, scripts, pages and their parts, built by web/build.mjs and
// carried in the program. Nothing is read from disk, and nothing is compressed when it is asked
// for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace nando {

// For how long a browser may keep what it got.
enum class Caching : std::uint8_t {
  forever,     // The name holds a hash of the bytes: other bytes have another name.
  revalidate,  // The name stays when the bytes change; ask with the ETag.
  never,
};

struct Asset {
  std::string_view path;  // As it is asked for: "/js/nando.js".
  std::string_view content_type;
  std::string_view bytes;
  std::string_view gzip;  // The same, gzipped; empty where that is no shorter.
  std::string_view etag;  // With its quotation marks.
  Caching caching;
};

// All of them, sorted by path. Made by the build.
std::span<const Asset> assets();

// The asset of that path, or null.
const Asset* find_asset(std::string_view path);

}  // namespace nando
