#include "datadir/control.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "datadir/descriptor.h"
#include "datadir/frame.h"

namespace nando {
namespace {

using Words = std::vector<std::string>;

std::string make_folder() {
  auto name = testing::TempDir() + "control-XXXXXX";
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  return name;
}

std::unique_ptr<ControlServer> start(const std::string& folder, ControlHandler handler) {
  auto server = ControlServer::start(folder, std::move(handler));
  EXPECT_TRUE(server) << server.error().message;
  return std::move(*server);
}

int echo(const Words& args, Output& output) {
  for (const auto& arg : args) output.out("<" + arg + ">");
  output.err("said on standard error");
  return static_cast<int>(args.size());
}

// A raw connection, for callers that do not keep to the protocol.
Descriptor connect_raw(const std::string& folder) {
  const Descriptor directory(::open(folder.c_str(), O_PATH | O_DIRECTORY));
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  const auto address = control_address(folder, directory.get());
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
            0);
  return socket;
}

TEST(Control, ArgumentsArriveAndWordsAndExitCodeComeBack) {
  const auto folder = make_folder();
  const auto server = start(folder, echo);
  TextOutput output;
  const auto code = control_call(folder, {"site", "add", "", std::string("a\0\n", 3)}, output);
  ASSERT_TRUE(code) << code.error().message;
  EXPECT_EQ(*code, 4);
  EXPECT_EQ(output.out_text, std::string("<site><add><><a\0\n>", 18));
  EXPECT_EQ(output.err_text, "said on standard error");
}

// The example of docs/formats/control.md.
TEST(Control, BytesAreThoseOfTheFormat) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const Descriptor from(ends[0]), to(ends[1]);
  ASSERT_TRUE(send_frame(from.get(), FrameKind::arguments, encode_arguments({"health"})));
  std::array<std::byte, 64> bytes{};
  const auto got = ::recv(to.get(), bytes.data(), bytes.size(), MSG_WAITALL | MSG_DONTWAIT);
  ASSERT_GT(got, 0);
  EXPECT_EQ(to_hex(Bytes(bytes).first(static_cast<std::size_t>(got))),
            "11000000414e414e444f43544c31066865616c7468");
}

