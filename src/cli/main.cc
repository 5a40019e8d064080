#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "cli/command.h"

int main(int argc, char** argv) {
  ::umask(0077);  // What is kept is the owner's alone, also what libraries write.
  const std::vector<std::string> args(argv + 1, argv + argc);
  nando::Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  nando::StreamOutput output;
  return nando::run_program(args, environment, output);
}
