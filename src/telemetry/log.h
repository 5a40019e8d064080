// Log: one line an event, to standard error. A line never holds an address, an agent string or a
// visitor's text (docs/GUARANTEES.md, V1); what is logged is ours: file names, counts, reasons.
//
// Threads: any. Before log_open() lines of level info and up go to standard error.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace nando {

enum class LogLevel { debug, info, warn, error, silent };

void log_open(LogLevel least);
void log_line(LogLevel level, std::string_view line);

template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warn(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::warn, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  log_line(LogLevel::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace nando
