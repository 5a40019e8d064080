#include "prizes/entries_file.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace nando {

namespace {

// The text up to the next comma, which is taken away too.
std::string_view take_field(std::string_view& rest) {
  const auto comma = std::min(rest.find(','), rest.size());
  const auto field = rest.substr(0, comma);
  rest.remove_prefix(std::min(comma + 1, rest.size()));
  return field;
}

template <class Number>
bool read_number(std::string_view text, Number& into) {
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, into);
  return error == std::errc() && at == end;
}

bool read_hash(std::string_view text, Hash128& into) {
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != into.size()) return false;
  std::ranges::copy(*bytes, into.begin());
  return true;
}

std::optional<EntryLink> parse_line(std::string_view line) {
  if (std::ranges::count(line, ',') != 3) return std::nullopt;
  EntryLink entry;
  std::int64_t committed_ms = 0;
  if (!read_number(take_field(line), entry.entry) || !read_number(take_field(line), committed_ms) ||
      !read_hash(take_field(line), entry.id_digest) ||
      !read_hash(take_field(line), entry.secret_hash)) {
    return std::nullopt;
  }
  entry.committed = UnixTime{std::chrono::milliseconds{committed_ms}};
  return entry;
}

}  // namespace

void append_line(std::string& out, const EntryLink& entry) {
  out += std::to_string(entry.entry);
  out += ',';
  out += std::to_string(entry.committed.time_since_epoch().count());
  out += ',';
  out += to_hex(entry.id_digest);
  out += ',';
  out += to_hex(entry.secret_hash);
  out += '\n';
}

Result<std::optional<EntryLink>> EntriesFile::next() {
  if (!std::getline(in_, line_)) {
    if (number_ == 0) return Error{Code::invalid, "the entries file is empty"};
    return std::optional<EntryLink>();
  }
  if (line_.ends_with('\r')) line_.pop_back();
  if (++number_ == 1) {
    if (line_ != kEntriesHeader) {
      return Error{Code::invalid,
                   "line 1 of the entries file is not " + std::string(kEntriesHeader)};
    }
    return next();
  }
  auto entry = parse_line(line_);
  if (!entry) {
    return Error{Code::invalid, "line " + std::to_string(number_) + " of the entries file is none"};
  }
  return entry;
}

}  // namespace nando
