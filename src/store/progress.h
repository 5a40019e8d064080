// Progress: a line every few seconds, so that long work is seen to go on.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "base/position.h"
#include "datadir/output.h"

namespace nando {

class Progress {
 public:
  Progress(Output& output, std::string what, Sequence end, std::string_view unit = "records")
      : output_(output),
        what_(std::move(what)),
        unit_(unit),
        end_(end),
        last_(clock_.monotonic()) {}

  // "nandolytics: rebuild [#########-----------]  45 %, 4500000 of 10000000 records"
  void operator()(Sequence at) {
    const auto now = clock_.monotonic();
    if (now - last_ < std::chrono::seconds{2}) return;
    last_ = now;
    constexpr std::uint64_t kWidth = 20;
    const auto end = std::max<std::uint64_t>({at.value, end_.value, 1});
    const auto filled = static_cast<std::size_t>(at.value * kWidth / end);
    output_.err(fmt::format("nandolytics: {} [{}{}] {:3} %, {} of {} {}\n", what_,
                            std::string(filled, '#'), std::string(kWidth - filled, '-'),
                            at.value * 100 / end, at.value, end, unit_));
  }

 private:
  Output& output_;
  std::string what_;
  std::string unit_;
  SystemClock clock_;
  Sequence end_;
  std::chrono::nanoseconds last_;
};

}  // namespace nando
