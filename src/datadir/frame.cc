#include "datadir/frame.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace nando {

namespace {

constexpr std::size_t kArgumentsMax = 1'000;
constexpr std::size_t kHeadBytes = sizeof(std::uint32_t) + 1;

Error gone() {
  return {Code::io, "the other end of the control socket is gone"};
}

Result<> send_all(int socket, Bytes bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return gone();
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<> receive_all(int socket, std::span<std::byte> into) {
  while (!into.empty()) {
    const auto got = ::recv(socket, into.data(), into.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return gone();
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

}  // namespace

Result<> send_frame(int socket, FrameKind kind, Bytes body) {
  ASSERT(body.size() < kFrameBytesMax);
  Buffer head;
  ByteWriter out(head);
  out.fixed(static_cast<std::uint32_t>(body.size() + 1));
  out.fixed(kind);
  if (auto sent = send_all(socket, head); !sent) return sent;
  return send_all(socket, body);
}

Result<Frame> receive_frame(int socket) {
  std::array<std::byte, kHeadBytes> head;
  if (auto got = receive_all(socket, head); !got) return got.error();
  const auto bytes = load<std::uint32_t>(head.data());
  if (bytes == 0 || bytes > kFrameBytesMax) {
    return Error{Code::io, "the other end of the control socket speaks another language"};
  }
  Frame frame{load<FrameKind>(head.data() + sizeof bytes), Buffer(bytes - 1)};
  if (auto got = receive_all(socket, frame.body); !got) return got.error();
  return frame;
}

Buffer encode_arguments(const std::vector<std::string>& args) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.raw(as_bytes(kControlMagic));
  for (const auto& arg : args) out.sized(as_bytes(arg));
  return bytes;
}

std::optional<std::vector<std::string>> decode_arguments(Bytes body) {
  ByteReader in(body);
  if (as_text(in.raw(kControlMagic.size())) != kControlMagic) return std::nullopt;
  std::vector<std::string> args;
  while (in.ok() && !in.rest().empty() && args.size() < kArgumentsMax) {
    args.emplace_back(as_text(in.sized()));
  }
  if (!in.done()) return std::nullopt;
  return args;
}

sockaddr_un control_address(const std::string& directory, int directory_fd) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto path = directory + "/" + std::string(kControlSocket);
  if (path.size() >= sizeof address.sun_path) {
    path = "/proc/self/fd/" + std::to_string(directory_fd) + "/" + std::string(kControlSocket);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace nando
