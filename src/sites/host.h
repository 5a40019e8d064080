// Host names as operators paste them.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace nando {

struct HostName {
  std::string host;  // Lower case, ASCII, no port, no "www.", no final dot; "[::1]" in brackets.
  std::string note;  // What was changed that the operator may not expect; empty if nothing.
};

// Code::invalid, with the host that was probably meant, if `text` is a URL, has a port, or is no
// host name or address. Limits: kHostBytesMax, and 63 bytes a label.
Result<HostName> parse_host(std::string_view text);

}  // namespace nando
