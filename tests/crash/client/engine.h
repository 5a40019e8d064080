// Engine: many keep-alive connections on one thread, each with at most one question in flight.
// What to ask, and what an answer means, is the Player's.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "client/entry.h"
#include "client/wire.h"

namespace crash {

std::uint64_t now_ns();  // CLOCK_MONOTONIC

// One question: the hits it carries, if any. `sent_ns` is when its first byte was handed over.
struct Question {
  std::vector<Entry> hits;
  std::uint64_t due_ns = 0;
  std::uint64_t sent_ns = 0;
  std::string bytes;
};

// How far a question had come when its connection died.
enum class Lost { unsent, sent };

class Player {
 public:
  virtual ~Player() = default;
  // Fills `question` (cleared before) and returns true, or returns false: nothing to ask now.
  virtual bool ask(Question& question, std::uint64_t now) = 0;
  virtual void answered(Question& question, const Message& answer, std::uint64_t now) = 0;
  virtual void lost(Question& question, Lost how, std::uint64_t now) = 0;
  // When ask() should be called again even if nothing arrives; 0 for "whenever".
  virtual std::uint64_t next_due() const { return 0; }
  virtual bool done(std::uint64_t now) const = 0;
};

struct EngineOptions {
  std::uint16_t port = 0;
  std::size_t connections = 1;
  bool reconnect = false;                  // Otherwise the run ends when every connection is gone.
  std::chrono::milliseconds drain{5'000};  // How long answers are waited for at the end.
};

class Engine {
 public:
  Engine(const EngineOptions& options, Player& player);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();
  void run();

 private:
  struct Link {
    int fd = -1;
    bool connected = false;
    bool busy = false;
    std::size_t written = 0;
    std::string received;
    Question question;
    std::uint64_t retry_at = 0;
  };

  void open(Link& link, std::uint64_t now);
  void close(Link& link, std::uint64_t now);
  void give_work(std::uint64_t now);
  void write_some(Link& link, std::uint64_t now);
  void read_some(Link& link);
  void wait(std::uint64_t now);
  std::size_t busy_links() const { return busy_; }

  const EngineOptions options_;
  Player& player_;
  int poller_;
  std::vector<Link> links_;
  std::vector<std::size_t> idle_;
  std::size_t busy_ = 0;
  std::size_t open_ = 0;
};

}  // namespace crash
