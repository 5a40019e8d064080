// key: the MAC keys of receipts. A key that was rotated out still proves the receipts made under
// it.
#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace nando {

Run key_rotate(CLI::App& /*app*/) {
  return StoreRun{[](Live& live, Output& output) {
    const auto key = live.rotate_key();
    if (!key) return refuse(output, key.error());
    output.out(fmt::format("receipts are made under key {} from now on; earlier ones stay good\n",
                           key->value));
    return kDone;
  }};
}

Run key_revoke(CLI::App& app) {
  const auto key = std::make_shared<std::uint32_t>(0);
  app.add_option("KEY", *key, "its number, as `key rotate` said it")->required();
  return StoreRun{[key](Live& live, Output& output) {
    if (const auto done = live.revoke_key(MacKeyId{*key}); !done) {
      return refuse(output, done.error());
    }
    output.out(fmt::format("receipts of key {} are good no more\n", *key));
    return kDone;
  }};
}

}  // namespace nando
