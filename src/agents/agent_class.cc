#include "agents/agent_class.h"

#include <re2/re2.h>

#include <algorithm>
#include <span>
#include <string>

#include "agents/tables/crawlers.h"
#include "base/assert.h"

namespace nando {

namespace {

// RE2 makes the states of its automaton as texts need them and keeps them up to this; then it
// begins anew, and every text costs a hundredfold. All there can be take 10 MiB, those of what
// browsers send one.
constexpr std::int64_t kAutomatonBytesMax = 32 << 20;

// True for a text in which one of `patterns` is found.
class AnyOf {
 public:
  explicit AnyOf(std::span<const std::string_view> patterns)
      : automaton_(joined(patterns), options()) {
    ASSERT(automaton_.ok());
  }
  bool is_in(std::string_view text) const {
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), automaton_);
  }

 private:
  static std::string joined(std::span<const std::string_view> patterns) {
    std::string all;
    for (const auto pattern : patterns) {
      if (!all.empty()) all += '|';
      all += pattern;
    }
    return all;
  }
  static RE2::Options options() {
    RE2::Options options;
    options.set_encoding(RE2::Options::EncodingLatin1);  // Bytes, whatever they stand for.
    options.set_never_capture(true);
    options.set_max_mem(kAutomatonBytesMax);
    options.set_log_errors(false);
    return options;
  }

  RE2 automaton_;
};

bool is_declared(std::string_view agent) {
  // Two, because what has "anything between" doubles the states of all others.
  static const AnyOf crawlers(kCrawlerPatterns);
  static const AnyOf spanning(kSpanningPatterns);
  return crawlers.is_in(agent) || spanning.is_in(agent);
}

bool is_image_proxy(std::string_view agent) {
  return std::any_of(kImageProxies.begin(), kImageProxies.end(), [&](const auto& proxy) {
    return agent.find(proxy.text) != std::string_view::npos;
  });
}

// A browser sends an agent, no server passes control characters on, and none is that long.
bool is_impossible(std::string_view agent) {
  return agent.empty() || agent.size() > kAgentOfBrowserBytesMax ||
         std::any_of(agent.begin(), agent.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

AgentClass classify_agent(std::string_view agent) {
  if (is_impossible(agent)) return AgentClass::bot;
  if (is_image_proxy(agent)) return AgentClass::image_proxy;
  return is_declared(agent) ? AgentClass::bot : AgentClass::person;
}

}  // namespace nando
