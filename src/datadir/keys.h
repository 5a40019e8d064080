// The MAC keys of receipts, in the file `keys` of the data directory (mode 0600).
// Bytes: docs/formats/keys.md
#pragma once

#include "base/entropy.h"
#include "base/result.h"
#include "disk/file.h"
#include "model/receipt.h"

namespace nando {

inline constexpr std::string_view kKeysFile = "keys";
inline constexpr std::size_t kKeysMax = 10'000;

// Code::corrupt, naming the file, if it is damaged. Code::not_found if it is missing.
Result<KeyRing> read_keys(Directory& directory);

// Adds a key and makes it the current one; all earlier ones stay, so that what was made under them
// can be checked and made again. Makes the file if it is missing. Code::full past kKeysMax.
// Its id is `least` or more.
Result<KeyRing> add_key(Directory& directory, Entropy& entropy, MacKeyId least = MacKeyId{1});

}  // namespace nando
