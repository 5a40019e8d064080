// Sessions: a browser that was let in. Its cookie holds 256 random bits; the registry keeps their
// hash, so that a copy of the store lets nobody in, and a restart logs nobody out.
//
// A session is good for the user and the password that it began with: another password, or the user
// gone, and it is over, whatever becomes of its document.
//
// Until there is an owner the set-up token, printed at each start and kept in memory only, lets in
// too. Both it and what it opened end with the first owner, for good.
//
// Failure: as the registry's.
// Threads: any. What changes something waits for the disk, the rest does not.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "auth/users.h"
#include "base/entropy.h"
#include "base/hash.h"

namespace nando {

inline constexpr std::chrono::hours kSessionLife{30 * 24};
inline constexpr std::size_t kSessionsMax = 1'000;  // One more, and the oldest ends.

struct Session {
  std::string email;  // Empty: of the set-up token.
  std::string user;   // The user's stamp().
  UnixTime ends;
};

class Sessions {
 public:
  // All four outlive this.
  static Result<std::unique_ptr<Sessions>> open(Registry& registry, const Users& users,
                                                Entropy& entropy, const Clock& clock);

  // Empty once there is an owner.
  std::string set_up_token() const;

  // The text for the cookie, here and nowhere else.
  Result<std::string> begin(const User& user);
  // Code::denied if that is not the set-up token, or there is an owner.
  Result<std::string> begin_set_up(std::string_view token);

  // Who that is, if the session has not ended.
  std::optional<Session> find(std::string_view text) const;

  // Ending what is not there is no error.
  Result<> end(std::string_view text);
  Result<> end_all(std::string_view email);

 private:
  struct Entry {
    Session session;
    Version version = kNoVersion;  // None: in memory only.
  };
  using Entries = std::map<Hash256, Entry>;

  Sessions(Registry& registry, const Users& users, Entropy& entropy, const Clock& clock)
      : registry_(registry), users_(users), entropy_(entropy), clock_(clock) {}
  Result<> load();
  bool is_set_up_over() const;
  Result<> make_room();
  Result<Entries::iterator> remove(Entries::iterator entry);

  Registry& registry_;
  const Users& users_;
  Entropy& entropy_;
  const Clock& clock_;
  std::string set_up_token_;
  mutable std::atomic<bool> set_up_is_over_ = false;
  std::mutex changing_;       // Held while the registry writes; entries_ change under both.
  mutable std::mutex mutex_;  // Held for a moment.
  Entries entries_;
};

// Every session's document goes.
Result<> forget_sessions(Registry& registry);

// Both, of one registry.
struct People {
  std::unique_ptr<Users> users;
  std::unique_ptr<Sessions> sessions;

  static Result<People> open(Registry& registry, Entropy& entropy, const Clock& clock);
};

}  // namespace nando
