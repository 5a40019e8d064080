#include "drafts/codes.h"

#include <algorithm>
#include <unordered_map>

namespace nando {

namespace {

Error at_line(std::string_view path, std::size_t line, const std::string& says) {
  return {Code::invalid, std::string(path) + ":" + std::to_string(line) + ": " + says};
}

bool is_visible(char c) {
  return c > ' ' && c < 0x7f;
}

}  // namespace

Result<std::vector<std::string>> parse_codes(std::string_view text, std::string_view path) {
  std::vector<std::string> codes;
  std::unordered_map<std::string_view, std::size_t> line_of;
  while (!text.empty()) {
    const auto line = codes.size() + 1;
    const auto end = std::min(text.find('\n'), text.size());
    auto code = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (code.ends_with('\r')) code.remove_suffix(1);  // As Windows ends lines.
    if (code.empty()) return at_line(path, line, "an empty line; write one code a line");
    if (code.size() > kCodeBytesMax) {
      return at_line(path, line,
                     "a code of more than " + std::to_string(kCodeBytesMax) + " characters");
    }
    if (!std::ranges::all_of(code, is_visible)) {
      return at_line(path, line,
                     "a code has letters, digits and signs of ASCII only, and no space within");
    }
    if (line > kCodesMax) {
      return at_line(path, line, "more than " + std::to_string(kCodesMax) + " codes");
    }
    const auto [found, is_new] = line_of.emplace(code, line);
    if (!is_new) {
      return at_line(path, line,
                     "this code is on line " + std::to_string(found->second) + " already");
    }
    codes.emplace_back(code);
  }
  if (codes.empty()) return Error{Code::invalid, std::string(path) + ": there is no code in it"};
  return codes;
}

Hash256 hash_codes(const std::vector<std::string>& codes) {
  std::string text;
  for (const auto& code : codes) text.append(code).append("\n");
  return sha256(as_bytes(text));
}

}  // namespace nando
