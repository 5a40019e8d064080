// The SQL that finds details and leaves them out. Pure: text in, text out.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "warehouse/rows.h"

namespace nando {

// A query for how many rows lose something.
std::string count_affected(std::span<const RemovalRow> removals);

// Statements that copy every table but the mark from the database `from` into the current one,
// without what `removals` take away.
std::vector<std::string> copy_without(const std::string& from,
                                      std::span<const RemovalRow> removals);

// A query for how many hits a span takes.
std::string count_in(const VoidRow& span);

// A statement that marks hits as void, or no longer.
std::string set_void(const VoidRow& span);

}  // namespace nando
