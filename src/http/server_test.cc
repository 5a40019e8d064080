// A real server on a free port, and raw client sockets.
#include <malloc.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "http/test_server.h"
#include "telemetry/log.h"

namespace {

// Counts what any thread allocates, for the promises about memory.
std::atomic<std::uint64_t> allocations{0};
std::atomic<std::int64_t> live_bytes{0};

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  allocations.fetch_add(1, std::memory_order_relaxed);
  live_bytes.fetch_add(static_cast<std::int64_t>(malloc_usable_size(memory)));
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(std::malloc(size));
}
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  live_bytes.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(memory)));
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace nando::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_F(HttpServer, AStreamGoesOnAndHasNoLength) {
  start();
  auto one = client();
  one.send(get("/stream"));
  const auto begins = one.answer();
  EXPECT_NE(begins.find("Connection: close\r\n"), std::string::npos) << begins;
  EXPECT_EQ(begins.find("Content-Length"), std::string::npos);
  EXPECT_NE(begins.find("Content-Type: text/x\r\n"), std::string::npos);
  for (const auto* text : {"a", "bc"}) {
    EXPECT_TRUE(on_streams([&](auto& streams) { return streams.at(0).send(text); }));
  }
  on_streams([](auto& streams) { return streams.clear(), 0; });
  EXPECT_EQ(one.rest(), "begin;abc");
}

TEST_F(HttpServer, AStreamLearnsThatItsClientHasGone) {
  start();
  {
    auto one = client();
    one.send(get("/stream"));
    one.answer();
  }
  EXPECT_TRUE(eventually(
      [&] { return !on_streams([](auto& streams) { return streams.at(0).is_open(); }); }));
  EXPECT_FALSE(on_streams([](auto& streams) { return streams.at(0).send("x"); }));
  EXPECT_EQ(server_->counts().open, 0U);
}

// Nothing is queued for who does not read; once it has read, it is sent to again.
TEST_F(HttpServer, ASlowListenerMissesSomeAndGetsMoreLater) {
  start();
  auto one = client();
  one.send(get("/stream"));
  one.answer();
  const std::string piece(64 << 10, 'x');
  const auto taken = on_streams([&](auto& streams) {
    std::size_t pieces = 0;
    while (streams.at(0).send(piece)) ++pieces;
    return pieces;
  });
  EXPECT_GT(taken, 0U);
  std::size_t received = 0;
  std::thread reader([&] {
    const auto all = one.rest();
    received = all.size();
  });
  EXPECT_TRUE(eventually(
      [&] { return on_streams([&](auto& streams) { return streams.at(0).send("end"); }); }));
  on_streams([](auto& streams) { return streams.clear(), 0; });
  reader.join();
  EXPECT_EQ(received, taken * piece.size() + 6 + 3);
}

TEST_F(HttpServer, AListenerThatTakesNothingIsClosed) {
  start({.slow_limit = 1s});
  auto one = client();
  one.send(get("/stream"));
  one.answer();
  const std::string piece(1 << 20, 'x');
  on_streams([&](auto& streams) {
    while (streams.at(0).send(piece)) {
    }
    return 0;
  });
  EXPECT_TRUE(eventually([&] { return server_->counts().timed_out == 1; }));
  EXPECT_FALSE(on_streams([](auto& streams) { return streams.at(0).is_open(); }));
}

TEST_F(HttpServer, StopClosesStreamsAtOnceAndHeadHasNone) {
  start();
  auto head = client();
  head.send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(head.rest().starts_with("HTTP/1.1 200"));
  auto one = client();
  one.send(get("/stream"));
  one.answer();
  const auto began = std::chrono::steady_clock::now();
  server_->stop(kPatience);
  EXPECT_LT(std::chrono::steady_clock::now() - began, kPatience / 2);
  EXPECT_EQ(one.rest(), "begin;");
}

