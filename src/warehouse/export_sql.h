// The SQL that writes hits to a file. Pure: text in, text out.
#pragma once

#include <string>
#include <vector>

#include "warehouse/warehouse.h"

namespace nando {

// A text as SQL writes it.
std::string sql_text(std::string_view text);

// The statements, in order, of a transaction that has begun, which they commit.
std::vector<std::string> export_statements(const std::string& to,
                                           const Warehouse::Question& question);

// What they leave behind where one fails, undone; each of these may fail in turn.
std::vector<std::string> undo_statements(const std::string& to);

}  // namespace nando
