// Users: the people who may look behind the public numbers. Kept in the registry, passwords as
// hashes only.
//
// Failure: as the registry's.
// Threads: any. What takes a password is slow (auth/password.h), and what changes something waits
// for the disk; the rest waits for neither.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/names.h"
#include "registry/registry.h"

namespace nando {

enum class Role : std::uint8_t { owner };
inline constexpr std::array<std::string_view, 1> kRoleNames = {"owner"};
constexpr std::string_view name_of(Role role) {
  return enum_name(kRoleNames, role);
}

struct User {
  std::string email;  // In lower case; who it is.
  Role role = Role::owner;
  UnixTime made;
  Version version = kNoVersion;  // Of its document: another password, another version.

  // Says which user with which password; sessions are good for that one alone.
  std::string stamp() const;
};

inline constexpr std::size_t kEmailBytesMax = 254;  // RFC 5321, 4.5.3.1.3.

// In lower case. Code::invalid if it is none: one "@" with something on both sides, no spaces.
Result<std::string> parse_email(std::string_view text);

class Users {
 public:
  // Both outlive this.
  static Result<std::unique_ptr<Users>> open(Registry& registry, const Clock& clock);

  // The first one. Code::conflict if there is an owner, Code::invalid for the address or the
  // password.
  Result<User> add_owner(std::string_view email, std::string_view password);
  bool has_owner() const;

  // Who that is, if the password is right. Takes the same time for an address that nobody has.
  std::optional<User> check(std::string_view email, std::string_view password) const;

  // Who has the address now.
  std::optional<User> find(std::string_view email) const;

  // Code::not_found if nobody has the address.
  Result<> set_password(std::string_view email, std::string_view password);
  Result<> remove(std::string_view email);

  // By address.
  std::vector<User> list() const;

 private:
  struct Entry {
    User user;
    std::string hash;
  };

  Users(Registry& registry, const Clock& clock) : registry_(registry), clock_(clock) {}
  Result<> load();
  Result<User> put(Entry entry);

  Registry& registry_;
  const Clock& clock_;
  std::mutex changing_;       // Held while the registry writes; entries_ change under both.
  mutable std::mutex mutex_;  // Held for a moment.
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace nando
