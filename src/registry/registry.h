// Registry: small versioned documents (sites, tokens, users): what an operator said, never what was
// counted. A map from (kind, id) to fields of text.
//
// Promise
//   - put() and remove() return after the change is durable; a crash keeps the whole change or none
//     of it.
//   - A value that comes out is the value that went in. What is damaged is refused by name when the
//     registry is opened (Code::corrupt), never returned.
//
// Failure
//   On Code::io a change may or may not be there; the registry takes no further changes until it is
//   opened again. On Code::full and Code::busy nothing was changed.
//
// Threads: any.
// Bytes:   docs/formats/registry.md
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nando {

using Fields = std::map<std::string, std::string, std::less<>>;

// 1 for a document that was just made, one more with each change. kNoVersion: it must not be there.
using Version = std::uint64_t;
inline constexpr Version kNoVersion = 0;

struct Document {
  std::string id;
  Version version = kNoVersion;
  Fields fields;

  bool operator==(const Document&) const = default;
};

inline constexpr std::size_t kDocumentNameBytesMax = 256;  // Of a kind and of an id.
inline constexpr std::size_t kDocumentBytesMax = 64 * 1024;
inline constexpr std::size_t kDocumentsMax = 100'000;  // They are all kept in memory.

class Registry {
 public:
  virtual ~Registry() = default;

  // Code::not_found if there is none.
  virtual Result<Document> get(std::string_view kind, std::string_view id) = 0;

  // All documents of a kind, by id in byte order.
  virtual Result<std::vector<Document>> list(std::string_view kind) = 0;

  // Writes the document if it has `expected` now (kNoVersion: if it is not there), and returns its
  // new version. Code::conflict otherwise: somebody else changed it, read it again. Code::invalid
  // past a limit above.
  virtual Result<Version> put(std::string_view kind, std::string_view id, const Fields& fields,
                              Version expected) = 0;

  // As put(); Code::not_found if there is none. Requires: expected is not kNoVersion.
  virtual Result<> remove(std::string_view kind, std::string_view id, Version expected) = 0;

  // Writes all of it, as it is at one moment, to a new file.
  virtual Result<> copy_to(const std::string& path) = 0;
};

inline constexpr std::string_view kRegistryFile = "registry.db";

// The registry in the file registry.db of `directory`, which is made (mode 0600) if it is not
// there. Reads all of it: Code::corrupt, naming the file and what in it, if anything is damaged.
// Requires: the caller holds the data directory's lock; nobody else has the file open.
// `documents_max` is there for tests of the limit.
Result<std::unique_ptr<Registry>> open_registry(const std::string& directory,
                                                std::size_t documents_max = kDocumentsMax);

}  // namespace nando