TEST(Control, SocketIsForItsOwnerAlone) {
  const auto folder = make_folder();
  const auto server = start(folder, echo);
  struct stat status {};
  ASSERT_EQ(::stat((folder + "/control.sock").c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST(Control, WorksInADirectoryWhosePathIsLongerThanAnAddress) {
  auto folder = make_folder();
  while (folder.size() < 400) folder += "/" + std::string(60, 'x');
  std::filesystem::create_directories(folder);
  const auto server = start(folder, echo);
  TextOutput output;
  const auto code = control_call(folder, {"a"}, output);
  ASSERT_TRUE(code) << code.error().message;
  EXPECT_EQ(output.out_text, "<a>");
  server->stop();
  EXPECT_FALSE(std::filesystem::exists(folder + "/control.sock"));
}

TEST(Control, ManyMegabytesComeThroughInOrder) {
  const auto folder = make_folder();
  constexpr int kLines = 200'000;
  const auto server = start(folder, [](const Words&, Output& output) {
    std::string lines;
    for (int i = 0; i < kLines; ++i) lines += std::to_string(i) + "\n";
    output.out(lines);
    for (int i = 0; i < 1000; ++i) output.out(std::to_string(i) + "\n");
    return 0;
  });
  TextOutput output;
  ASSERT_TRUE(control_call(folder, {"x"}, output));
  std::string expected;
  for (int i = 0; i < kLines; ++i) expected += std::to_string(i) + "\n";
  for (int i = 0; i < 1000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_TRUE(output.out_text == expected);
}

TEST(Control, NobodyThereIsUnavailableAndNothingWasDone) {
  const auto folder = make_folder();
  TextOutput output;
  EXPECT_EQ(control_call(folder, {"a"}, output).error().code, Code::unavailable);
  EXPECT_EQ(control_call(folder + "/none", {"a"}, output).error().code, Code::unavailable);
  start(folder, echo)->stop();
  EXPECT_EQ(control_call(folder, {"a"}, output).error().code, Code::unavailable);
}

TEST(Control, SocketOfADeadServerIsReplaced) {
  const auto folder = make_folder();
  {
    const Descriptor left(::socket(AF_UNIX, SOCK_STREAM, 0));
    const Descriptor directory(::open(folder.c_str(), O_PATH | O_DIRECTORY));
    const auto address = control_address(folder, directory.get());
    ASSERT_EQ(::bind(left.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  TextOutput output;
  EXPECT_EQ(control_call(folder, {"a"}, output).error().code, Code::unavailable);
  const auto server = start(folder, echo);
  EXPECT_TRUE(control_call(folder, {"a"}, output));
}

TEST(Control, OnlyItsOwnUserAndRootMayGiveOrders) {
  EXPECT_TRUE(may_control(1000, 1000));
  EXPECT_TRUE(may_control(0, 1000));
  EXPECT_FALSE(may_control(1001, 1000));
  EXPECT_FALSE(may_control(1000, 0));
}

TEST(Control, AStrangerIsToldSoAndRunsNothing) {
  const auto folder = make_folder();
  std::atomic<int> runs{0};
  std::atomic<uid_t> seen{~0U};
  const auto handler = [&](const Words&, Output&) { return ++runs; };
  // The kernel's word for who called, judged as a server of another user would.
  auto server = ControlServer::start(folder, handler, [&](uid_t peer, uid_t own) {
    seen = peer;
    return may_control(peer + 1, own + 2);
  });
  ASSERT_TRUE(server);
  TextOutput output;
  const auto code = control_call(folder, {"a"}, output);
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, Code::denied);
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(seen, ::geteuid());
}

TEST(Control, ArgumentsUpToTheirLimit) {
  const auto folder = make_folder();
  const auto server =
      start(folder, [](const Words& args, Output&) { return args[0].size() > 1'000'000 ? 7 : 1; });
  TextOutput output;
  const auto overhead =
      encode_arguments({std::string(kControlArgumentsBytesMax - 100, 'x')}).size() -
      (kControlArgumentsBytesMax - 100);
  const auto most = kControlArgumentsBytesMax - overhead;
  EXPECT_EQ(control_call(folder, {std::string(most, 'x')}, output).value(), 7);
  EXPECT_EQ(control_call(folder, {std::string(most + 1, 'x')}, output).error().code, Code::invalid);
}

TEST(Control, CallersThatSpeakNoSenseRunNothingAndHarmNobody) {
  const auto folder = make_folder();
  std::atomic<int> runs{0};
  const auto server = start(folder, [&](const Words&, Output&) { return ++runs; });
  const std::string senseless[] = {
      "",
      "x",
      std::string("\0\0\0\0", 4),
      std::string("\xff\xff\xff\xff", 4) + "A",
      std::string("\x02\0\0\0", 4) + "Ax",
      std::string("\x02\0\0\0", 4) + "Ox",
      std::string("\x0b\0\0\0", 4) + "ANANDOCTL2x",
      std::string("\x0b\0\0\0", 4) + "ANANDOCTL1\x05",
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  for (const auto& bytes : senseless) {
    const auto socket = connect_raw(folder);
    if (!bytes.empty()) {
      EXPECT_GT(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
    }
    ::shutdown(socket.get(), SHUT_WR);
    while (receive_frame(socket.get())) continue;
  }
  EXPECT_EQ(runs, 0);
  TextOutput output;
  EXPECT_EQ(control_call(folder, {"a"}, output).value(), 1);
}

TEST(Control, CommandLearnsThatItsCallerLeft) {
  const auto folder = make_folder();
  std::atomic<bool> begun{false};
  std::atomic<bool> ended{false};
  const auto server = start(folder, [&](const Words&, Output& output) {
    begun = true;
    while (output.wanted()) std::this_thread::yield();
    ended = true;
    return 0;
  });
  {
    const auto socket = connect_raw(folder);
    ASSERT_TRUE(send_frame(socket.get(), FrameKind::arguments, encode_arguments({"a"})));
    while (!begun) std::this_thread::yield();
  }
  while (!ended) std::this_thread::yield();
}

TEST(Control, StopEndsCallsThatWouldGoOn) {
  const auto folder = make_folder();
  std::atomic<bool> begun{false};
  const auto server = start(folder, [&](const Words&, Output& output) {
    begun = true;
    while (output.wanted()) output.out("and on\n");
    return 0;
  });
  Result<int> code = 0;
  TextOutput output;
  std::thread caller([&] { code = control_call(folder, {"a"}, output); });
  while (!begun) std::this_thread::yield();
  server->stop();
  caller.join();
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().code, Code::io);
}

TEST(Control, SlowCallDoesNotHoldUpAnother) {
  const auto folder = make_folder();
  std::atomic<bool> slow_begun{false};
  std::atomic<bool> fast_done{false};
  const auto server = start(folder, [&](const Words& args, Output&) {
    if (args[0] == "fast") return 0;
    slow_begun = true;
    while (!fast_done) std::this_thread::yield();
    return 0;
  });
  std::thread slow([&] {
    TextOutput output;
    EXPECT_TRUE(control_call(folder, {"slow"}, output));
  });
  while (!slow_begun) std::this_thread::yield();
  TextOutput output;
  EXPECT_TRUE(control_call(folder, {"fast"}, output));
  fast_done = true;
  slow.join();
}

TEST(Control, CallsPastTheLimitWaitAndAreAllAnswered) {
  const auto folder = make_folder();
  std::atomic<std::size_t> running{0};
  std::atomic<std::size_t> most{0};
  std::atomic<bool> go{false};
  const auto server = start(folder, [&](const Words&, Output&) {
    const auto now = ++running;
    auto seen = most.load();
    while (seen < now && !most.compare_exchange_weak(seen, now)) continue;
    while (!go) std::this_thread::yield();
    --running;
    return 0;
  });
  std::vector<std::thread> callers;
  std::atomic<int> answered{0};
  for (std::size_t i = 0; i < kControlCallsMax + 4; ++i) {
    callers.emplace_back([&] {
      TextOutput output;
      if (control_call(folder, {"a"}, output)) ++answered;
    });
  }
  while (running < kControlCallsMax) std::this_thread::yield();
  go = true;
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(answered, static_cast<int>(kControlCallsMax + 4));
  EXPECT_EQ(most, kControlCallsMax);
}

}  // namespace
}  // namespace nando
