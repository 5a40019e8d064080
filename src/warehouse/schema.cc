#include "warehouse/schema.h"

namespace nando {

namespace {

constexpr std::array kSiteColumns = {
    NounColumn{"site", "UINTEGER", "its number"},
    NounColumn{"host", "VARCHAR", "its host name; NULL once it was removed"},
    NounColumn{"zone", "VARCHAR", "the time zone that local_day and local_minute are in"},
};
constexpr std::array kPageColumns = {
    NounColumn{"page", "UINTEGER", "its number"},
    NounColumn{"site", "UINTEGER", "key of sites"},
    NounColumn{"url", "VARCHAR", "as it is spelled for counting; NULL once it was removed"},
};
constexpr std::array kBaseColumns = {
    NounColumn{"sequence", "UBIGINT", "number of the record in the journal"},
    NounColumn{"site", "UINTEGER", "key of sites"},
    NounColumn{"page", "UINTEGER", "key of pages; 0 for the site's own"},
    NounColumn{"base", "UBIGINT", "what is shown is this much more than the ordinal"},
};
constexpr std::array kMarkColumns = {
    NounColumn{"node", "UINTEGER", "whose journal"},
    NounColumn{"epoch", "VARCHAR", "which life of it, in hex"},
    NounColumn{"sequence", "UBIGINT", "the last record that is in"},
    NounColumn{"head", "VARCHAR", "the end of the hash chain there, in hex"},
};

constexpr std::array kNounTables = {
    NounTable{"sites", "The sites that were ever counted.", kSiteColumns},
    NounTable{"pages", "Their pages.", kPageColumns},
    NounTable{"bases",
              "What counts began at, the last row of a page or site is the one that holds.",
              kBaseColumns},
    NounTable{"mark", "How far the copy goes: one row.", kMarkColumns},
};

}  // namespace

std::span<const NounTable> noun_tables() {
  return kNounTables;
}

}  // namespace nando
