// Whose request it is, when proxies stand in between (docs/GUARANTEES.md, H9).
#pragma once

#include <span>

#include "base/address.h"
#include "http/server.h"

namespace nando::http {

// `peer`, unless `trusted` holds it. Then the proxies are believed, nearest first: the right-most
// hop that is not trusted, over all lines of X-Forwarded-For, or of Forwarded (RFC 7239) if there
// is no X-Forwarded-For. A hop that is no address ends the walk at the last one believed, so what a
// client wrote further left is never reached through it. If all hops are trusted, the left-most.
IpAddress client_address(const IpAddress& peer, std::span<const Header> headers,
                         std::span<const IpNetwork> trusted);

}  // namespace nando::http
