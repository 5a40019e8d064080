#include "cli/command.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "datadir/control.h"
#include "datadir/descriptor.h"

namespace nando {
namespace {

using Words = std::vector<std::string>;

struct Answer {
  int exit_code;
  std::string out;
  std::string err;
};

class CommandTest : public testing::Test {
 protected:
  CommandTest() {
    auto name = testing::TempDir() + "command-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
  }

  Answer run(Words args) const {
    TextOutput output;
    const int code = run_program(args, {{"NANDOLYTICS_DATA", folder + "/data"}}, output);
    return {code, output.out_text, output.err_text};
  }
  // A running server: the lock, the live parts, the socket.
  struct Server {
    std::unique_ptr<const LoadedSettings> loaded;
    std::unique_ptr<Live> live;
    std::unique_ptr<ControlServer> control;
  };
  Server serve() const {
    SystemEntropy entropy;
    auto data = DataDir::open(folder + "/data", LockHolder::serve, IfMissing::create, entropy);
    EXPECT_TRUE(data) << data.error().message;
    Server server;
    server.loaded = std::make_unique<const LoadedSettings>(load_settings({}));
    server.live = std::move(*open_offline(std::move(*data), server.loaded->settings));
    auto control = ControlServer::start(
        folder + "/data", [live = server.live.get()](const Words& args, Output& output) {
          return run_on(*live, args, output);
        });
    EXPECT_TRUE(control) << control.error().message;
    server.control = std::move(*control);
    return server;
  }

