// Signature: by which a receiver knows that a message is ours, and of now. The text of the header
// Nandolytics-Signature: "t=1700000000,v1=HEX", HEX being HMAC-SHA256(secret, "1700000000." +
// body). With the time in it, a message that somebody kept does not pass later.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace nando {

std::string signature_of(std::string_view secret, UnixTime at, std::string_view body);

}  // namespace nando
