#include "auth/password.h"

#include <sodium.h>

#include <array>

namespace nando {

Result<> check_new_password(std::string_view password) {
  if (password.size() >= kPasswordBytesMin && password.size() <= kPasswordBytesMax) return {};
  return Error{Code::invalid, "a password has at least 10 characters, and at most 1,024"};
}

Result<std::string> hash_password(std::string_view password) {
  if (sodium_init() < 0) return Error{Code::io, "no source of chance"};
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (crypto_pwhash_str(text.data(), password.data(), password.size(),
                        crypto_pwhash_OPSLIMIT_INTERACTIVE,
                        crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0) {
    return Error{Code::full, "no memory to hash a password"};
  }
  return std::string(text.data());
}

bool is_password(std::string_view password, const std::string& hash) {
  return password.size() <= kPasswordBytesMax && hash.size() < crypto_pwhash_STRBYTES &&
         crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

const std::string& nobodys_hash() {
  static const std::string hash =
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$" + std::string(43, 'A');
  return hash;
}

}  // namespace nando
