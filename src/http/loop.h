// Loop and Connection: one thread's sockets.
//
// A Loop is a level of epoll under the connections of one listening socket. Sockets are watched
// edge-triggered and registered once, so a request costs one recv, one send and its share of an
// epoll_wait. Bytes are received into, and answers built in, memory of the loop; a connection keeps
// bytes of its own only while a message or an answer is half way. So an idle one is small.
//
// Threads: everything on the loop's thread, or on the one that stands in for it, but post(),
// recall(), stop(), counts().
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http/request_parser.h"
#include "http/server.h"
#include "http/socket.h"

namespace nando::http {

using Instant = std::chrono::nanoseconds;

class Loop final : public Mailbox {
 public:
  Loop(const ServerOptions& options, Descriptor listener);
  ~Loop() override;

  // Serves until stop(); the handler is made and destroyed in here. `started` is called once the
  // handler is there.
  void run(const MakeHandler& make_handler, unsigned index, const std::function<void()>& started);
  void stop(std::chrono::milliseconds patience);
  // After run() has returned, work is dropped.
  void post(std::function<void()> work) override;
  void stand_in() override;
  void recall() override;
  ServerCounts counts() const;

 private:
  friend class Connection;
  using Counter = std::atomic<std::uint64_t>;  // Written by the loop's thread alone.
  enum class Wait { none, until_tick };

  static void count(Counter& counter);

  void turn();
  std::size_t round(Wait how);
  std::size_t wait(Wait how);
  timespec sleep_limit() const;
  bool watch(int fd, std::uint32_t events, void* tag);
  void accept_some();
  void pause_accepting();
  void resume_accepting();
  std::size_t run_mailbox();
  bool mailbox_is_empty_and_may_sleep();
  std::size_t run_ready();
  void set_date();
  void tick();
  bool stop_is_asked();
  bool take_recall();
  void begin_stop();
  bool is_done() const;
  void reap();
  void end();

  // For Connection.
  void make_ready(Connection& connection) { ready_.push_back(&connection); }
  void bury(Connection& connection) { dead_.push_back(&connection); }
  std::unique_ptr<RequestParser> take_parser();
  void give_back(std::unique_ptr<RequestParser> parser);
  void closed_one();

  const ServerOptions options_;
  Descriptor listener_;
  Descriptor epoll_;
  Descriptor wake_;
  bool accepting_ = true;

  std::unique_ptr<Handler> handler_;
  std::vector<std::unique_ptr<Connection>> connections_;  // Also those that closed unanswered.
  std::size_t open_ = 0;
  std::vector<Connection*> ready_, running_;  // Have something to read without an event.
  std::vector<Connection*> dead_;
  std::vector<std::unique_ptr<RequestParser>> parsers_;

  std::vector<char> input_;
  std::string output_;
  std::string refusal_body_;
  std::string date_line_;  // "Date: ...\r\n", of this turn.
  std::time_t date_second_ = 0;
  Instant now_{};
  Instant next_tick_{};
  std::size_t turn_requests_ = 0;

  std::mutex mutex_;  // Guards the next six.
  std::vector<std::function<void()>> mailbox_;
  bool sleeping_ = false;
  bool ended_ = false;
  bool recalled_ = false;  // Whoever stands in shall end.
  bool stop_asked_ = false;
  std::chrono::milliseconds patience_{0};
  std::vector<std::function<void()>> work_;

  bool stopping_ = false;
  std::atomic<bool> ending_ = false;  // Responders may now be dropped unanswered.
  Instant deadline_{};

  Counter accepted_{0}, open_count_{0}, requests_{0}, refused_{0}, timed_out_{0};
};

class Connection {
 public:
  Connection(Loop& loop, Descriptor socket, const IpAddress& peer, std::size_t index);

  // From the loop.
  void on_events(std::uint32_t events);
  void advance();  // Reads and handles what is there.
  void check_time();
  void stop();  // Closes if idle; otherwise after the answer.
  void close();
  bool is_queued() const { return queued_; }
  std::size_t& index() { return index_; }

  // From the Responder.
  void answer(const Response& response);
  Stream stream(const Response& response);
  void abandon();

  // From the Stream.
  bool push(std::string_view bytes);
  bool is_open() const { return static_cast<bool>(socket_); }
  void release();

 private:
  enum class State : std::uint8_t {
    reading,    // Idle, or a message is half way.
    answering,  // The handler has it.
    writing,    // The answer is half way.
    streaming,  // The answer has no end; a Stream has it.
    lingering,  // Answered for good; what still comes is thrown away, so that the answer arrives.
  };
  enum class AfterAnswer : std::uint8_t { keep, close, refuse };

  void look_again();
  std::size_t receive(std::size_t have);
  std::size_t consume(std::string_view bytes);
  bool consume_head(std::string_view bytes, std::size_t& taken);
  bool consume_body(std::unique_ptr<RequestParser> parser, std::string_view bytes,
                    std::size_t& taken);
  void keep(std::string_view rest);
  void dispatch(RequestParser& parser);
  bool refuse(std::unique_ptr<RequestParser> parser);
  void refuse(const Refusal& why);
  void say_continue();
  void send(std::string_view bytes);
  void flush();
  void sent();
  void finish();
  void discard();
  void reset();

  Loop& loop_;
  Descriptor socket_;
  IpAddress peer_;
  State state_ = State::reading;
  AfterAnswer after_answer_ = AfterAnswer::keep;
  bool readable_ = false;     // More may be there without another event.
  bool peer_shut_ = false;    // Nothing comes after what is there.
  bool eof_ = false;          // All of it was read.
  bool consuming_ = false;    // advance() is on the stack.
  bool queued_ = false;       // In Loop::ready_.
  bool started_ = false;      // Something of a message has come.
  bool fresh_ = true;         // Nothing was ever answered here.
  bool held_ = false;         // By a Stream.
  bool head_method_ = false;  // Of the request being answered:
  bool http_1_0_ = false;
  Instant since_;            // Start of what the limits limit.
  std::size_t scanned_ = 0;  // RequestParser::read_head()'s note.
  std::size_t index_;        // In Loop::connections_.
  std::string in_;           // The start of a message that is not whole.
  std::string out_;          // The rest of an answer.
  std::size_t out_sent_ = 0;
  std::unique_ptr<RequestParser> parser_;  // While a body is half way.
};

// The head of an answer, ending in the empty line, appended to `out`.
struct HeadOptions {
  std::string_view date_line;
  std::string_view connection;  // "close", "keep-alive", or empty.
  enum class Length : std::uint8_t { told, open } length = Length::told;
};
void append_head(std::string& out, const Response& response, const HeadOptions& options);
bool may_have_body(unsigned status);

}  // namespace nando::http
