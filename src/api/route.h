// Route: an address of this server, one row. The rows are in handlers/routes.cc.
//
// A pattern is matched segment by segment: "{}" takes one segment, a last "{...}" takes the rest of
// the path, which may be empty. Literal segments win over "{}", and that over "{...}". The first
// segment of every row is reserved for us; no site's page can be in the way.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/server.h"

namespace nando {

class Loop;

// Who may ask. Checked before the handler runs.
enum class Access : std::uint8_t {
  open,       // Anybody, from any origin; answers carry CORS headers, neither read nor set cookies.
  operators,  // Loopback, or a stats token.
  trial,      // Where the page for trying out is shown.
  own_page,   // Our own pages; what changes something must prove that it comes from one of them.
  owner,      // Who is logged in, with the same proof, or an admin token.
};

struct Call {
  const http::Request& request;
  std::string_view rest;  // What "{...}" took.
};

struct Route {
  std::string_view method;
  std::string_view pattern;
  Access access;
  std::size_t body_bytes_max;
  void (*handle)(Loop& loop, const Call& call, http::Responder responder);
};

// Of a request that no row takes: read all the same, so that the answer is 404 or 405 and the
// connection stays.
inline constexpr std::size_t kStrayBodyBytesMax = 128 << 10;

struct Match {
  const Route* route = nullptr;  // Null: no row has this method and path.
  const Route* place = nullptr;  // The most exact row of this path, whatever its method.
  std::string_view rest;
  std::string allow;  // Methods of the rows that have this path; empty if none has.
};
// HEAD is matched as GET. Of a path that a row has in full, `allow` names that row alone.
Match match_route(std::span<const Route> routes, std::string_view method, std::string_view path);
bool matches(std::string_view pattern, std::string_view path, std::string_view& rest);

}  // namespace nando