TEST_F(HttpServer, ARequestMayBeSplitAtEveryByte) {
  start();
  const auto bytes = with("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n");
  auto one = client();
  for (const char c : bytes) one.send({&c, 1});
  EXPECT_EQ(body_of(one.answer()), "POST /p helloabc");
}

TEST_F(HttpServer, PipelinedRequestsAreAnsweredInOrderOneAtATime) {
  start();
  auto one = client();
  one.send(get("/later") + get("/b") + with("Content-Length: 2\r\n", "ab") + get("/later") +
           get("/d"));
  ASSERT_TRUE(eventually([&] { return shared_.parked_count() == 1; }));
  EXPECT_EQ(shared_.requests, 1U);
  answer_parked();
  EXPECT_EQ(body_of(one.answer()), "late");
  EXPECT_EQ(body_of(one.answer()), "GET /b ");
  EXPECT_EQ(body_of(one.answer()), "POST /p ab");
  ASSERT_TRUE(eventually([&] { return shared_.parked_count() == 1; }));
  answer_parked();
  EXPECT_EQ(body_of(one.answer()), "late");
  EXPECT_EQ(body_of(one.answer()), "GET /d ");
}

TEST_F(HttpServer, KeepsAConnectionAsItsVersionSays) {
  start({.loops = 2});
  EXPECT_EQ(shared_.handlers, 2U);
  auto one = client();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(body_of(one.ask(get("/x"))), "GET /x ");
  EXPECT_EQ(server_->counts().accepted, 1U);
  auto old = client();
  const std::string keep = "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  for (int i = 0; i < 2; ++i) {
    EXPECT_NE(old.ask(keep).find("Connection: keep-alive\r\n"), std::string::npos);
  }
  old.send("GET /x HTTP/1.0\r\n\r\n" + get("/smuggled"));
  EXPECT_NE(old.rest().find("Connection: close\r\n"), std::string::npos);
  EXPECT_FALSE(shared_.saw_smuggled);
}

