// crash_client: counts hits against a server that is being killed, and says whether it kept its
// word. It shares no code with the server; tests/crash/README.md lists its uses.
#include <cstdio>
#include <exception>
#include <string>

#include "client/check.h"
#include "client/disk.h"
#include "client/engine.h"
#include "client/flags.h"
#include "client/load.h"
#include "client/proxy.h"
#include "client/question.h"

namespace {

int load(crash::Flags& flags) {
  crash::EngineOptions engine;
  engine.port = static_cast<std::uint16_t>(flags.number("port"));
  engine.connections = flags.number("connections", 64);
  engine.reconnect = flags.number("reconnect") != 0;
  engine.drain = std::chrono::milliseconds(flags.number("drain-ms", 5'000));
  const auto options = crash::read_load_options(flags);
  flags.check_all_known();
  crash::Load player(options);
  crash::Engine(engine, player).run();
  player.print(stdout);
  return 0;
}

int check(crash::Flags& flags) {
  const auto options = crash::read_check_options(flags);
  flags.check_all_known();
  crash::Check one(options);
  const bool good = one.run();
  one.print(stdout);
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  try {
    crash::Flags flags(argc, argv, 2);
    if (mode == "load") return load(flags);
    if (mode == "check") return check(flags);
    if (mode == "proxy") return crash::run_proxy(flags);
    if (mode == "ask") return crash::ask_often(flags);
    if (mode == "disk") return crash::time_disk(flags);
    std::fprintf(stderr, "usage: crash_client load|check|proxy|ask|disk --flag value ...\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crash_client: %s\n", error.what());
  }
  return 2;
}
