#include "client/flags.h"

#include <stdexcept>

namespace crash {

Flags::Flags(int argc, char** argv, int first) {
  for (int i = first; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (!name.starts_with("--")) throw std::runtime_error("not a flag: " + name);
    values_[name.substr(2)] = argv[i + 1];
  }
  if ((argc - first) % 2 != 0) throw std::runtime_error("a flag without a value");
}

std::string Flags::text(const std::string& name, const std::string& otherwise) {
  known_.insert(name);
  const auto found = values_.find(name);
  return found == values_.end() ? otherwise : found->second;
}

std::uint64_t Flags::number(const std::string& name, std::uint64_t otherwise) {
  const auto value = text(name);
  return value.empty() ? otherwise : std::stoull(value);
}

double Flags::real(const std::string& name, double otherwise) {
  const auto value = text(name);
  return value.empty() ? otherwise : std::stod(value);
}

void Flags::check_all_known() const {
  for (const auto& [name, value] : values_) {
    if (!known_.contains(name)) throw std::runtime_error("unknown flag: --" + name);
  }
}

}  // namespace crash
