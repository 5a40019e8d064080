// Our own pages: who is logged in there, by cookie, and whether a request comes from one of them.
// Nothing here is asked on a public address: those neither read nor set cookies.
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/api.h"

namespace nando {

// What the cookies of the session's name hold: a host has one name for all its ports and paths, so
// there may be another server's.
std::vector<std::string_view> cookie_texts(const ApiParts& parts, const http::Request& request);
std::optional<Session> session_of(const ApiParts& parts, const http::Request& request);

// The header line that sets the cookie; without text, the one that takes it away. On https its name
// begins with "__Host-", which a browser takes from this host alone.
std::string cookie_line(const ApiParts& parts, std::string_view text);

// By what a browser says of itself and no page can change: Fetch Metadata where that is sent (W3C;
// on https and loopback), the Origin otherwise.
bool is_from_own_page(const ApiParts& parts, const http::Request& request);

}  // namespace nando
