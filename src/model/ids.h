// The ids of the nouns. Sites and pages are numbered by the journal record that introduced them.
#pragma once

#include <cstdint>

#include "base/hash.h"
#include "base/id.h"

namespace nando {

using SiteId = Id<struct SiteTag, std::uint32_t>;
using PageId = Id<struct PageTag, std::uint32_t>;

// A pseudonym: 64 bits of a keyed hash whose salt lives a day (visitors/pseudonym.h). 0 is nobody.
using VisitorId = Id<struct VisitorTag, std::uint64_t>;

// The sequence number of the visit's first record.
using VisitId = Id<struct VisitTag, std::uint64_t>;

// A page, before the ledger has numbered it: a keyed hash of its site and its spelling. The key is
// the journal's (journal/journal.h, hash_key), so that replay finds the same pages.
using PageKey = Hash128;

}  // namespace nando
