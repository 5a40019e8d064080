#include "auth/sessions.h"

#include <algorithm>

#include "registry/fields.h"

namespace nando {

namespace {

constexpr std::string_view kKind = "session";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kTextBytes = 43;  // Of 32 bytes as base64url.

// The secret has 256 random bits, so a fast hash is as good as a slow one; and whoever times the
// look-up learns of hashes, not of secrets.
Hash256 hash_of(std::string_view text) {
  return blake2b(as_bytes(text));
}

}  // namespace

Result<std::unique_ptr<Sessions>> Sessions::open(Registry& registry, const Users& users,
                                                 Entropy& entropy, const Clock& clock) {
  std::unique_ptr<Sessions> sessions(new Sessions(registry, users, entropy, clock));
  if (auto loaded = sessions->load(); !loaded) return loaded.error();
  sessions->set_up_token_ = to_base64url(entropy.take<kSecretBytes>());
  return sessions;
}

Result<> Sessions::load() {
  const auto documents = registry_.list(kKind);
  if (!documents) return documents.error();
  for (const auto& document : *documents) {
    const auto email = field(document.fields, "email");
    const auto ends = parse_number<std::int64_t>(field(document.fields, "ends"));
    const auto bytes = from_hex(document.id);
    if (email.empty() || !ends || !bytes || bytes->size() != sizeof(Hash256)) {
      return Error{Code::invalid, "the registry's session " + document.id + " cannot be used"};
    }
    Hash256 hash;
    std::ranges::copy(*bytes, hash.begin());
    entries_[hash] = {
        {email, field(document.fields, "user"), UnixTime{std::chrono::milliseconds{*ends}}},
        document.version};
  }
  return {};
}

// Once there was an owner, also where they are removed again: what a start printed stands in logs.
bool Sessions::is_set_up_over() const {
  if (users_.has_owner()) set_up_is_over_.store(true, std::memory_order_relaxed);
  return set_up_is_over_.load(std::memory_order_relaxed);
}

std::string Sessions::set_up_token() const {
  return is_set_up_over() ? std::string() : set_up_token_;
}

// Requires: changing_ is held, mutex_ is not.
Result<Sessions::Entries::iterator> Sessions::remove(Entries::iterator entry) {
  if (entry->second.version != kNoVersion) {
    auto done = registry_.remove(kKind, to_hex(entry->first), entry->second.version);
    if (!done && done.error().code != Code::not_found) return done.error();
  }
  const std::lock_guard lock(mutex_);
  return entries_.erase(entry);
}

// As remove(). Ends what is over, and the oldest when there are too many.
Result<> Sessions::make_room() {
  const auto now = clock_.now();
  auto oldest = entries_.end();
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->second.session.ends <= now) {
      auto next = remove(entry);
      if (!next) return next.error();
      entry = *next;
      continue;
    }
    if (oldest == entries_.end() || entry->second.session.ends < oldest->second.session.ends) {
      oldest = entry;
    }
    ++entry;
  }
  if (entries_.size() < kSessionsMax) return {};
  const auto done = remove(oldest);
  return done ? Result<>() : done.error();
}

Result<std::string> Sessions::begin(const User& user) {
  set_up_is_over_.store(true, std::memory_order_relaxed);
  const auto text = to_base64url(entropy_.take<kSecretBytes>());
  const auto hash = hash_of(text);
  const std::lock_guard changing(changing_);
  if (auto done = make_room(); !done) return done.error();
  const Session session{user.email, user.stamp(), clock_.now() + kSessionLife};
  const auto version =
      registry_.put(kKind, to_hex(hash),
                    {{"email", session.email},
                     {"user", session.user},
                     {"ends", std::to_string(session.ends.time_since_epoch().count())}},
                    kNoVersion);
  if (!version) return version.error();
  const std::lock_guard lock(mutex_);
  entries_[hash] = {session, *version};
  return text;
}

Result<std::string> Sessions::begin_set_up(std::string_view token) {
  if (token.size() != kTextBytes || hash_of(token) != hash_of(set_up_token_) || is_set_up_over()) {
    return Error{Code::denied,
                 "this address lets nobody in any more; start the server again for a new one, or "
                 "log in"};
  }
  const auto text = to_base64url(entropy_.take<kSecretBytes>());
  const std::lock_guard changing(changing_);
  if (auto done = make_room(); !done) return done.error();
  const std::lock_guard lock(mutex_);
  entries_[hash_of(text)] = {{"", "", clock_.now() + kSessionLife}, kNoVersion};
  return text;
}

std::optional<Session> Sessions::find(std::string_view text) const {
  if (text.size() != kTextBytes) return std::nullopt;
  Session session;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(hash_of(text));
    if (found == entries_.end()) return std::nullopt;
    session = found->second.session;
  }
  if (session.ends <= clock_.now()) return std::nullopt;
  if (session.email.empty()) return is_set_up_over() ? std::nullopt : std::optional(session);
  const auto user = users_.find(session.email);
  return user && user->stamp() == session.user ? std::optional(session) : std::nullopt;
}

Result<> Sessions::end(std::string_view text) {
  const std::lock_guard changing(changing_);
  const auto found = entries_.find(hash_of(text));
  if (found == entries_.end()) return {};
  const auto done = remove(found);
  return done ? Result<>() : done.error();
}

Result<> Sessions::end_all(std::string_view email) {
  const std::lock_guard changing(changing_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (entry->second.session.email != email) {
      ++entry;
      continue;
    }
    auto next = remove(entry);
    if (!next) return next.error();
    entry = *next;
  }
  return {};
}

Result<> forget_sessions(Registry& registry) {
  const auto documents = registry.list(kKind);
  if (!documents) return documents.error();
  for (const auto& document : *documents) {
    if (auto done = registry.remove(kKind, document.id, document.version); !done) return done;
  }
  return {};
}

Result<People> People::open(Registry& registry, Entropy& entropy, const Clock& clock) {
  People people;
  auto users = Users::open(registry, clock);
  if (!users) return users.error();
  people.users = std::move(*users);
  auto sessions = Sessions::open(registry, *people.users, entropy, clock);
  if (!sessions) return sessions.error();
  people.sessions = std::move(*sessions);
  return people;
}

}  // namespace nando
