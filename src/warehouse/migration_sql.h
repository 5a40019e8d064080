// The SQL that makes the newest schema out of an older one, or out of nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nando {

// The statements that make the tables and columns of version `kSchemaVersion` out of those of
// version `from`; 0 is an empty file. What is there already stays. One transaction.
std::vector<std::string> migration(std::uint32_t from);

// What gives their values to the rows that are there, and then says that all is done. After the
// transaction of migration(): the engine changes no row of a table that it alters.
std::vector<std::string> row_migration(std::uint32_t from);

}  // namespace nando
