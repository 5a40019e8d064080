// What commands print, and how they end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "datadir/output.h"

namespace nando {

// Standard output and standard error.
class StreamOutput final : public Output {
 public:
  void out(std::string_view text) override;
  void err(std::string_view text) override;
  bool wanted() const override { return error_ == 0; }
  std::string problem() const override;

 private:
  int error_ = 0;  // errno of the first failure.
};

// "nandolytics: MESSAGE" on standard error, in one line, and the exit code for it: kWrongCall for
// Code::invalid, kRefused otherwise.
int refuse(Output& output, const Error& error);

// For a command that stops because its output is not wanted: says why, unless a reader just left.
int refuse_unwanted(Output& output);

// Rows, columns aligned, two spaces between them.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

// JSON of a list: an array of flat objects.
using JsonValue = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;
using JsonObject = std::vector<std::pair<std::string, JsonValue>>;
std::string json_text(const std::vector<JsonObject>& rows);

}  // namespace nando
