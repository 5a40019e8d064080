#include "base/result.h"

#include "base/assert.h"

namespace nando {

std::string_view name_of(Code code) {
  switch (code) {
    case Code::invalid:
      return "invalid";
    case Code::not_found:
      return "not_found";
    case Code::conflict:
      return "conflict";
    case Code::denied:
      return "denied";
    case Code::busy:
      return "busy";
    case Code::unavailable:
      return "unavailable";
    case Code::full:
      return "full";
    case Code::corrupt:
      return "corrupt";
    case Code::io:
      return "io";
  }
  ASSERT(false);
}

}  // namespace nando