  std::string folder;
};

TEST_F(CommandTest, NoArgumentsPrintsWhatThereIs) {
  for (const auto& args : {Words{}, Words{"--help"}, Words{"help"}, Words{"-h"}}) {
    const auto answer = run(args);
    EXPECT_EQ(answer.exit_code, kDone);
    for (const auto& command : commands()) {
      EXPECT_NE(answer.out.find(command.name), std::string::npos) << command.name;
    }
  }
  EXPECT_TRUE(run({"--version"}).out.starts_with("nandolytics "));
}

TEST_F(CommandTest, WrongCallSaysWhatWouldBeRightInOneLineAndExitsWith2) {
  struct Row {
    Words args;
    std::string says;
  };
  const Row rows[] = {
      {{"sit", "add"}, "did you mean 'site'?"},
      {{"site", "ad"}, "did you mean 'site add'?"},
      {{"frobnicate"}, "nandolytics --help"},
      {{"site", "add"}, "HOST is required"},
      {{"site", "add", "a.example", "b.example"}, "nandolytics site add --help"},
      {{"site", "add", "a.example", "--timezon", "UTC"}, "--timezon"},
      {{"site", "add", "a.example", "--timezone", "Mars/Base"}, "Europe/Berlin"},
      {{"site", "add", "https://a.example/b"}, "the host in it is a.example"},
      {{"token", "add", "x"}, "--scope"},
      {{"token", "add", "x", "--scope", "all"}, "hits, stats or admin"},
      {{"token", "revoke", "one"}, "ID"},
      {{"site", "list", "--log-level", "info"}, "--log-level"},
  };
  for (const auto& row : rows) {
    const auto answer = run(row.args);
    EXPECT_EQ(answer.exit_code, kWrongCall) << answer.err;
    EXPECT_EQ(answer.out, "");
    EXPECT_TRUE(answer.err.starts_with("nandolytics: ")) << answer.err;
    EXPECT_EQ(std::ranges::count(answer.err, '\n'), 1) << answer.err;
    EXPECT_NE(answer.err.find(row.says), std::string::npos) << answer.err;
  }
  EXPECT_EQ(run({"site"}).exit_code, kWrongCall);
}

TEST_F(CommandTest, SitesAreAddedListedSetAndRemoved) {
  EXPECT_EQ(run({"site", "list"}).exit_code, kRefused) << "a mistyped directory is not made";
  EXPECT_FALSE(std::filesystem::exists(folder + "/data"));
  EXPECT_EQ(run({"site", "add", "www.Example.com", "--public-counts"}).out,
            "added example.com, time zone Etc/UTC, counts public\n");
  EXPECT_EQ(run({"site", "add", "example.com"}).exit_code, kRefused);
  EXPECT_EQ(run({"site", "set", "example.com", "query", "only:id"}).out,
            "example.com: query is now only:id\n");
  EXPECT_EQ(run({"site", "set", "example.com", "aliases", "a.example,b.example"}).exit_code, kDone);
  EXPECT_EQ(run({"site", "list", "--json"}).out, R"([
    {
        "aliases" : [
            "a.example",
            "b.example"
        ],
        "host" : "example.com",
        "id" : 1,
        "pages_max" : 1000000,
        "public_counts" : true,
        "query" : "only:id",
        "retention" : "forever",
        "timezone" : "Etc/UTC",
        "trailing_slash" : "keep"
    }
]
)");
  EXPECT_NE(run({"site", "list"}).out.find("1   example.com"), std::string::npos);
  EXPECT_EQ(run({"site", "set", "example.com", "aliases", ""}).exit_code, kDone);
  EXPECT_EQ(run({"site", "remove", "example.com"}).exit_code, kDone);
  EXPECT_EQ(run({"site", "remove", "example.com"}).exit_code, kRefused);
  EXPECT_EQ(run({"site", "list", "--json"}).out, "[]\n");
}

TEST_F(CommandTest, WhatCannotBeRemovedOrMadeVoidIsSaid) {
  ASSERT_EQ(run({"site", "add", "a.example", "--timezone", "Europe/Berlin"}).exit_code, kDone);
  struct Row {
    Words args;
    int exit_code;
    std::string says;
  };
  const Row rows[] = {
      {{"page", "remove", "ftp://a.example/"}, kWrongCall, "is no URL of a page"},
      {{"page", "remove", "https://b.example/"}, kRefused, "no site has the host b.example"},
      {{"page", "remove", "a.example/never"}, kRefused, "a.example/never was never counted"},
      {{"site", "set", "a.example", "retention", "0d"}, kWrongCall, "1d to 36500d"},
      {{"site", "set", "a.example", "retention", "36501d"}, kWrongCall, "1d to 36500d"},
      {{"site", "set", "a.example", "retention", "30"}, kWrongCall, "1d to 36500d"},
      {{"site", "set", "a.example", "retention", "36500d"}, kDone, "is now 36500d"},
      {{"site", "set", "a.example", "retention", "1d"}, kDone, "is now 1d"},
      {{"site", "set", "a.example", "retention", "forever"}, kDone, "is now forever"},
      {{"void", "--site", "b.example", "--from", "2026-01-01", "--to", "2026-01-02"},
       kRefused,
       "there is no site b.example"},
      {{"void", "--site", "a.example", "--from", "2026-01-32", "--to", "2026-01-02"},
       kWrongCall,
       "in Europe/Berlin"},
      {{"void", "--site", "a.example", "--from", "2026-01-02", "--to", "2026-01-01"},
       kWrongCall,
       "--to is not after --from"},
      {{"void", "--site", "a.example", "--from", "2026-01-02", "--to", "2026-01-02"},
       kDone,
       "0 hits from 2026-01-01T23:00:00.000Z to 2026-01-02T23:00:00.000Z"},
      {{"void", "--site", "a.example", "--from", "2026-01-02", "--to", "2026-01-02", "--path",
        "/x"},
       kRefused,
       "a.example/x was never counted"},
  };
  for (const auto& row : rows) {
    const auto answer = run(row.args);
    EXPECT_EQ(answer.exit_code, row.exit_code) << answer.err;
    EXPECT_NE((answer.out + answer.err).find(row.says), std::string::npos)
        << answer.out << answer.err;
  }
}

TEST_F(CommandTest, TokenIsShownOnceAndNotInTheList) {
  ASSERT_EQ(run({"site", "add", "a.example"}).exit_code, kDone);
  const auto made = run({"token", "add", "backend", "--scope", "hits", "--site", "a.example"});
  ASSERT_EQ(made.exit_code, kDone) << made.err;
  EXPECT_TRUE(made.out.starts_with("nando_hits_"));
  const auto listed = run({"token", "list"});
  EXPECT_NE(listed.out.find("backend"), std::string::npos);
  EXPECT_NE(listed.out.find("a.example"), std::string::npos);
  EXPECT_EQ(listed.out.find(made.out.substr(11, 20)), std::string::npos);
  EXPECT_NE(run({"token", "list", "--json"}).out.find(R"("scope" : "hits")"), std::string::npos);
  EXPECT_EQ(run({"token", "revoke", "1"}).exit_code, kDone);
  EXPECT_EQ(run({"token", "revoke", "1"}).exit_code, kRefused);
  EXPECT_EQ(run({"token", "add", "x", "--scope", "hits", "--site", "b.example"}).exit_code,
            kRefused);
}

TEST_F(CommandTest, CommandSaysTheSameBesideAServerAsWithoutOne) {
  const Words session[] = {
      {"site", "add", "a.example", "--timezone", "Asia/Tokyo"},
      {"site", "add", "a.example"},
      {"site", "list"},
      {"site", "set", "a.example", "pages_max", "0"},
      {"site", "list", "--json"},
      {"token", "list"},
      {"token", "revoke", "9"},
      {"site", "remove", "a.example"},
  };
  std::vector<Answer> alone;
  for (const auto& args : session) alone.push_back(run(args));
  std::filesystem::remove_all(folder + "/data");
  const auto server = serve();
  for (std::size_t i = 0; i < std::size(session); ++i) {
    const auto beside = run(session[i]);
    EXPECT_EQ(beside.exit_code, alone[i].exit_code) << i;
    EXPECT_EQ(beside.out, alone[i].out) << i;
    EXPECT_EQ(beside.err, alone[i].err) << i;
  }
}

TEST_F(CommandTest, CommandBesideAServerChangesTheServersOwnParts) {
  const auto server = serve();
  ASSERT_EQ(run({"site", "add", "a.example"}).exit_code, kDone);
  EXPECT_TRUE(server.live->sites().find("a.example"));
  const auto token = run({"token", "add", "x", "--scope", "admin"}).out;
  Tokens::Reader reader(server.live->tokens());
  EXPECT_TRUE(reader.check(token.substr(0, token.size() - 1)));
}

TEST_F(CommandTest, ServerThatIsStillStartingIsWaitedFor) {
  SystemEntropy entropy;
  auto data = DataDir::open(folder + "/data", LockHolder::serve, IfMissing::create, entropy);
  ASSERT_TRUE(data);
  std::thread caller([&] { EXPECT_EQ(run({"site", "add", "a.example"}).exit_code, 7); });
  const auto control =
      ControlServer::start(folder + "/data", [](const Words&, Output&) { return 7; });
  ASSERT_TRUE(control);
  caller.join();
}

TEST_F(CommandTest, CommandsThatMeetWaitForEachOther) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto answer = run({"site", "add", "s" + std::to_string(i) + ".example"});
      EXPECT_EQ(answer.exit_code, kDone) << answer.err;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(std::ranges::count(run({"site", "list"}).out, '\n'), 5);
}

