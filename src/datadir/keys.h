// The MAC keys of receipts, in the file `keys` of the data directory, and the key that promotions
// are signed with, in `signing` (mode 0600 both).
// Bytes: docs/formats/keys.md
#pragma once

#include "base/entropy.h"
#include "base/result.h"
#include "disk/file.h"
#include "model/receipt.h"

namespace nando {

inline constexpr std::string_view kKeysFile = "keys";
inline constexpr std::string_view kSigningFile = "signing";
inline constexpr std::size_t kKeysMax = 10'000;

// Code::corrupt, naming the file, if it is damaged. Code::not_found if it is missing.
Result<KeyRing> read_keys(Directory& directory);

// Adds a key and makes it the current one; all earlier ones stay, so that what was made under them
// can be checked and made again. Makes the file if it is missing. Code::full past kKeysMax.
// Its id is `least` or more.
Result<KeyRing> add_key(Directory& directory, Entropy& entropy, MacKeyId least = MacKeyId{1});

// Takes an earlier key out, so that receipts made under it are good no more: for one that leaked.
// Code::not_found if there is none, Code::conflict for the current one.
Result<KeyRing> revoke_key(Directory& directory, MacKeyId key);

// What a signing key is made from (RFC 8032); made, and written, where there is none.
// Code::corrupt, naming the file, if it is damaged.
Result<Key256> signing_seed(Directory& directory, Entropy& entropy);

}  // namespace nando
