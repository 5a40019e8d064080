// The frames of the control socket, and its address. For this layer only.
#pragma once

#include <sys/un.h>

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace nando {

inline constexpr std::string_view kControlSocket = "control.sock";

// A frame: the length of what follows it, u32; what it is, u8; what it carries.
// docs/formats/control.md
enum class FrameKind : std::uint8_t {
  arguments = 'A',  // To the server: magic, then each argument with its length.
  out = 'O',        // From the server: for standard output.
  err = 'E',        // For standard error.
  exit = 'X',       // The exit code, u8. The last one.
  refused = 'R',    // Instead of all of these: why the server does not listen to this caller.
};

struct Frame {
  FrameKind kind;
  Buffer body;
};

inline constexpr std::string_view kControlMagic = "NANDOCTL1";
inline constexpr std::size_t kFrameBytesMax = (1 << 20) + 64;

// Code::io if the other end is gone. Any kind; no signal.
Result<> send_frame(int socket, FrameKind kind, Bytes body);
// Code::io if the other end is gone or sends what is no frame.
Result<Frame> receive_frame(int socket);

Buffer encode_arguments(const std::vector<std::string>& args);
// Nothing if they are of another version or damaged.
std::optional<std::vector<std::string>> decode_arguments(Bytes body);

// The address of the socket in the directory that `directory_fd` has open, however long its path
// is: a path of over 107 bytes does not fit into an address, /proc/self/fd/N does.
sockaddr_un control_address(const std::string& directory, int directory_fd);

}  // namespace nando
