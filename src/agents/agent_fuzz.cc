// Fuzz: any bytes as an agent. It has one class, whoever asks and however often, and a memo gives
// the same one. How long an input takes is what tools/fuzz looks at.
#include "agents/agent_memo.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace nando;
  static AgentMemo memo(Key128{std::byte{1}});
  const std::string_view agent(reinterpret_cast<const char*>(data), size);
  const auto first = classify_agent(agent);
  ASSERT(classify_agent(agent) == first);
  ASSERT(memo.class_of(agent) == first && memo.class_of(agent) == first);
  return 0;
}
