// Event: something that happened and that an operator's other programs want to know of; and where
// events come from. A source keeps, for each target, a durable mark of how far that target has got,
// so one that is away keeps no other waiting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace nando {

inline constexpr std::size_t kEventIdBytesMax = 128;
inline constexpr std::size_t kEventBodyBytesMax = 64 << 10;

struct Event {
  std::string id;    // The same at each attempt, and of no other event. [A-Za-z0-9._:-], 1 or more.
  std::string body;  // JSON.
};

class EventSource {
 public:
  virtual ~EventSource() = default;

  // The oldest event that `target` has not taken; nothing if it has taken all. The same one again
  // until sent() says otherwise, after a restart too. A target that was never seen begins with what
  // happens from now on, or with the first event: the source's choice. After an error it is asked
  // again later.
  virtual Result<std::optional<Event>> next(const std::string& target) = 0;

  // `target` took `event`, which next() gave out last: makes the mark durable. After an error it is
  // called again, and the event is not sent again unless the process ends in between.
  virtual Result<> sent(const std::string& target, const Event& event) = 0;

  // How many events `target` has not taken. Any thread.
  virtual std::uint64_t waiting(const std::string& target) const = 0;
};

}  // namespace nando
