#include "cli/output.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sstream>
#include <system_error>

namespace nando {

namespace {

std::size_t columns_of(std::string_view text) {
  // Bytes that begin a UTF-8 character.
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

toml::array to_array(const std::vector<std::string>& words) {
  toml::array array;
  for (const auto& word : words) array.push_back(word);
  return array;
}

}  // namespace

void StreamOutput::out(std::string_view text) {
  errno = 0;
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (whole && std::fflush(stdout) == 0) return;
  if (error_ == 0) error_ = errno == 0 ? EIO : errno;
}

std::string StreamOutput::problem() const {
  if (error_ == 0 || error_ == EPIPE) return {};
  return "cannot write standard output: " + std::generic_category().message(error_);
}

void StreamOutput::err(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int refuse(Output& output, const Error& error) {
  auto line = "nandolytics: " + error.message;
  std::ranges::replace(line, '\n', ' ');
  output.err(line + "\n");
  return error.code == Code::invalid ? kWrongCall : kRefused;
}

int refuse_unwanted(Output& output) {
  const auto problem = output.problem();
  return problem.empty() ? kRefused : refuse(output, {Code::io, problem});
}

std::string text_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], columns_of(row[i]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string json_text(const std::vector<JsonObject>& rows) {
  toml::array array;
  for (const auto& row : rows) {
    toml::table object;
    for (const auto& [name, value] : row) {
      if (const auto* const words = std::get_if<std::vector<std::string>>(&value)) {
        object.insert(name, to_array(*words));
      } else if (const auto* const number = std::get_if<std::int64_t>(&value)) {
        object.insert(name, *number);
      } else if (const auto* const truth = std::get_if<bool>(&value)) {
        object.insert(name, *truth);
      } else {
        object.insert(name, std::get<std::string>(value));
      }
    }
    array.push_back(std::move(object));
  }
  std::ostringstream out;
  out << toml::json_formatter(array) << "\n";
  return out.str();
}

}  // namespace nando
