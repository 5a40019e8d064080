// How DuckDB holds the types of the schema: their names in SQL, and their values in its memory.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "warehouse/duckdb.h"
#include "warehouse/schema.h"

namespace nando {

template <class T>
struct Engine;  // How DuckDB holds a T.
template <class T, duckdb_type type>
struct Plain {
  static duckdb_logical_type logical() { return duckdb_create_logical_type(type); }
};
template <>
struct Engine<std::uint64_t> : Plain<std::uint64_t, DUCKDB_TYPE_UBIGINT> {
  static constexpr const char* kSql = "UBIGINT";
};
template <>
struct Engine<std::uint32_t> : Plain<std::uint32_t, DUCKDB_TYPE_UINTEGER> {
  static constexpr const char* kSql = "UINTEGER";
};
template <>
struct Engine<std::uint16_t> : Plain<std::uint16_t, DUCKDB_TYPE_USMALLINT> {
  static constexpr const char* kSql = "USMALLINT";
};
template <>
struct Engine<bool> : Plain<bool, DUCKDB_TYPE_BOOLEAN> {
  static constexpr const char* kSql = "BOOLEAN DEFAULT false";
};
template <>
struct Engine<UnixTime> : Plain<UnixTime, DUCKDB_TYPE_TIMESTAMP_MS> {
  static constexpr const char* kSql = "TIMESTAMP_MS";
};
template <>
struct Engine<Day> : Plain<Day, DUCKDB_TYPE_DATE> {
  static constexpr const char* kSql = "DATE";
};
template <>
struct Engine<std::string_view> : Plain<std::string_view, DUCKDB_TYPE_VARCHAR> {
  static constexpr const char* kSql = "VARCHAR";
};

template <class Tag, class Rep>
struct Engine<Id<Tag, Rep>> : Engine<Rep> {};

template <class Enum>
struct Names;
template <>
struct Names<HitKind> {
  static constexpr const auto& kAll = kHitKindNames;
};
template <>
struct Names<Door> {
  static constexpr const auto& kAll = kDoorNames;
};
template <>
struct Names<AgentClass> {
  static constexpr const auto& kAll = kAgentClassNames;
};

// What a value is in DuckDB's memory, where that is not what it is in ours.
inline std::int64_t stored(UnixTime time) {
  return time.time_since_epoch().count();
}
inline std::int32_t stored(Day day) {
  return day.since_epoch;
}
template <class Tag, class Rep>
Rep stored(Id<Tag, Rep> id) {
  return id.value;
}
template <class T>
auto stored(T value) {
  if constexpr (std::is_enum_v<T>) {
    return static_cast<std::uint8_t>(value);
  } else {
    return value;
  }
}

template <class T>
std::string sql_type() {
  if constexpr (std::is_enum_v<T>) {
    std::string sql = "ENUM (";
    for (const auto name : Names<T>::kAll) {
      if (sql.back() != '(') sql += ", ";
      sql += "'" + std::string(name) + "'";
    }
    return sql + ")";
  } else {
    return Engine<T>::kSql;
  }
}

template <class T>
duckdb_logical_type logical_type() {
  if constexpr (std::is_enum_v<T>) {
    std::vector<std::string> names(Names<T>::kAll.begin(), Names<T>::kAll.end());
    std::vector<const char*> pointers;
    for (const auto& name : names) pointers.push_back(name.c_str());
    return duckdb_create_enum_type(pointers.data(), pointers.size());
  } else {
    return Engine<T>::logical();
  }
}

// One column of a chunk, from the rows.
template <class Row, class T>
void put(duckdb_vector vector, std::span<const Row> rows, T Row::*field, Absent absent) {
  std::uint64_t* valid = nullptr;
  const auto leave_out = [&](std::size_t row) {
    if (valid == nullptr) {
      duckdb_vector_ensure_validity_writable(vector);
      valid = duckdb_vector_get_validity(vector);
    }
    // As the engine documents the mask; its own function costs a call for each value.
    valid[row / 64] &= ~(std::uint64_t{1} << (row % 64));
  };
  auto* const values = static_cast<decltype(stored(T{}))*>(duckdb_vector_get_data(vector));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& value = rows[i].*field;
    if (absent == Absent::is_null && value == T{}) {
      leave_out(i);
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      duckdb_vector_assign_string_element_len(vector, i, value.data(), value.size());
    } else {
      values[i] = stored(value);
    }
  }
}

}  // namespace nando