TEST_F(HttpServer, SaysContinueToWhoWaitsForItAndRefusesInstead) {
  start();
  auto one = client();
  const auto head = with("Content-Length: 5\r\nExpect: 100-continue\r\n");
  EXPECT_EQ(one.ask(head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(body_of(one.ask("hello")), "POST /p hello");
  EXPECT_EQ(body_of(one.ask(head + "hello")), "POST /p hello");
  EXPECT_TRUE(client()
                  .ask("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n"
                       "Expect: 100-continue\r\n\r\n")
                  .starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServer, ConnectionsMayBeSoManyAndFurtherOnesAreClosed) {
  start({.connections_max = 2});
  auto one = client();
  auto two = client();
  EXPECT_FALSE(one.ask(get("/x")).empty());
  EXPECT_FALSE(two.ask(get("/x")).empty());
  EXPECT_EQ(client().rest(), "");
  one.reset();
  ASSERT_TRUE(eventually([&] { return server_->counts().open == 1; }));
  EXPECT_FALSE(client().ask(get("/x")).empty());
}

TEST_F(HttpServer, SlowClientsAreGoneAndHonestOnesAreNot) {
  start({.slow_limit = 1s, .idle_limit = 75s});
  auto silent = client(), header = client(), body = client(), reader = client(), idle = client();
  EXPECT_FALSE(idle.ask(get("/x")).empty());
  header.send("GET / HTTP/1.1\r\nHos");
  body.send(with("Content-Length: 10\r\n", "abc"));
  reader.send(get("/big"));
  EXPECT_EQ(silent.rest(), "");
  EXPECT_EQ(body_of(header.rest()), "request_timeout");
  EXPECT_TRUE(body.rest().starts_with("HTTP/1.1 408 "));
  ASSERT_TRUE(eventually([&] { return server_->counts().open == 1; }));
  EXPECT_EQ(server_->counts().timed_out, 4U);
  EXPECT_TRUE(reader.was_reset()) << "the kernel keeps what it has not taken";
  EXPECT_LT(reader.rest().size(), 32U << 20);
  EXPECT_FALSE(idle.ask(get("/x")).empty());
}

TEST_F(HttpServer, ATricklingClientIsNotSavedByItsTrickle) {
  start({.slow_limit = 1s});
  auto one = client();
  pollfd entry{.fd = one.fd(), .events = POLLIN, .revents = 0};
  const auto bytes = with("Content-Length: 1000000\r\n", std::string(1'000'000, 'a'));
  std::size_t sent = 0;
  while (sent < bytes.size() && poll(&entry, 1, 10) == 0) one.send(bytes.substr(sent++, 1));
  EXPECT_LT(sent, bytes.size());
  EXPECT_TRUE(one.rest().starts_with("HTTP/1.1 408 "));
}

TEST_F(HttpServer, IdleConnectionsAreClosed) {
  start({.idle_limit = 1s});
  auto one = client();
  EXPECT_FALSE(one.ask(get("/x")).empty());
  EXPECT_EQ(one.rest(), "");
}

TEST_F(HttpServer, AnAnswerForAClientThatHasGoneIsDropped) {
  start();
  auto gone = client();
  gone.send(get("/later"));
  ASSERT_TRUE(eventually([&] { return shared_.parked_count() == 1; }));
  gone.reset();
  ASSERT_TRUE(eventually([&] { return server_->counts().open == 0; }));
  answer_parked();
  EXPECT_FALSE(client().ask(get("/x")).empty());
}

TEST_F(HttpServer, AClientThatOnlyStoppedSendingIsAnswered) {
  start();
  auto one = client();
  one.send(get("/later") + get("/b"));
  shutdown(one.fd(), SHUT_WR);
  ASSERT_TRUE(eventually([&] { return shared_.parked_count() == 1; }));
  answer_parked();
  EXPECT_EQ(body_of(one.answer()), "late");
  EXPECT_EQ(body_of(one.answer()), "GET /b ");
  EXPECT_EQ(one.rest(), "");
}

TEST_F(HttpServer, PostsToABusyLoopRunTogetherInOrder) {
  start();
  std::promise<void> busy, go;
  shared_.mailbox->post([&] { busy.set_value(), go.get_future().wait(); });
  busy.get_future().wait();
  const auto turns = shared_.turns.load();
  std::vector<int> order;
  std::promise<unsigned> done;
  for (int i = 0; i < 1000; ++i) shared_.mailbox->post([&order, i] { order.push_back(i); });
  shared_.mailbox->post([&] { done.set_value(shared_.turns - turns); });
  go.set_value();
  EXPECT_LE(done.get_future().get(), 1U);
  EXPECT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(HttpServer, ATurnHasSoManyRequestsAndNoMore) {
  start();
  auto one = client();
  constexpr unsigned kRequests = kTurnRequestsMax + 1000;
  const int room = 1 << 20;
  setsockopt(one.fd(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  std::string bytes = get("/wait");
  for (unsigned i = 1; i < kRequests; ++i)
    bytes += "GET /x HTTP/1.0\r\nConnection:keep-alive\r\n\r\n";
  std::thread first([&] { one.send(bytes); });
  auto two = client();  // With more than the loop reads at once, when the turn is full.
  std::thread second([&] { two.send(bytes.substr(get("/wait").size())); });
  shared_.go.set_value();
  for (unsigned i = 0; i < kRequests; ++i) EXPECT_FALSE(one.answer().empty());
  for (unsigned i = 1; i < kRequests; ++i) EXPECT_FALSE(two.answer().empty());
  first.join();
  second.join();
  EXPECT_LE(shared_.turn_requests_max, kTurnRequestsMax);
  EXPECT_TRUE(eventually([&] { return shared_.turns >= 2; }));
}

TEST_F(HttpServer, StopAnswersWhatIsPendingAndClosesTheRest) {
  start();
  auto idle = client(), pending = client();
  EXPECT_FALSE(idle.ask(get("/x")).empty());
  pending.send(get("/later") + get("/smuggled"));
  ASSERT_TRUE(eventually([&] { return shared_.parked_count() == 1; }));
  std::thread stopper([&] { server_->stop(kPatience); });
  EXPECT_EQ(idle.rest(), "");
  answer_parked();
  const auto last = pending.rest();
  EXPECT_EQ(body_of(last), "late");
  EXPECT_NE(last.find("Connection: close\r\n"), std::string::npos);
  stopper.join();
  EXPECT_EQ(shared_.handlers, 0U);
  EXPECT_EQ(server_->counts().open, 0U);
  EXPECT_FALSE(shared_.saw_smuggled);
}

TEST_F(HttpServer, StopGivesUpAfterItsPatienceAndLateAnswersAreDropped) {
  start();
  auto pending = client(), half = client();
  pending.send(get("/later"));
  half.send("GET / HT");
  ASSERT_TRUE(eventually([&] { return shared_.parked_count() == 1; }));
  server_->stop(50ms);
  EXPECT_EQ(pending.rest(), "");
  EXPECT_EQ(shared_.handlers, 0U);
  shared_.mailbox->post([] { ADD_FAILURE() << "ran after the end"; });
  shared_.take_parked().front().send({.body = "late"});
}

TEST_F(HttpServer, AResponderDroppedUnansweredIsABug) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        start();
        auto one = client();
        one.send(get("/later"));
        eventually([&] { return shared_.parked_count() == 1; });
        shared_.take_parked();
      },
      "bug");
}

TEST_F(HttpServer, OutOfDescriptorsItWaitsWithoutSpinningAndGoesOn) {
  start();
  auto one = client();
  EXPECT_FALSE(one.ask(get("/x")).empty());  // It is accepted before descriptors run out.
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  log_info("a sanitizer needs descriptors for types that it sees first: let it see them");
  std::vector<Descriptor> hoard;
  const Descriptor late(::socket(AF_INET, SOCK_STREAM, 0));
  rlimit few = before;
  few.rlim_cur = 256;
  setrlimit(RLIMIT_NOFILE, &few);
  for (;;) {
    Descriptor extra(dup(0));
    if (!extra) break;
    hoard.push_back(std::move(extra));
  }
  auto endpoint = endpoint_of(*IpAddress::parse("127.0.0.1"), server_->port());
  EXPECT_EQ(connect(late.get(), endpoint.get(), endpoint.size), 0);
  EXPECT_FALSE(one.ask(get("/x")).empty());
  const auto turns = shared_.turns.load();
  EXPECT_FALSE(one.ask(get("/x")).empty());
  EXPECT_LE(shared_.turns - turns, 3U);
  hoard.clear();
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(eventually([&] { return server_->counts().open == 2; }));
}

TEST_F(HttpServer, WarmRequestsAllocateNothing) {
  start();
  auto one = client();
  const auto bytes = with("Content-Length: 5\r\n", "hello");
  const auto exchange = [&] {
    char answer[1024];
    ASSERT_EQ(::send(one.fd(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    ASSERT_GT(recv(one.fd(), answer, sizeof answer, 0), 0);
  };
  for (int i = 0; i < 100; ++i) exchange();
  const auto before = allocations.load();
  for (int i = 0; i < 1000; ++i) exchange();
  EXPECT_EQ(allocations - before, 0U);
}

TEST_F(HttpServer, AnIdleConnectionIsSmall) {
  start();
  std::vector<Client> clients;
  clients.reserve(200);
  EXPECT_FALSE(client().ask(with("Content-Length: 100000\r\n", std::string(100'000, 'a'))).empty());
  const auto before = live_bytes.load();
  for (int i = 0; i < 100; ++i) {
    clients.push_back(client());
    clients.back().send("POST /quiet HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n" +
                        std::string(10'000, 'a'));
    clients.back().send(std::string(10'000, 'a'));
    EXPECT_FALSE(clients.back().answer().empty());
  }
  EXPECT_LT((live_bytes - before) / 100, 1024);
}

}  // namespace
}  // namespace nando::http
