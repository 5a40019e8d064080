// The entries file of a promotion: CSV, a line an entry, oldest first. What `promotion entries`
// writes and `promotion verify` reads, a line at a time, however long it is.
#pragma once

#include <istream>
#include <string>

#include "base/result.h"
#include "prizes/entry_chain.h"

namespace nando {

inline constexpr std::string_view kEntriesHeader = "entry,committed,id_digest,secret_hash";

// Appends the line of `entry`, with its newline.
void append_line(std::string& out, const EntryLink& entry);

// One thread.
class EntriesFile {
 public:
  // `in` outlives this, and is at the header's beginning.
  explicit EntriesFile(std::istream& in) : in_(in) {}

  // Nothing at the end. Code::invalid, naming the line, for what append_line() does not write; the
  // last line may lack its newline. Lines may end as Windows ends them.
  Result<std::optional<EntryLink>> next();

 private:
  std::istream& in_;
  std::string line_;
  std::uint64_t number_ = 0;
};

}  // namespace nando
