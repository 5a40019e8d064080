#include "auth/tokens.h"

#include <algorithm>

#include "registry/fields.h"

namespace nando {

namespace {

constexpr std::string_view kKind = "token";
constexpr std::string_view kCounterKind = "counter";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kTextBytesMax = 128;  // Longer texts are no tokens and are not hashed.

// The secret has 256 random bits, so a fast hash is as good as a slow one.
Hash256 hash_of(std::string_view text) {
  return blake2b(as_bytes(text));
}

bool equal_in_constant_time(const Hash256& a, const Hash256& b) {
  std::byte differences{0};
  for (std::size_t i = 0; i < a.size(); ++i) differences |= a[i] ^ b[i];
  return differences == std::byte{0};
}

std::uint64_t bucket_of(const Hash256& hash) {
  return load<std::uint64_t>(hash.data());
}

bool is_printable(std::string_view name) {
  return std::ranges::none_of(name, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

}  // namespace

bool Token::allows(Scope what, SiteId on) const {
  return (scope == what || scope == Scope::admin) && (!site || site == on);
}

bool Token::allows_everywhere(Scope what) const {
  return !site && allows(what, SiteId{});
}

void TokenTable::insert(const Hash256& hash, const Token& token) {
  rows_.emplace(bucket_of(hash), Row{hash, token});
}

std::optional<Token> TokenTable::find(const Hash256& hash) const {
  const auto [first, last] = rows_.equal_range(bucket_of(hash));
  for (auto row = first; row != last; ++row) {
    if (equal_in_constant_time(row->second.hash, hash)) return row->second.token;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Tokens>> Tokens::open(Registry& registry, Entropy& entropy,
                                             const Clock& clock) {
  std::unique_ptr<Tokens> tokens(new Tokens(registry, entropy, clock));
  if (auto loaded = tokens->load(); !loaded) return loaded.error();
  tokens->publish();
  return tokens;
}

Result<> Tokens::load() {
  const auto counter = registry_.get(kCounterKind, kKind);
  if (!counter && counter.error().code != Code::not_found) return counter.error();
  if (counter) {
    const auto last = parse_number<std::uint32_t>(field(counter->fields, "last"));
    if (!last) return Error{Code::invalid, "the registry's counter of tokens is no number"};
    counter_version_ = counter->version;
    last_id_ = TokenId{*last};
  }
  const auto documents = registry_.list(kKind);
  if (!documents) return documents.error();
  for (const auto& document : *documents) {
    const auto& fields = document.fields;
    const auto id = parse_number<std::uint32_t>(document.id);
    const auto site = parse_number<std::uint32_t>(field(fields, "site"));
    const auto made = parse_number<std::int64_t>(field(fields, "made"));
    const auto scope = enum_from<Scope>(kScopeNames, field(fields, "scope"));
    const auto hash = from_hex(field(fields, "hash"));
    if (!id || !site || !made || !scope || !hash || hash->size() != sizeof(Hash256)) {
      return Error{Code::invalid, "the registry's token " + document.id + " cannot be used"};
    }
    Entry entry{{{TokenId{*id}, *scope, SiteId{*site}},
                 field(fields, "name"),
                 UnixTime{std::chrono::milliseconds{*made}}},
                {},
                document.version};
    std::ranges::copy(*hash, entry.hash.begin());
    last_id_ = std::max(last_id_, TokenId{*id});
    entries_.emplace(TokenId{*id}, std::move(entry));
  }
  return {};
}

Result<IssuedToken> Tokens::add(const TokenDraft& draft) {
  if (draft.name.empty() || draft.name.size() > kTokenNameBytesMax || !is_printable(draft.name)) {
    return Error{Code::invalid, "a token's name has 1 to 100 printable characters"};
  }
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kTokensMax) {
    return Error{Code::full, "there are 10000 tokens; revoke one first"};
  }
  const auto id = take_id();
  if (!id) return id.error();
  IssuedToken issued{{{*id, draft.scope, draft.site}, draft.name, clock_.now()}, {}};
  issued.text = "nando_" + std::string(name_of(draft.scope)) + "_" +
                to_base64url(entropy_.take<kSecretBytes>());
  const auto hash = hash_of(issued.text);
  const Fields fields{
      {"name", draft.name},
      {"scope", std::string(name_of(draft.scope))},
      {"site", std::to_string(draft.site.value)},
      {"made", std::to_string(issued.info.made.time_since_epoch().count())},
      {"hash", to_hex(hash)},
  };
  const auto version = registry_.put(kKind, std::to_string(id->value), fields, kNoVersion);
  if (!version) return version.error();
  entries_.emplace(*id, Entry{issued.info, hash, *version});
  publish();
  return issued;
}

std::vector<TokenInfo> Tokens::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<TokenInfo> tokens;
  for (const auto& [id, entry] : entries_) tokens.push_back(entry.info);
  return tokens;
}

Result<> Tokens::revoke(TokenId id) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return Error{Code::not_found,
                 "there is no token " + std::to_string(id.value) + "; see: nandolytics token list"};
  }
  auto removed = registry_.remove(kKind, std::to_string(id.value), found->second.version);
  if (!removed) return removed;
  entries_.erase(found);
  publish();
  return {};
}

// Written before the id is used: a revoked id must not come back as another token.
Result<TokenId> Tokens::take_id() {
  const TokenId id{last_id_.value + 1};
  const auto version =
      registry_.put(kCounterKind, kKind, {{"last", std::to_string(id.value)}}, counter_version_);
  if (!version) return version.error();
  counter_version_ = *version;
  last_id_ = id;
  return id;
}

// Called with the lock held, except by open().
void Tokens::publish() {
  auto table = std::make_shared<TokenTable>();
  for (const auto& [id, entry] : entries_) table->insert(entry.hash, entry.info.token);
  current_ = std::move(table);
  version_.fetch_add(1, std::memory_order_release);
}

std::optional<Token> Tokens::Reader::check(std::string_view text) {
  if (tokens_->version_.load(std::memory_order_acquire) != version_) {
    const std::lock_guard lock(tokens_->mutex_);
    held_ = tokens_->current_;
    version_ = tokens_->version_.load(std::memory_order_relaxed);
  }
  if (text.size() > kTextBytesMax) return std::nullopt;
  return held_->find(hash_of(text));
}

}  // namespace nando
