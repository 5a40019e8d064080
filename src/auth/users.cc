#include "auth/users.h"

#include <algorithm>

#include "auth/password.h"
#include "registry/fields.h"

namespace nando {

namespace {

constexpr std::string_view kKind = "user";
Error nobody(std::string_view email) {
  return {Code::not_found,
          "nobody has the address " + std::string(email) + "; see: nandolytics user list"};
}

}  // namespace

Result<std::string> parse_email(std::string_view text) {
  std::string email(text);
  std::ranges::transform(email, email.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto at = email.find('@');
  const bool shaped = at != std::string::npos && at > 0 && at + 1 < email.size() &&
                      email.find('@', at + 1) == std::string::npos;
  const bool printable =
      std::ranges::none_of(email, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
  if (shaped && printable && email.size() <= kEmailBytesMax) return email;
  return Error{Code::invalid, "that is no e-mail address; one looks like ada@example.com"};
}

Result<std::unique_ptr<Users>> Users::open(Registry& registry, const Clock& clock) {
  std::unique_ptr<Users> users(new Users(registry, clock));
  if (auto loaded = users->load(); !loaded) return loaded.error();
  return users;
}

Result<> Users::load() {
  const auto documents = registry_.list(kKind);
  if (!documents) return documents.error();
  for (const auto& document : *documents) {
    const auto made = parse_number<std::int64_t>(field(document.fields, "made"));
    const auto role = enum_from<Role>(kRoleNames, field(document.fields, "role"));
    const auto hash = field(document.fields, "password");
    if (!made || !role || hash.empty()) {
      return Error{Code::invalid, "the registry's user " + document.id + " cannot be used"};
    }
    entries_[document.id] = {
        {document.id, *role, UnixTime{std::chrono::milliseconds{*made}}, document.version}, hash};
  }
  return {};
}

std::string User::stamp() const {
  return std::to_string(made.time_since_epoch().count()) + "." + std::to_string(version);
}

// Requires: changing_ is held, mutex_ is not.
Result<User> Users::put(Entry entry) {
  auto& user = entry.user;
  const Fields fields{
      {"role", std::string(name_of(user.role))},
      {"made", std::to_string(user.made.time_since_epoch().count())},
      {"password", entry.hash},
  };
  const auto version = registry_.put(kKind, user.email, fields, user.version);
  if (!version) return version.error();
  user.version = *version;
  const std::lock_guard lock(mutex_);
  return (entries_[user.email] = entry).user;
}

Result<User> Users::add_owner(std::string_view email, std::string_view password) {
  const auto address = parse_email(email);
  if (!address) return address.error();
  if (auto good = check_new_password(password); !good) return good.error();
  auto hash = hash_password(password);
  if (!hash) return hash.error();
  const std::lock_guard changing(changing_);
  if (!entries_.empty()) {
    return Error{Code::conflict, "this server has an owner; log in as " + entries_.begin()->first};
  }
  return put({{*address, Role::owner, clock_.now(), kNoVersion}, std::move(*hash)});
}

bool Users::has_owner() const {
  const std::lock_guard lock(mutex_);
  return !entries_.empty();
}

std::optional<User> Users::check(std::string_view email, std::string_view password) const {
  const auto address = parse_email(email);
  std::string hash = nobodys_hash();
  std::optional<User> user;
  {
    const std::lock_guard lock(mutex_);
    const auto found = address ? entries_.find(*address) : entries_.end();
    if (found != entries_.end()) {
      user = found->second.user;
      hash = found->second.hash;
    }
  }
  return is_password(password, hash) ? user : std::nullopt;
}

std::optional<User> Users::find(std::string_view email) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(email);
  return found == entries_.end() ? std::nullopt : std::optional(found->second.user);
}

Result<> Users::set_password(std::string_view email, std::string_view password) {
  const auto address = parse_email(email);
  if (!address) return address.error();
  if (auto good = check_new_password(password); !good) return good;
  auto hash = hash_password(password);
  if (!hash) return hash.error();
  const std::lock_guard changing(changing_);
  const auto found = entries_.find(*address);
  if (found == entries_.end()) return nobody(*address);
  const auto done = put({found->second.user, std::move(*hash)});
  return done ? Result<>() : done.error();
}

Result<> Users::remove(std::string_view email) {
  const auto address = parse_email(email);
  if (!address) return address.error();
  const std::lock_guard changing(changing_);
  const auto found = entries_.find(*address);
  if (found == entries_.end()) return nobody(*address);
  if (auto done = registry_.remove(kKind, *address, found->second.user.version); !done) return done;
  const std::lock_guard lock(mutex_);
  entries_.erase(found);
  return {};
}

std::vector<User> Users::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<User> users;
  for (const auto& [email, entry] : entries_) users.push_back(entry.user);
  return users;
}

}  // namespace nando
