// ASSERT: for our own bugs, never for input or a fault of the world. On in release builds.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace nando {

[[noreturn]] inline void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "nandolytics: bug: %s does not hold at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace nando

#define ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::nando::assertion_failed(#condition, __FILE__, __LINE__))
