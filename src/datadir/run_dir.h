// The run directory: where salts live. In memory (tmpfs), outside the data directory, so that no
// backup and no disk holds what would undo a pseudonym.
#pragma once

#include <string>

#include "base/result.h"

namespace nando {

// The run directory of the data directory `data`, made if it is missing (mode 0700). `setting` is
// the run_dir setting; empty chooses $XDG_RUNTIME_DIR/nandolytics, else /run/nandolytics if it can
// be written, else /dev/shm/nandolytics-UID. Each data directory has a folder of its own in it.
// Code::denied if it belongs to somebody else or others may enter.
Result<std::string> run_directory(const std::string& setting, const std::string& xdg_runtime_dir,
                                  const std::string& data);

}  // namespace nando