TEST_F(CommandTest, ServerRunsNothingThatIsTheCallersOwn) {
  const auto server = serve();
  TextOutput output;
  EXPECT_EQ(run_on(*server.live, {"config", "show"}, output), kWrongCall);
  EXPECT_EQ(run_on(*server.live, {"frobnicate"}, output), kWrongCall);
  EXPECT_EQ(output.out_text, "");
}

TEST_F(CommandTest, DamagedRegistryIsRefusedByName) {
  ASSERT_EQ(run({"site", "add", "a.example"}).exit_code, kDone);
  std::ofstream(folder + "/data/registry.db") << "rot";
  const auto answer = run({"site", "list"});
  EXPECT_EQ(answer.exit_code, kRefused);
  EXPECT_NE(answer.err.find("registry.db"), std::string::npos) << answer.err;
}

TEST_F(CommandTest, ConfigSaysWhereEachValueComesFrom) {
  const auto file = folder + "/f.toml";
  std::ofstream(file) << "[rate_limit]\nburst = 7\n";
  const auto shown = run({"config", "show", "--origin", "--config", file, "--listen", "[::1]:9"});
  EXPECT_EQ(shown.exit_code, kDone);
  EXPECT_NE(shown.out.find("[::1]:9"), std::string::npos);
  EXPECT_NE(shown.out.find("--listen\n"), std::string::npos);
  EXPECT_NE(shown.out.find("NANDOLYTICS_DATA\n"), std::string::npos);
  EXPECT_NE(shown.out.find(file + ":2:9\n"), std::string::npos);
  EXPECT_NE(shown.out.find("default\n"), std::string::npos);
  const auto json = run({"config", "show", "--json", "--config", file});
  EXPECT_NE(json.out.find(R"("name" : "rate_limit.burst")"), std::string::npos);
}

