// Tokens: secrets that let a program in. A token's text is shown once, when it is made; the
// registry keeps a hash.
//
// Text: "nando_", the scope, "_", and 256 random bits as base64url. Secret scanners find the
// prefix.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/result.h"
#include "model/ids.h"
#include "model/names.h"

namespace nando {

class Registry;

enum class Scope : std::uint8_t {
  hits,   // Send hits, in arrays and with a time of their own.
  stats,  // Read what is not public.
  admin,  // Everything.
};
inline constexpr std::array<std::string_view, 3> kScopeNames = {"hits", "stats", "admin"};
constexpr std::string_view name_of(Scope scope) {
  return enum_name(kScopeNames, scope);
}

using TokenId = Id<struct TokenTag, std::uint32_t>;

struct Token {
  TokenId id;
  Scope scope = Scope::hits;
  SiteId site;  // No id: every site.

  // Whether it lets its bearer do `what` on `on`; admin implies the others, a token bound to a site
  // is good for that site alone.
  bool allows(Scope what, SiteId on) const;
  // On all sites, or on no site in particular.
  bool allows_everywhere(Scope what) const;
};

struct TokenInfo {
  Token token;
  std::string name;
  UnixTime made;
};

struct TokenDraft {
  std::string name;  // What it is for; 1 to kTokenNameBytesMax bytes.
  Scope scope = Scope::hits;
  SiteId site;
};

struct IssuedToken {
  TokenInfo info;
  std::string text;  // Here, and nowhere else, ever.
};

inline constexpr std::size_t kTokenNameBytesMax = 100;
inline constexpr std::size_t kTokensMax = 10'000;

// Immutable: hash of the text -> token.
class TokenTable {
 public:
  void insert(const Hash256& hash, const Token& token);
  std::optional<Token> find(const Hash256& hash) const;

 private:
  struct Row {
    Hash256 hash;
    Token token;
  };
  std::unordered_multimap<std::uint64_t, Row> rows_;  // By the first 8 bytes.
};

// Invariants: a token id is never given twice; a revoked token is refused by every check() that
// begins after revoke() returned.
// Failure: as the registry's.
// Threads: any; a Reader belongs to one.
class Tokens {
 public:
  // All three outlive this.
  static Result<std::unique_ptr<Tokens>> open(Registry& registry, Entropy& entropy,
                                              const Clock& clock);

  // Code::invalid for a bad name; Code::full past kTokensMax.
  Result<IssuedToken> add(const TokenDraft& draft);
  // By id.
  std::vector<TokenInfo> list() const;
  // Code::not_found if there is none of that id.
  Result<> revoke(TokenId id);

  // One atomic load a check until a token is added or revoked. The comparison takes the same time
  // whatever the text.
  class Reader {
   public:
    explicit Reader(const Tokens& tokens) : tokens_(&tokens) {}
    std::optional<Token> check(std::string_view text);

   private:
    const Tokens* tokens_;
    std::shared_ptr<const TokenTable> held_;
    std::uint64_t version_ = 0;
  };

 private:
  struct Entry {
    TokenInfo info;
    Hash256 hash;
    std::uint64_t version;  // Of its document.
  };

  Tokens(Registry& registry, Entropy& entropy, const Clock& clock)
      : registry_(registry), entropy_(entropy), clock_(clock) {}
  Result<> load();
  Result<TokenId> take_id();
  void publish();

  Registry& registry_;
  Entropy& entropy_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<TokenId, Entry> entries_;
  TokenId last_id_;
  std::uint64_t counter_version_ = 0;
  std::shared_ptr<const TokenTable> current_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace nando
