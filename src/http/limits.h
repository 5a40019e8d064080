// Every limit of a message, with its name, its value, and what is answered past it.
#pragma once

#include <chrono>
#include <cstddef>

namespace nando::http {

inline constexpr std::size_t kTargetBytesMax = 16 * 1024;  // 414 target_too_long
inline constexpr std::size_t kHeaderBytesMax =
    32 * 1024;                                   // 431 headers_too_large; request line included
inline constexpr std::size_t kHeadersMax = 100;  // 431 headers_too_large
inline constexpr std::size_t kBodyBytesMax = 4 << 20;   // 413 body_too_large; handlers ask for less
inline constexpr std::size_t kConnectionsMax = 20'000;  // A loop; further ones are closed at once.
inline constexpr std::size_t kTurnRequestsMax = 4'096;
// For a request, from its first byte to its last (408 request_timeout), for the first byte of a new
// connection, and for taking an answer. Looked at once a second.
inline constexpr std::chrono::seconds kSlowClientLimit{12};
inline constexpr std::chrono::seconds kIdleLimit{75};  // Between two requests.
// After a refusal, to throw away what still comes, so that no reset overtakes the answer.
inline constexpr std::chrono::seconds kLingerLimit{2};

}  // namespace nando::http
