// Flags: `--name value` pairs of a command line. A flag nobody asked for is an error.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace crash {

class Flags {
 public:
  Flags(int argc, char** argv, int first);
  std::string text(const std::string& name, const std::string& otherwise = "");
  std::uint64_t number(const std::string& name, std::uint64_t otherwise = 0);
  double real(const std::string& name, double otherwise = 0);
  void check_all_known() const;  // Throws, naming the flag that no one read.

 private:
  std::map<std::string, std::string> values_;
  std::set<std::string> known_;
};

}  // namespace crash
