#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <list>
#include <system_error>
#include <thread>

#include "base/assert.h"
#include "datadir/control.h"
#include "datadir/descriptor.h"
#include "datadir/frame.h"
#include "telemetry/log.h"

namespace nando {

namespace {

using MayEnter = std::function<bool(uid_t peer, uid_t own)>;

constexpr timeval kArgumentsPatience{5, 0};

Error errno_error(const std::string& doing) {
  return {Code::io, doing + ": " + std::generic_category().message(errno)};
}

// Sends what a command says to the caller, in pieces that fit a frame.
class SocketOutput final : public Output {
 public:
  explicit SocketOutput(int socket) : socket_(socket) {}
  void out(std::string_view text) override { send(FrameKind::out, text); }
  void err(std::string_view text) override { send(FrameKind::err, text); }

  // Asks the socket too, so that a command that says nothing for long learns that its caller left.
  bool wanted() const override {
    if (gone_) return false;
    pollfd watched{socket_, POLLRDHUP, 0};
    return ::poll(&watched, 1, 0) == 0;
  }

 private:
  void send(FrameKind kind, std::string_view text) {
    constexpr std::size_t kPieceBytesMax = 64 * 1024;
    while (!gone_ && !text.empty()) {
      const auto piece = text.substr(0, kPieceBytesMax);
      gone_ = !send_frame(socket_, kind, as_bytes(piece));
      text.remove_prefix(piece.size());
    }
  }

  int socket_;
  bool gone_ = false;
};

// One caller, on a thread of its own.
class Call {
 public:
  Call(Descriptor socket, const ControlHandler& handler, int done_event)
      : socket_(std::move(socket)), thread_([this, &handler, done_event] {
          run(handler);
          done_ = true;
          wake(done_event);
        }) {}
  ~Call() { thread_.join(); }

  bool done() const { return done_; }
  // Ends what the command still says and hears; the command sees it in wanted().
  void hang_up() { ::shutdown(socket_.get(), SHUT_RDWR); }

  static void wake(int event) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event, &one, sizeof one);
  }

 private:
  void run(const ControlHandler& handler) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kArgumentsPatience,
                 sizeof kArgumentsPatience);
    const auto frame = receive_frame(socket_.get());
    if (!frame || frame->kind != FrameKind::arguments) return;
    const auto args = decode_arguments(frame->body);
    if (!args) {
      (void)send_frame(socket_.get(), FrameKind::refused,
                       as_bytes("the server is of another version than this command"));
      return;
    }
    SocketOutput output(socket_.get());
    const auto code = static_cast<std::uint8_t>(handler(*args, output));
    (void)send_frame(socket_.get(), FrameKind::exit, std::as_bytes(std::span(&code, 1)));
  }

  Descriptor socket_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

class SocketServer final : public ControlServer {
 public:
  SocketServer(Descriptor folder, Descriptor listener, Descriptor event, ControlHandler handler,
               MayEnter may_enter)
      : folder_(std::move(folder)),
        listener_(std::move(listener)),
        event_(std::move(event)),
        handler_(std::move(handler)),
        may_enter_(std::move(may_enter)),
        thread_([this] { serve(); }) {}
  ~SocketServer() override { stop(); }

  void stop() override {
    if (stopping_.exchange(true)) return;
    Call::wake(event_.get());
    thread_.join();
    ::unlinkat(folder_.get(), std::string(kControlSocket).c_str(), 0);
  }

 private:
  void serve() {
    while (!stopping_) {
      const bool full = calls_.size() >= kControlCallsMax;
      std::array<pollfd, 2> watched{{{event_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}}};
      ::poll(watched.data(), full ? 1 : 2, -1);
      std::uint64_t ignored = 0;
      if ((watched[0].revents & POLLIN) != 0) (void)!::read(event_.get(), &ignored, sizeof ignored);
      calls_.remove_if([](const Call& call) { return call.done(); });
      if (!full && (watched[1].revents & POLLIN) != 0) accept();
    }
    for (auto& call : calls_) call.hang_up();
    calls_.clear();
  }

  void accept() {
    Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    ucred peer{};
    socklen_t size = sizeof peer;
    const bool known = ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    if (!known || !may_enter_(peer.uid, ::geteuid())) {
      log_warn("user {} may not use the control socket", known ? std::to_string(peer.uid) : "?");
      (void)send_frame(socket.get(), FrameKind::refused,
                       as_bytes("the server takes orders from its own user and from root only"));
      return;
    }
    calls_.emplace_back(std::move(socket), handler_, event_.get());
  }

  Descriptor folder_;
  Descriptor listener_;
  Descriptor event_;  // Something to look at: a call ended, or stop().
  ControlHandler handler_;
  MayEnter may_enter_;
  std::atomic<bool> stopping_{false};
  std::list<Call> calls_;  // Of the serving thread.
  std::thread thread_;
};

}  // namespace

bool may_control(uid_t peer, uid_t own) {
  return peer == own || peer == 0;
}

Result<std::unique_ptr<ControlServer>> ControlServer::start(const std::string& directory,
                                                            ControlHandler handler,
                                                            MayEnter may_enter) {
  Descriptor folder(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return errno_error("cannot open " + directory);
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return errno_error("cannot make a socket");
  ::unlinkat(folder.get(), std::string(kControlSocket).c_str(), 0);
  // The mode of a socket is that of its descriptor when it is bound.
  const auto address = control_address(directory, folder.get());
  constexpr int kBacklog = 64;
  if (::fchmod(listener.get(), 0600) != 0 ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), kBacklog) != 0) {
    return errno_error("cannot listen on " + directory + "/" + std::string(kControlSocket));
  }
  Descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return errno_error("cannot make an event");
  return std::unique_ptr<ControlServer>(
      std::make_unique<SocketServer>(std::move(folder), std::move(listener), std::move(event),
                                     std::move(handler), std::move(may_enter)));
}

}  // namespace nando
