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
  bool wanted() const override { return !broken_; }

 private:
  bool broken_ = false;
};

// "nandolytics: MESSAGE" on standard error, in one line, and the exit code for it: kWrongCall for
// Code::invalid, kRefused otherwise.
int refuse(Output& output, const Error& error);

// Rows, columns aligned, two spaces between them.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

// JSON of a list: an array of flat objects.
using JsonValue = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;
using JsonObject = std::vector<std::pair<std::string, JsonValue>>;
std::string json_text(const std::vector<JsonObject>& rows);

}  // namespace nando
