#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "datadir/control.h"
#include "datadir/descriptor.h"
#include "datadir/frame.h"

namespace nando {

namespace {

Error cannot_reach(const std::string& directory) {
  const int number = errno;
  const bool nobody = number == ENOENT || number == ECONNREFUSED || number == ENOTDIR;
  return {
      nobody                                ? Code::unavailable
      : number == EACCES || number == EPERM ? Code::denied
                                            : Code::io,
      "cannot reach the server of " + directory + ": " + std::generic_category().message(number)};
}

Result<Descriptor> connect_to(const std::string& directory) {
  const Descriptor folder(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return cannot_reach(directory);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return cannot_reach(directory);
  const auto address = control_address(directory, folder.get());
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return cannot_reach(directory);
  }
  return socket;
}

}  // namespace

Result<int> control_call(const std::string& directory, const std::vector<std::string>& args,
                         Output& output) {
  const auto arguments = encode_arguments(args);
  if (arguments.size() > kControlArgumentsBytesMax) {
    return Error{Code::invalid, "the arguments are over 1 MiB"};
  }
  const auto socket = connect_to(directory);
  if (!socket) return socket.error();
  // A server that refuses us may have hung up already; its reason is then there to be read.
  (void)send_frame(socket->get(), FrameKind::arguments, arguments);
  for (;;) {
    const auto frame = receive_frame(socket->get());
    if (!frame) {
      return Error{Code::io,
                   "the server went away before it answered; whether the command was done "
                   "is not known, so look before you repeat it"};
    }
    const auto text = as_text(frame->body);
    switch (frame->kind) {
      case FrameKind::out:
        output.out(text);
        if (!output.wanted()) {
          const auto problem = output.problem();
          return Error{Code::io, problem.empty() ? "nobody reads the output any more" : problem};
        }
        break;
      case FrameKind::err:
        output.err(text);
        break;
      case FrameKind::exit:
        return text.empty() ? 1 : static_cast<int>(static_cast<unsigned char>(text[0]));
      case FrameKind::refused:
        return Error{Code::denied, std::string(text)};
      default:
        return Error{Code::io, "the server sent what this version does not know"};
    }
  }
}

}  // namespace nando
