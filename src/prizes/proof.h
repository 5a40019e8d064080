// Proof: what is published about a promotion (GET /api/v1/promotions/NAME), and the check that a
// stranger makes of it. From rules, seeds and heads alone every winner follows; with the entries
// file, every head too. As JSON: wire/promotion_json.h. The formulas: docs/formats/promotion.md.
#pragma once

#include <functional>
#include <string>

#include "base/position.h"
#include "model/promotion.h"
#include "prizes/entry_chain.h"
#include "prizes/winners.h"

namespace nando {

enum class PromotionStatus : std::uint8_t {
  running,
  paused,  // Takes no entries for now.
  closed,  // Takes no more entries; prizes can be claimed, or are still to be drawn.
  over,    // Nothing more will happen.
};
inline constexpr std::array<std::string_view, 4> kPromotionStatusNames = {"running", "paused",
                                                                          "closed", "over"};
constexpr std::string_view name_of(PromotionStatus status) {
  return enum_name(kPromotionStatusNames, status);
}

// A window that is over: it is known who won.
struct WindowProof {
  std::uint32_t window = 0;  // From 1.
  WindowSpan span;
  Hash256 head{};                      // The link of its last entry, or of the last before it.
  std::optional<Hash256> seed;         // Where the rule is instant.
  std::vector<std::uint64_t> winners;  // Ordinals of entries, rising.

  bool operator==(const WindowProof&) const = default;
};

// What is published of a window that is over. `seed` is the window's where the rule is instant,
// `outside` the value of a sealed draw once it is revealed; nothing where the rule has none.
WindowProof prove_window(const Promotion& rules, std::uint32_t window, const WindowSpan& span,
                         const Hash256& head, const std::optional<Hash256>& seed,
                         const std::optional<std::string>& outside);

// What the server signs: where its journal and the promotion stood at one moment.
struct Statement {
  Epoch epoch{};
  Sequence sequence;
  Head journal_head{};
  UnixTime committed;
  PromotionId promotion;
  Hash256 rules_hash{};  // SHA-256 of rules_text().
  std::uint64_t entries = 0;
  Hash256 head{};  // The link of entry `entries`.

  bool operator==(const Statement&) const = default;
};

inline constexpr std::size_t kStatementBytes = 144;
using StatementBytes = std::array<std::byte, kStatementBytes>;

StatementBytes encode(const Statement& statement);
// Nothing unless encode() writes it.
std::optional<Statement> decode_statement(Bytes bytes);

struct SignedStatement {
  StatementBytes message{};
  Signature signature{};
  PublicKey key{};

  bool operator==(const SignedStatement&) const = default;
};
SignedStatement sign(const Statement& statement, const SigningKey& key);

struct Proof {
  std::string promotion;  // Its name.
  PromotionId id;
  std::string rules;  // rules_text().
  PromotionStatus status = PromotionStatus::running;
  UnixTime as_of{};  // The moment at which all of this held; decides which windows are over.
  std::uint64_t entries = 0;
  Hash256 head{};
  std::vector<WindowProof> windows;
  std::optional<std::string> outside;  // Of a sealed draw, once it is revealed.
  std::uint32_t stock = 0;
  std::uint32_t claimed = 0;
  std::optional<SignedStatement> statement;

  bool operator==(const Proof&) const = default;
};

// What a proof can be wrong about; the word is what both checkers print.
enum class ProofFault : std::uint8_t {
  bad_rules,        // They are no rules.
  wrong_name,       // The rules are of another promotion.
  wrong_stock,      // Another than the rules', or more was claimed.
  wrong_entries,    // More than there can be.
  wrong_window,     // Its number or bounds are not what the rules and the entries make them.
  early_window,     // It was not over: a seed or an outside value told too early.
  missing_window,   // It was over and is not told of.
  wrong_seed,       // Not under the commitment, not there, or there where none belongs.
  wrong_winners,    // Others follow from the seed.
  wrong_head,       // Another follows from the entries.
  wrong_outside,    // A value where none belongs, or before its time.
  wrong_statement,  // What was signed says something else.
  bad_signature,    // The key did not sign this.
  foreign_key,      // Signed with another key than was asked for.
  wrong_entry,      // The entries file is not of this promotion, or not whole.
};
inline constexpr std::array<std::string_view, 15> kProofFaultNames = {
    "bad_rules",     "wrong_name",      "wrong_stock",   "wrong_entries", "wrong_window",
    "early_window",  "missing_window",  "wrong_seed",    "wrong_winners", "wrong_head",
    "wrong_outside", "wrong_statement", "bad_signature", "foreign_key",   "wrong_entry",
};
constexpr std::string_view name_of(ProofFault fault) {
  return enum_name(kProofFaultNames, fault);
}

struct Contradiction {
  ProofFault fault;
  std::string says;  // Where, and what would be right.
};

// The next entry of a file, oldest first; nothing at its end; an error where it is damaged.
using NextEntry = std::function<Result<std::optional<EntryLink>>()>;

// What a check may hold the proof against besides itself.
struct Evidence {
  NextEntry entries;             // None: heads are not derived, only compared.
  std::optional<PublicKey> key;  // None: whichever key signed is believed.
};

inline constexpr std::size_t kContradictionsMax = 100;

// Every contradiction in `proof`, at most kContradictionsMax; none if it holds. A proof without a
// statement is not signed, and is not refused for that. Entries after `proof.entries` are passed
// over. Costs some hashes a window, a signature's check, and half a microsecond an entry. Pure.
std::vector<Contradiction> check_proof(const Proof& proof, const Evidence& evidence = {});

}  // namespace nando
