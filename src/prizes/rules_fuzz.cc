// Any bytes as rules and as an entries file: what is read is written again as it stood, and what
// rules say of windows holds together.
#include <sstream>

#include "base/assert.h"
#include "prizes/entries_file.h"
#include "prizes/winners.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nando;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto rules = parse_rules(text)) {
    ASSERT(rules_text(*rules) == text);
    ASSERT(entries_max(*rules) >= 1 && entries_max(*rules) <= kEntriesMax);
    ASSERT(covers(*rules, "/a/b") || !rules->pages.empty());
    ASSERT(overlap(*rules, *rules));
    const auto window = window_of(*rules, entries_max(*rules), rules->closes);
    ASSERT(window >= 1 && window <= rules->window_count + 1);
    const WindowSpan span{1, std::min<std::uint64_t>(entries_max(*rules), 1'000)};
    for (const auto winner : winners_of(*rules, span, rules->commitment)) {
      ASSERT(winner >= span.first && winner <= span.last);
    }
  }
  std::istringstream in(text);
  EntriesFile file(in);
  for (auto entry = file.next(); entry && *entry; entry = file.next()) {
    std::string line(kEntriesHeader);
    append_line(line += '\n', **entry);
    std::istringstream again(line);
    ASSERT(EntriesFile(again).next().value() == **entry);
  }
  return 0;
}
