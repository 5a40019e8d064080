// One question at a time, and a storm of one question.
#pragma once

#include <cstdint>
#include <string>

#include "client/flags.h"

namespace crash {

struct Reply {
  int status = 0;  // 0: no answer.
  std::string body;
};

// GETs `target` over a connection of its own.
Reply get(std::uint16_t port, const std::string& target);

// Asks `--path` `--count` times within `--seconds` over `--connections`; prints how often each
// status came.
int ask_often(Flags& flags);

}  // namespace crash
