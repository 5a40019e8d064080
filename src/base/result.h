// Result<T>: a value, or an Error that says what the caller should do next.
//
// Three kinds of "no" never mix: a bug is an ASSERT (base/assert.h); a fault of the world is a
// Result; a refusal that is a normal answer is an enum or variant in the return type.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace nando {

// Chosen by what the caller does next, not by where the fault arose.
enum class Code : std::uint8_t {
  invalid,      // Mend the input; the message says what was wrong and what would be right.
  not_found,    // It is not there.
  conflict,     // It is there already, or is something else than was claimed.
  denied,       // The caller may not.
  busy,         // Another process holds it; the message names it.
  unavailable,  // Ask again later; nothing was changed.
  full,         // No space; ask again when there is some. Nothing was changed.
  corrupt,      // Bytes that were promised are damaged; the message names file and offset.
  io,           // The disk failed. What was being written may or may not be there.
};

std::string_view name_of(Code code);

struct Error {
  Code code;
  std::string message;
};

// Lets boost::system::result<T, Error>::value() throw something readable when a bug asks for a
// value that is not there.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location& /*where*/) {
  throw std::logic_error("Result holds an error: " + error.message);
}

template <class T = void>
using Result = boost::system::result<T, Error>;

}  // namespace nando
