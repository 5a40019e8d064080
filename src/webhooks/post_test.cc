#include "webhooks/post.h"

#include <gtest/gtest.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "webhooks/test_program.h"
#include "webhooks/test_target.h"

namespace nando {
namespace {

using namespace std::chrono_literals;

// A name server of the test's own, below: "*.loopback.test" is 127.0.0.1, "hangs.test" gets no
// answer until release() says so, or for three seconds.
class NameServer {
 public:
  void hold() {
    std::unique_lock lock(mutex_);
    ++asked_;
    changed_.notify_all();
    changed_.wait_for(lock, 3s, [this] { return released_; });
  }
  void release() {
    const std::lock_guard guard(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  bool wait_until_asked() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [this] { return asked_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned asked_ = 0;
  bool released_ = false;
};

NameServer& name_server() {
  static NameServer server;
  return server;
}

}  // namespace
}  // namespace nando

// libcurl asks this one, since a program's own functions come before those of the C library.
// freeaddrinfo() wants one block of memory for a result and its address.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo*,
                           addrinfo** found) {
  const std::string name(node);
  if (name == "hangs.test") nando::name_server().hold();
  if (!name.ends_with(".loopback.test")) return EAI_NONAME;
  struct Block {
    addrinfo info;
    sockaddr_in address;
  };
  auto* const block = static_cast<Block*>(calloc(1, sizeof(Block)));
  block->address.sin_family = AF_INET;
  std::uint16_t port = 0;
  std::from_chars(service, service + std::string_view(service).size(), port);
  block->address.sin_port = htons(port);
  block->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  block->info.ai_family = AF_INET;
  block->info.ai_socktype = SOCK_STREAM;
  block->info.ai_addrlen = sizeof(sockaddr_in);
  block->info.ai_addr = reinterpret_cast<sockaddr*>(&block->address);
  *found = &block->info;
  return 0;
}

namespace nando {
namespace {

constexpr PostOptions kAnywhere{.reach = Reach::anywhere, .patience = 5s};

PostAnswer post(const std::string& url, PostOptions options = kAnywhere) {
  Posts posts(std::move(options));
  posts.begin(0, {.url = url, .headers = {"X-One: 1"}, .body = "hello"});
  const SystemClock clock;
  const auto end = clock.monotonic() + 10s;
  while (clock.monotonic() < end) {
    auto answers = posts.wait(100ms);
    if (!answers.empty()) return answers.front();
  }
  ADD_FAILURE() << url << ": neither an answer nor a problem";
  return {};
}

TEST(Posts, BringsBodyAndHeadersAndSaysWhatWasAnswered) {
  TestTarget target([](std::size_t) { return Played{answer(202, "", "thanks")}; });
  EXPECT_EQ(post(target.url("/a?b=c")).status, 202U);
  const auto received = target.wait_for(1);
  EXPECT_TRUE(received[0].head.starts_with("POST /a?b=c HTTP/1.1\r\n"));
  EXPECT_EQ(received[0].header("X-One"), "1");
  EXPECT_EQ(received[0].header("User-Agent"), "Nandolytics");
  EXPECT_EQ(received[0].body, "hello");
}

TEST(Posts, ConnectsToNoAddressThatIsNotPublic) {
  TestTarget v4;
  TestTarget v6([](std::size_t) { return Played{answer(200)}; }, AF_INET6);
  // libcurl reads each of these as an address of this machine, or asks a name server that says so.
  for (const auto& host : {"127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "017700000001",
                           "0.0.0.0", "0", "localhost", "any.localhost", "a.loopback.test", "[::1]",
                           "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"}) {
    const bool is_v6 = std::string(host).starts_with("[::1]") || std::string(host) == "[::]";
    const auto url = std::string("http://") + host + ":" + (is_v6 ? v6 : v4).port() + "/";
    const auto refused = post(url, {.patience = 5s});
    EXPECT_EQ(refused.status, 0U) << host;
    EXPECT_NE(refused.problem.find("webhooks.allow_private"), std::string::npos)
        << host << ": " << refused.problem;
  }
  EXPECT_EQ(v4.connections() + v6.connections(), 0U);
  for (const auto* far : {"10.0.0.1", "169.254.169.254", "100.64.0.1", "192.168.1.1", "[fe80::1]",
                          "[fd00::1]", "[64:ff9b::10.0.0.1]", "224.0.0.1", "255.255.255.255"}) {
    const auto refused = post(std::string("http://") + far + "/", {.patience = 5s});
    EXPECT_NE(refused.problem.find("webhooks.allow_private"), std::string::npos)
        << far << ": " << refused.problem;
  }
  EXPECT_EQ(post("http://a.loopback.test:" + v4.port() + "/").status, 200U);
  EXPECT_EQ(post("http://[::1]:" + v6.port() + "/").status, 200U);
}

TEST(Posts, FollowsNoRedirect) {
  TestTarget inner;
  for (const unsigned status : {301, 302, 303, 307, 308}) {
    TestTarget outer([&](std::size_t) {
      return Played{answer(status, "Location: " + inner.url("/secret") + "\r\n")};
    });
    EXPECT_EQ(post(outer.url()).status, status);
  }
  EXPECT_EQ(inner.connections(), 0U);
}

TEST(Posts, AsksNoProxyOfTheEnvironment) {
  TestTarget proxy;
  TestTarget target([](std::size_t) { return Played{answer(204)}; });
  const auto via = "http://127.0.0.1:" + proxy.port();
  for (const auto* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) setenv(name, via.c_str(), 1);
  const auto answered = post(target.url());
  for (const auto* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
  EXPECT_EQ(answered.status, 204U);
  EXPECT_EQ(proxy.connections(), 0U);
}

TEST(Posts, SpeaksHttpAndNothingElse) {
  TestTarget target;
  for (const auto* scheme : {"ftp", "gopher", "telnet", "dict", "smtp", "ldap"}) {
    const auto refused = post(std::string(scheme) + "://127.0.0.1:" + target.port() + "/");
    EXPECT_EQ(refused.status, 0U) << scheme;
    EXPECT_NE(refused.problem, "") << scheme;
  }
  EXPECT_EQ(post("file:///etc/hostname").status, 0U);
  EXPECT_EQ(target.connections(), 0U);
}

TEST(Posts, AnAnswerMayEndInEachOfTheWaysThatHttpHas) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  for (const auto& bytes : {
           ok + "Content-Length: 2\r\n\r\nok",
           ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
           ok + "Transfer-Encoding: chunked\r\nTrailer: T\r\n\r\n2\r\nok\r\n0\r\nT: 1\r\n\r\n",
           ok + "\r\nuntil it is closed",
           "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 0\r\n\r\n",
           std::string("HTTP/1.1 204 None\r\n\r\n"),
       }) {
    TestTarget target([&](std::size_t) { return Played{bytes, Played::Then::close}; });
    const auto got = post(target.url());
    EXPECT_EQ(got.status / 100, 2U) << bytes << got.problem;
  }
}

TEST(Posts, AnAnswerThatIsNotWholeIsNone) {
  using Then = Played::Then;
  const Played plays[] = {
      {"", Then::close},
      {"", Then::reset},
      {"HTTP/1.1 200 OK\r\nContent-Le", Then::close},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Le", Then::close},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Then::close},
      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Then::reset},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Then::close},
      {"HTTP/1.1 100 Continue\r\n\r\n", Then::close},
      {"SSH-2.0-OpenSSH_9.2\r\n", Then::close},
  };
  for (const auto& play : plays) {
    TestTarget target([&](std::size_t) { return play; });
    const auto got = post(target.url());
    EXPECT_EQ(got.status, 0U) << play.bytes;
    EXPECT_TRUE(got.problem.starts_with("gave no answer: ")) << play.bytes << got.problem;
  }
  EXPECT_TRUE(post("http://nowhere.test/").problem.starts_with("gave no answer: "));
}

TEST(Posts, GivesUpWhoDoesNotAnswerInTime) {
  const SystemClock clock;
  for (const auto* bytes : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\nand so on"}) {
    TestTarget target([&](std::size_t) { return Played{bytes}; });
    const auto began = clock.monotonic();
    EXPECT_EQ(post(target.url(), {.reach = Reach::anywhere, .patience = 200ms}).status, 0U);
    EXPECT_GE(clock.monotonic() - began, 150ms);
    EXPECT_LT(clock.monotonic() - began, 3s);
  }
}

TEST(Posts, ReadsSoMuchOfAnAnswerAndNoMore) {
  const auto head = [](std::size_t bytes) {
    const std::string status = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    const std::string line = "X: " + std::string(995, 'x') + "\r\n";
    std::string all = status;
    while (all.size() + line.size() + 100 < bytes) all += line;
    const auto rest = bytes - all.size() - std::string("X: \r\n\r\n").size();
    return all + "X: " + std::string(rest, 'x') + "\r\n\r\n";
  };
  for (const std::size_t past : {0, 1}) {
    TestTarget target([&](std::size_t) { return Played{head(kAnswerBytesMax + past)}; });
    EXPECT_EQ(post(target.url()).status, past == 0 ? 200U : 0U) << past;
  }
  // The rest of a long body never comes, and nobody waits for it.
  const SystemClock clock;
  const auto began = clock.monotonic();
  for (const std::size_t past : {0, 1}) {
    TestTarget target([&](std::size_t) {
      const std::string whole = past == 0 ? std::to_string(kAnswerBytesMax) : "1000000000";
      return Played{"HTTP/1.1 200 OK\r\nContent-Length: " + whole + "\r\n\r\n" +
                    std::string(kAnswerBytesMax + past, 'b')};
    });
    EXPECT_EQ(post(target.url()).status, 200U) << past;
  }
  EXPECT_LT(clock.monotonic() - began, 3s);
}

TEST(Posts, IsGoneAtOnceWhateverHangs) {
  const SystemClock clock;
  TestTarget silent([](std::size_t) { return Played{}; });
  auto posts = std::make_unique<Posts>(PostOptions{.reach = Reach::anywhere, .patience = 1min});
  posts->begin(0, {.url = silent.url(), .body = "a"});
  posts->begin(1, {.url = "http://hangs.test/", .body = "b"});
  std::atomic<bool> ready = false;
  std::thread watches([&] {
    silent.wait_for(1);
    EXPECT_TRUE(name_server().wait_until_asked());
    ready = true;
    posts->wake();
  });
  while (!ready) posts->wait(1min);
  watches.join();
  const auto began = clock.monotonic();
  posts.reset();
  EXPECT_LT(clock.monotonic() - began, 500ms);
  name_server().release();
}

TEST(Posts, WakeEndsTheNextWaitToo) {
  Posts posts(kAnywhere);
  const SystemClock clock;
  const auto began = clock.monotonic();
  posts.wake();
  EXPECT_TRUE(posts.wait(1min).empty());
  EXPECT_LT(clock.monotonic() - began, 10s);
}

TEST(Posts, ACertificateMustBeGood) {
  auto folder = testing::TempDir() + "posts-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto key = folder + "/key.pem";
  const auto certificate = folder + "/certificate.pem";
  const auto made = run_to_end({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                "ec_paramgen_curve:prime256v1", "-noenc", "-days", "1", "-keyout",
                                key, "-out", certificate, "-subj", "/CN=t", "-addext",
                                "subjectAltName=DNS:good.loopback.test"});
  ASSERT_EQ(made, 0);
  const auto server = run({"python3", "-c", R"(
import http.server, ssl, sys
class Yes(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Yes)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
)",
                           certificate, key});
  const auto at = ":" + server.line + "/";
  auto trusting = kAnywhere;
  trusting.authorities = certificate;
  EXPECT_EQ(post("https://good.loopback.test" + at, trusting).status, 200U);
  EXPECT_NE(post("https://other.loopback.test" + at, trusting).problem, "") << "another's name";
  EXPECT_NE(post("https://good.loopback.test" + at).problem, "") << "nobody vouches for it";
  ::kill(server.process, SIGKILL);
  ::waitpid(server.process, nullptr, 0);
}

}  // namespace
}  // namespace nando
