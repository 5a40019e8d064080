// Secrets: what of a promotion nobody may see who has not the data directory: the seed that its
// draws follow from, and its codes. Kept in the registry by the promotion's name.
//
// Promise: what was put is there for good, whole; a crash keeps all of it or none. A name is put
// once: whoever could put it again could choose the winners.
//
// Failure: as the registry's; Code::corrupt, naming the document, where a part is missing.
// Threads: any. Bytes: docs/formats/registry.md.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "registry/registry.h"

namespace nando {

class Secrets {
 public:
  // `registry` outlives this.
  explicit Secrets(Registry& registry) : registry_(registry) {}

  // Code::conflict if the name has been put. Codes: as parse_codes() lets pass, or none.
  Result<> put(std::string_view name, const Key256& master, const std::vector<std::string>& codes);

  // Takes away what was put for a promotion that did not open; nothing if nothing was.
  Result<> drop(std::string_view name);

  // Code::not_found if the name was never put.
  Result<Key256> master(std::string_view name) const;

  // The code of index `index`, from 0. Code::not_found as above, and past the last.
  Result<std::string> code(std::string_view name, std::size_t index) const;

 private:
  Result<Document> find(std::string_view name) const;

  Registry& registry_;
  std::mutex putting_;
};

}  // namespace nando