TEST_F(CommandTest, BadSettingsStopEveryCommandAndConfigCheckListsThem) {
  const auto file = folder + "/f.toml";
  std::ofstream(file) << "one = 1\ntwo = 2\n";
  const auto checked = run({"config", "check", "--config", file});
  EXPECT_EQ(checked.exit_code, kRefused);
  EXPECT_EQ(std::ranges::count(checked.err, '\n'), 2);
  const auto added = run({"site", "add", "a.example", "--config", file});
  EXPECT_EQ(added.exit_code, kWrongCall);
  EXPECT_EQ(added.err, checked.err);
  EXPECT_FALSE(std::filesystem::exists(folder + "/data"));
  std::ofstream(file) << "[log]\nlevel = \"warn\"\n";
  EXPECT_EQ(run({"config", "check", "--config", file}).exit_code, kDone);
}

TEST_F(CommandTest, SwitchIsOnByItsFlagAndOffByItsFlagWithAValue) {
  const auto value = [&](const std::string& flag) {
    const auto out = run({"config", "show", "--origin", flag}).out;
    return out.find("auto_sites                  true") != std::string::npos;
  };
  EXPECT_TRUE(value("--auto-sites"));
  EXPECT_FALSE(value("--auto-sites=false"));
}

// Answers one question with `answer`, on a free port that it writes where a server does.
class OneAnswer {
 public:
  OneAnswer(const std::string& data, std::string answer)
      : listener_(::socket(AF_INET, SOCK_STREAM, 0)), thread_([this, data, answer] {
          std::filesystem::create_directories(data);
          sockaddr_in address{};
          address.sin_family = AF_INET;
          address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
          socklen_t size = sizeof address;
          auto* const raw = reinterpret_cast<sockaddr*>(&address);
          EXPECT_EQ(::bind(listener_.get(), raw, size), 0);
          EXPECT_EQ(::listen(listener_.get(), 1), 0);
          EXPECT_EQ(::getsockname(listener_.get(), raw, &size), 0);
          std::ofstream(data + "/address") << "127.0.0.1:" << ntohs(address.sin_port) << "\n";
          ready_ = true;
          const Descriptor socket(::accept(listener_.get(), nullptr, nullptr));
          std::array<char, 1024> question{};
          EXPECT_GT(::recv(socket.get(), question.data(), question.size(), 0), 0);
          EXPECT_TRUE(std::string_view(question.data()).starts_with("GET /healthz HTTP/1.1\r\n"));
          EXPECT_EQ(::send(socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
                    static_cast<ssize_t>(answer.size()));
        }) {
    while (!ready_) std::this_thread::yield();
  }
  ~OneAnswer() { thread_.join(); }

 private:
  Descriptor listener_;
  std::atomic<bool> ready_{false};
  std::thread thread_;
};

TEST_F(CommandTest, HealthIsWhatTheServerSays) {
  {
    const OneAnswer server(folder + "/data", "HTTP/1.1 200 OK\r\n\r\n{}");
    EXPECT_EQ(run({"health"}).exit_code, kDone);
  }
  {
    const OneAnswer server(folder + "/data", "HTTP/1.1 503 Service Unavailable\r\n\r\nstalled");
    const auto answer = run({"health"});
    EXPECT_EQ(answer.exit_code, kRefused);
    EXPECT_NE(answer.err.find("stalled"), std::string::npos);
  }
  const auto nobody = run({"health"});  // The address is still written there.
  EXPECT_EQ(nobody.exit_code, kRefused);
  EXPECT_NE(nobody.err.find("no server answers"), std::string::npos);
}

TEST(Output, TableIsAlignedByCharactersNotBytes) {
  EXPECT_EQ(text_table({{"A", "B"}, {"\xc3\xbc\xc3\xbc\xc3\xbc", "x"}, {"", "y"}}),
            "A    B\n\xc3\xbc\xc3\xbc\xc3\xbc  x\n     y\n");
}

TEST(Output, JsonEscapesWhatItMust) {
  EXPECT_EQ(json_text({{{"a\"b", std::string("\\ \" \n \x01")}}}),
            "[\n    {\n        \"a\\\"b\" : \"\\\\ \\\" \\n \\u0001\"\n    }\n]\n");
}

TEST(Output, RefusalIsOneLine) {
  TextOutput output;
  EXPECT_EQ(refuse(output, {Code::io, "a\nb"}), kRefused);
  EXPECT_EQ(output.err_text, "nandolytics: a b\n");
}

}  // namespace
}  // namespace nando
