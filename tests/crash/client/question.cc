#include "client/question.h"

#include <map>

#include "client/engine.h"

namespace crash {

namespace {

std::string get_bytes(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
}

// The same GET, `count` times, evenly over the time given.
class Storm final : public Player {
 public:
  Storm(std::string target, std::uint64_t count, double seconds)
      : bytes_(get_bytes(target)), count_(count), seconds_(seconds) {}

  bool ask(Question& question, std::uint64_t now) override {
    if (started_ == 0) started_ = now;
    if (asked_ >= count_ || next_due() > now) return false;
    question.bytes = bytes_;
    ++asked_;
    return true;
  }
  void answered(Question&, const Message& answer, std::uint64_t now) override {
    ++statuses[answer.status];
    if (body.empty()) body = answer.body;
    last = now - started_;
    ++settled_;
  }
  void lost(Question&, Lost, std::uint64_t) override {
    ++statuses[0];
    ++settled_;
  }
  std::uint64_t next_due() const override {
    if (started_ == 0 || seconds_ <= 0) return 0;
    const double part = static_cast<double>(asked_) / static_cast<double>(count_);
    return started_ + static_cast<std::uint64_t>(seconds_ * 1e9 * part);
  }
  bool done(std::uint64_t) const override { return settled_ >= count_; }

  std::map<int, std::uint64_t> statuses;
  std::string body;
  std::uint64_t last = 0;

 private:
  const std::string bytes_;
  const std::uint64_t count_;
  const double seconds_;
  std::uint64_t asked_ = 0;
  std::uint64_t settled_ = 0;
  std::uint64_t started_ = 0;
};

}  // namespace

Reply get(std::uint16_t port, const std::string& target) {
  Storm one(target, 1, 0);
  EngineOptions options;
  options.port = port;
  Engine(options, one).run();
  Reply reply;
  if (!one.statuses.empty()) reply.status = one.statuses.begin()->first;
  reply.body = one.body;
  return reply;
}

int ask_often(Flags& flags) {
  EngineOptions options;
  options.port = static_cast<std::uint16_t>(flags.number("port"));
  options.connections = flags.number("connections", 64);
  Storm storm(flags.text("path", "/healthz"), flags.number("count", 1), flags.real("seconds"));
  flags.check_all_known();
  Engine(options, storm).run();
  std::printf("{\"seconds\":%.3f,\"statuses\":{", static_cast<double>(storm.last) / 1e9);
  const char* comma = "";
  for (const auto& [status, count] : storm.statuses) {
    std::printf("%s\"%d\":%lu", comma, status, count);
    comma = ",";
  }
  std::printf("}}\n");
  return 0;
}

}  // namespace crash
