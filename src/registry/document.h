// The bytes of a document's fields, and the digests that find rot in them.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "base/hash.h"
#include "registry/registry.h"

namespace nando {

// Number of fields, then each name and value with its length before it; names in byte order.
Buffer encode_fields(const Fields& fields);

// Nothing if the bytes are not exactly what encode_fields() writes.
std::optional<Fields> decode_fields(Bytes bytes);

// Over kind, id, version and body, each of known length: a row that was moved, renamed or mixed
// with another has another digest.
Hash128 document_digest(std::string_view kind, std::string_view id, Version version, Bytes body);

// The roster says how many documents there are and folds their digests together, so that a document
// that vanished or came back is noticed. Adding and removing are the same fold.
struct Roster {
  std::uint64_t count = 0;
  Hash128 fold{};

  void toggle(const Hash128& digest);
  bool operator==(const Roster&) const = default;
};
Hash128 roster_digest(const Roster& roster);

}  // namespace nando
