// The control socket: how a command reaches the running server. A caller sends its arguments; the
// server runs the same command function on its live parts and streams what it prints, then the exit
// code. Bytes: docs/formats/control.md.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "datadir/output.h"

namespace nando {

inline constexpr std::size_t kControlArgumentsBytesMax = 1 << 20;
inline constexpr std::size_t kControlCallsMax = 16;  // At the same time; further ones wait.

// Runs one command. Called on a thread of its own for each call.
using ControlHandler = std::function<int(const std::vector<std::string>& args, Output& output)>;

// Whether a process of user `peer` may give orders to a server of user `own`: itself and root.
bool may_control(uid_t peer, uid_t own);

class ControlServer {
 public:
  // Listens on control.sock in `directory` (mode 0600), replacing one that a dead server left.
  // Requires: the caller holds the directory's lock.
  static Result<std::unique_ptr<ControlServer>> start(
      const std::string& directory, ControlHandler handler,
      std::function<bool(uid_t peer, uid_t own)> may_enter = may_control);
  virtual ~ControlServer() = default;  // Stops, if stop() was not called.

  // Takes no more calls, lets those that run know by Output::wanted() that nobody listens, waits
  // for them, and removes the socket.
  virtual void stop() = 0;
};

// Runs `args` in the server of `directory` and returns its exit code. Code::unavailable if nobody
// listens there; Code::denied if the server refused us; Code::io if it went away before it
// answered: then the command may or may not have been done.
Result<int> control_call(const std::string& directory, const std::vector<std::string>& args,
                         Output& output);

}  // namespace nando
