// Messages, good and bad, through a server that echoes.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "http/client.h"
#include "http/server.h"
#include "http/socket.h"

namespace nando::http {
namespace {

using namespace std::chrono_literals;

using namespace std::string_literals;

// Answers every request with its method, path and body; /small, /204 and /418 as they say.
class EchoHandler : public Handler {
 public:
  std::size_t body_bytes_max(const Request& head) override {
    return head.path == "/small" ? 10 : SIZE_MAX;
  }
  void on_request(const Request& request, Responder responder) override {
    const auto body = std::string(request.method) + " " + std::string(request.path) + " " +
                      std::string(request.body);
    if (request.path == "/204") {
      responder.send({.status = 204, .content_type = {}, .headers = {}, .body = {}});
      return;
    }
    responder.send({.status = request.path == "/418" ? 418U : 200U,
                    .content_type = "text/plain",
                    .headers = "X-Test: yes\r\n",
                    .body = body});
  }
  void on_turn_end() override {}
  void on_bad_request(unsigned, std::string_view word, std::string_view,
                      std::string& body) override {
    body = word;
  }
};

std::unique_ptr<Server> start_echo() {
  auto server = Server::start({.port = 0},
                              [](unsigned, Mailbox&) { return std::make_unique<EchoHandler>(); });
  EXPECT_TRUE(server) << server.error().message;
  return std::move(*server);
}

// Sends, stops sending, and returns all that came until the server closed.
std::string exchange(std::uint16_t port, std::string_view bytes) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto endpoint = endpoint_of(*IpAddress::parse("127.0.0.1"), port);
  EXPECT_EQ(connect(socket.get(), endpoint.get(), endpoint.size), 0);
  while (!bytes.empty()) {
    const auto n = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) break;  // The server need not take all of what it refuses.
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  shutdown(socket.get(), SHUT_WR);
  std::string out;
  char piece[4096];
  for (;;) {
    const auto n = recv(socket.get(), piece, sizeof piece, 0);
    EXPECT_GE(n, 0) << "reset after " << out;
    if (n <= 0) return out;
    out.append(piece, static_cast<std::size_t>(n));
  }
}

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string body_of(const std::string& answer) {
  const auto at = answer.find("\r\n\r\n");
  return at == std::string::npos ? "" : answer.substr(at + 4);
}

struct BadMessage {
  const char* what;
  std::string bytes;
  const char* status;
  const char* word;
};

std::string with(const std::string& headers, const std::string& body = "") {
  return "POST /p HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body;
}

const std::string kChunkedLine = "Transfer-Encoding: chunked\r\n";
const std::string kLastChunk = "0\r\n\r\n";

std::vector<BadMessage> badly_framed() {
  const auto length = "bad_content_length";
  const auto encoding = "bad_transfer_encoding";
  const auto& chunked = kChunkedLine;
  const auto& end = kLastChunk;
  return {
      {"both lengths", with("Content-Length: 5\r\n" + chunked, end), "400", encoding},
      {"both, turned", with(chunked + "Content-Length: 5\r\n", end), "400", encoding},
      {"length twice", with("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), "400", length},
      {"twice, equal", with("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), "400", length},
      {"length list", with("Content-Length: 5, 5\r\n", "hello"), "400", length},
      {"signed length", with("Content-Length: +5\r\n", "hello"), "400", length},
      {"negative length", with("Content-Length: -5\r\n", "hello"), "400", length},
      {"hex length", with("Content-Length: 0x5\r\n", "hello"), "400", length},
      {"no length", with("Content-Length:\r\n", "hello"), "400", length},
      {"length and text", with("Content-Length: 5 x\r\n", "hello"), "400", length},
      {"huge length", with("Content-Length: 99999999999999999999\r\n"), "400", length},
      {"chunked in 1.0", "POST / HTTP/1.0\r\n" + chunked + "\r\n" + end, "400", encoding},
      {"xchunked", with("Transfer-Encoding: xchunked\r\n", end), "400", encoding},
      {"gzip, chunked", with("Transfer-Encoding: gzip, chunked\r\n", end), "400", encoding},
      {"chunked, gzip", with("Transfer-Encoding: chunked, gzip\r\n", end), "400", encoding},
      {"chunked twice", with(chunked + chunked, end), "400", encoding},
      {"identity", with("Transfer-Encoding: identity\r\n"), "400", encoding},
      {"no encoding", with("Transfer-Encoding:\r\n", end), "400", encoding},
      {"quoted", with("Transfer-Encoding: \"chunked\"\r\n", end), "400", encoding},
  };
}

std::vector<BadMessage> badly_written() {
  return {
      {"obs-fold", with("A: b\r\n c\r\n"), "400", "obs_fold"},
      {"folded length", with("Content-Length:\r\n 5\r\n", "hello"), "400", "obs_fold"},
      {"space before headers", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", "400", "obs_fold"},
      {"bare LF", "GET / HTTP/1.1\nHost: h\n\n", "400", "bad_line_ending"},
      {"one bare LF", with("A: b\nC: d\r\n"), "400", "bad_line_ending"},
      {"bare CR", with("A: b\rC: d\r\n"), "400", "bad_line_ending"},
      {"LF at the end", "GET / HTTP/1.1\r\nHost: h\r\n\n", "400", "bad_line_ending"},
      {"two hosts", with("Host: i\r\n"), "400", "bad_host"},
      {"no host", "GET / HTTP/1.1\r\n\r\n", "400", "bad_host"},
      {"host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400", "bad_host"},
      {"host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400", "bad_host"},
      {"NUL", with("A: b\0c\r\n"s), "400", "control_character"},
      {"escape", with("A: b\x1b[2J\r\n"), "400", "control_character"},
      {"delete", with("A: b\x7f\r\n"), "400", "control_character"},
      {"TLS", "\x16\x03\x01\x02"s, "400", "control_character"},
      {"space before colon", with("Content-Length : 5\r\n", "hello"), "400", "bad_header"},
      {"no colon", with("Nonsense\r\n"), "400", "bad_header"},
      {"no name", with(": b\r\n"), "400", "bad_header"},
      {"odd name", with("A(b): c\r\n"), "400", "bad_header"},
      {"odd connection", with("Connection: a b\r\n"), "400", "bad_header"},
      {"no target", "GET HTTP/1.1\r\nHost: h\r\n\r\n", "400", "bad_target"},
      {"no version", "GET /\r\nHost: h\r\n\r\n", "400", "bad_target"},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "400", "bad_target"},
      {"space in target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "400", "bad_version"},
      {"odd method", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", "400", "bad_request_line"},
      {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400", "bad_version"},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", "400", "bad_version"},
      {"other host", "GET http://i/ HTTP/1.1\r\nHost: h\r\n\r\n", "400", "bad_target"},
      {"relative", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", "400", "bad_target"},
  };
}

std::vector<BadMessage> badly_chunked_or_too_large() {
  const auto& chunked = kChunkedLine;
  const auto& end = kLastChunk;
  return {
      {"odd chunk", with(chunked, "xyzzy\r\n" + end), "400", "bad_chunk"},
      {"signed chunk", with(chunked, "+5\r\nhello\r\n" + end), "400", "bad_chunk"},
      {"hex chunk", with(chunked, "0x5\r\nhello\r\n" + end), "400", "bad_chunk"},
      {"chunk without end", with(chunked, "5\r\nhelloworld\r\n" + end), "400", "bad_chunk"},
      {"chunk with bare LF", with(chunked, "5\nhello\r\n" + end), "400", "bad_chunk"},
      {"quoted extension", with(chunked, "5;a=\"b\"\r\nhello\r\n" + end), "400", "bad_chunk"},
      {"open quote", with(chunked, "5;a=\"\r\nhello\r\n" + end), "400", "bad_chunk"},
      {"odd trailer", with(chunked, "0\r\nA : b\r\n\r\n"), "400", "bad_chunk"},
      {"trailer length", with(chunked, "0\r\nContent-Length: 5\r\n\r\n"), "400", "bad_chunk"},
      {"odd expectation", with("Expect: a-miracle\r\n"), "417", "bad_expectation"},
      {"long target", get("/" + std::string(kTargetBytesMax, 'a')), "414", "target_too_long"},
      {"large head", with("A: " + std::string(kHeaderBytesMax, 'a')), "431", "headers_too_large"},
      {"large body", with("Content-Length: 4194305\r\n"), "413", "body_too_large"},
  };
}

std::vector<BadMessage> bad_messages() {
  auto out = badly_framed();
  for (const auto& more : {badly_written(), badly_chunked_or_too_large()}) {
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

TEST(Messages, BadOnesAreAnsweredAndNothingBehindThemIsRead) {
  const auto server = start_echo();
  for (const auto& row : bad_messages()) {
    const auto all = exchange(server->port(), row.bytes + get("/smuggled"));
    EXPECT_TRUE(all.starts_with("HTTP/1.1 "s + row.status)) << row.what << ": " << all;
    EXPECT_EQ(body_of(all), row.word) << row.what;
    EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos) << row.what;
    EXPECT_EQ(all.find("HTTP/1.1 ", 1), std::string::npos) << row.what << ": " << all;
  }
  EXPECT_EQ(server->counts().refused, bad_messages().size());
  EXPECT_EQ(server->counts().requests, 0U);
  EXPECT_EQ(body_of(exchange(server->port(), get("/smuggled"))), "GET /smuggled ");
}

TEST(Messages, UnusualButSoundMessagesAreTaken) {
  const auto server = start_echo();
  for (const auto& bytes :
       {with("Content-Length: 2\r\n", "ab"), with("content-length:2\r\n", "ab"),
        with("Transfer-Encoding: Chunked\r\n", "2;x=y\r\nab\r\n0\r\nA: b\r\n\r\n"),
        with("A:\tb\tc \r\nEmpty:\r\nContent-Length: 2\r\n", "ab"),
        with("A: \xc3\xa9\r\nContent-Length: 2\r\n", "ab"),
        "\r\n" + with("Content-Length: 2\r\n", "ab"),
        "POST http://h/p HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"s,
        "POST /p HTTP/1.0\r\nContent-Length: 2\r\n\r\nab"s,
        "POST /p HTTP/1.1\r\nHost:\r\nContent-Length: 2\r\n\r\nab"s}) {
    EXPECT_EQ(body_of(exchange(server->port(), bytes)), "POST /p ab") << bytes;
  }
  EXPECT_EQ(body_of(exchange(server->port(), "BREW /p HTTP/1.1\r\nHost: h\r\n\r\n")), "BREW /p ");
}

TEST(Messages, AnswersCarryWhatTheStatusAndMethodAllow) {
  const auto server = start_echo();
  const auto found = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  const auto ask = [&](const std::string& bytes) { return exchange(server->port(), bytes); };
  const auto plain = ask(get("/418"));
  EXPECT_TRUE(plain.starts_with("HTTP/1.1 418 \r\nDate: ")) << plain;
  EXPECT_TRUE(found(plain, " GMT\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n")) << plain;
  EXPECT_TRUE(found(plain, "X-Test: yes\r\n"));
  EXPECT_FALSE(found(plain, "Connection:"));
  const auto empty = ask(get("/204"));
  EXPECT_TRUE(empty.starts_with("HTTP/1.1 204 No Content\r\n"));
  EXPECT_FALSE(found(empty, "Content-Length"));
  const auto head = ask("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(found(head, "Content-Length: 8\r\n")) << head;
  EXPECT_TRUE(found(head, "Connection: close\r\n"));
  EXPECT_EQ(body_of(head), "");
}

TEST(Messages, BodyMayBeAsLargeAsTheHandlerAndTheServerSay) {
  const auto server = start_echo();
  const auto post = [](const std::string& path, std::size_t size) {
    return "POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) +
           "\r\n\r\n" + std::string(size, 'b');
  };
  EXPECT_TRUE(exchange(server->port(), post("/small", 10)).starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(exchange(server->port(), post("/small", 11)).starts_with("HTTP/1.1 413 "));
  EXPECT_EQ(body_of(exchange(server->port(), post("/p", kBodyBytesMax))).size(), kBodyBytesMax + 8);
  EXPECT_TRUE(exchange(server->port(), post("/p", kBodyBytesMax + 1)).starts_with("HTTP/1.1 413 "));
}

TEST(Server, StopsInTheMiddleOfAFlood) {
  std::string flood;
  while (flood.size() < 400'000) flood += get("/x");
  for (int i = 0; i < 20; ++i) {
    const auto server = start_echo();
    std::vector<Descriptor> clients;
    for (int k = 0; k < 4; ++k) {
      auto endpoint = endpoint_of(*IpAddress::parse("127.0.0.1"), server->port());
      clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      ASSERT_EQ(connect(clients.back().get(), endpoint.get(), endpoint.size), 0);
      send(clients.back().get(), flood.data(), flood.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    server->stop(5ms);
    EXPECT_EQ(server->counts().open, 0U);
  }
}

TEST(Server, SaysWhyItDoesNotStart) {
  const auto server = start_echo();
  const auto attempt = [](ServerOptions options) {
    return Server::start(options, [](unsigned, Mailbox&) { return std::unique_ptr<Handler>(); });
  };
  EXPECT_EQ(attempt({.port = server->port()}).error().code, Code::busy);
  EXPECT_EQ(attempt({.port = server->port(), .loops = 2}).error().code, Code::busy);
  EXPECT_EQ(attempt({.address = "localhost", .port = 0}).error().code, Code::invalid);
  EXPECT_EQ(attempt({.address = "192.0.2.1", .port = 0}).error().code, Code::invalid);
}

TEST(Client, GetsWholeAnswersOrSaysWhyNot) {
  const auto server = start_echo();
  const auto answer = http::get("127.0.0.1", server->port(), "/x", 5s);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200U);
  EXPECT_EQ(answer->body, "GET /x ");
  EXPECT_EQ(http::get("localhost", 1, "/", 5s).error().code, Code::invalid);
  EXPECT_EQ(http::get("127.0.0.1", 1, "x", 5s).error().code, Code::invalid);
  server->stop(0ms);
  EXPECT_EQ(http::get("127.0.0.1", server->port(), "/", 5s).error().code, Code::unavailable);
}

// Once /wait was asked for, lets its loop's thread wait at the end of that turn.
struct Waiting {
  bool asked = false;
  std::promise<void> waits, go;
  Mailbox* mailbox = nullptr;
};

class WaitingHandler final : public EchoHandler {
 public:
  WaitingHandler(Waiting& waiting, Mailbox& mailbox) : waiting_(waiting) {
    waiting.mailbox = &mailbox;
  }
  void on_request(const Request& request, Responder responder) override {
    if (request.path == "/wait") waiting_.asked = true;
    EchoHandler::on_request(request, std::move(responder));
  }
  void on_turn_end() override {
    if (!std::exchange(waiting_.asked, false)) return;
    waiting_.waits.set_value();
    waiting_.go.get_future().wait();
  }

 private:
  Waiting& waiting_;
};

TEST(StandIn, ServesTheLoopWhileItsOwnThreadWaits) {
  Waiting waiting;
  auto started = Server::start({.port = 0}, [&](unsigned, Mailbox& mailbox) {
    return std::make_unique<WaitingHandler>(waiting, mailbox);
  });
  ASSERT_TRUE(started) << started.error().message;
  const auto ask = [&](const std::string& path) {
    return std::async(std::launch::async, [&server = **started, path] {
      return body_of(exchange(server.port(), get(path)));
    });
  };
  auto first = ask("/wait");
  waiting.waits.get_future().wait();
  auto second = ask("/second");
  EXPECT_EQ(second.wait_for(50ms), std::future_status::timeout) << "control: nobody serves";
  {
    const std::jthread other([&] { waiting.mailbox->stand_in(); });
    EXPECT_EQ(second.get(), "GET /second ");
    waiting.mailbox->recall();
  }
  waiting.mailbox->recall();
  waiting.mailbox->stand_in();  // Recalled before it began: returns at once.
  waiting.go.set_value();
  EXPECT_EQ(ask("/third").get(), "GET /third ");
  EXPECT_EQ(first.get(), "GET /wait ");
}

}  // namespace
}  // namespace nando::http
