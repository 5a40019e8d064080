#include "embed/count_text.h"

namespace nando {

namespace {

constexpr std::string_view kUnits = "kMGTPE";

std::string compact(std::uint64_t count) {
  if (count < 1000) return std::to_string(count);
  std::size_t unit = 0;
  for (; count >= 1'000'000; count /= 1000) ++unit;
  auto text = std::to_string(count / 1000);
  const auto tenths = count % 1000 / 100;
  if (text.size() < 3 && tenths > 0) text += "." + std::to_string(tenths);
  return text + kUnits.at(unit);
}

std::string with_commas(std::uint64_t count) {
  auto text = std::to_string(count);
  for (auto at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

}  // namespace

std::string count_text(std::uint64_t count, CountFormat format) {
  return format == CountFormat::compact ? compact(count) : with_commas(count);
}

}  // namespace nando
