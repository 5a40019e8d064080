// Passwords, as they are kept: hashed by argon2id (RFC 9106) with a salt of their own, in
// libsodium's text form, which names its parameters.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace nando {

inline constexpr std::size_t kPasswordBytesMin = 10;
inline constexpr std::size_t kPasswordBytesMax = 1024;

// Code::invalid, saying what would be right, if nobody should take it for a password.
Result<> check_new_password(std::string_view password);

// Both take some 60 ms and 64 MiB, on purpose: not for a thread that answers. hash_password()
// answers Code::full where there is no memory.
Result<std::string> hash_password(std::string_view password);
bool is_password(std::string_view password, const std::string& hash);
// Of no password that anybody has: for taking the time of a comparison.
const std::string& nobodys_hash();

}  // namespace nando
