#include "prizes/proof.h"

#include <algorithm>

#include "model/day.h"
#include "prizes/seed_chain.h"

namespace nando {

namespace {

constexpr std::string_view kStatementTag = "NDS\1";

std::string text(std::uint64_t number) {
  return std::to_string(number);
}

class ProofCheck {
 public:
  ProofCheck(const Proof& proof, const Evidence& evidence) : proof_(proof), evidence_(evidence) {}

  std::vector<Contradiction> run() {
    auto rules = parse_rules(proof_.rules);
    if (!rules) {
      add(ProofFault::bad_rules, rules.error().message);
      return std::move(found_);
    }
    rules_ = *std::move(rules);
    rules_hash_ = sha256(as_bytes(proof_.rules));
    ended_ = proof_.status == PromotionStatus::closed || proof_.status == PromotionStatus::over ||
             proof_.as_of >= rules_.closes;
    check_numbers();
    check_outside();
    check_windows();
    check_statement();
    if (evidence_.entries) check_entries();
    return std::move(found_);
  }

 private:
  void add(ProofFault fault, std::string says) {
    if (!is_full()) found_.push_back({fault, std::move(says)});
  }
  bool is_full() const { return found_.size() >= kContradictionsMax; }

  void check_numbers() {
    if (proof_.promotion != rules_.name) {
      add(ProofFault::wrong_name, "the rules are those of " + rules_.name);
    }
    if (proof_.stock != rules_.stock) {
      add(ProofFault::wrong_stock, "the rules have a stock of " + text(rules_.stock));
    }
    if (proof_.claimed > rules_.stock) {
      add(ProofFault::wrong_stock, "more than the stock was claimed");
    }
    if (proof_.entries > entries_max(rules_)) {
      add(ProofFault::wrong_entries, "there can be no entry after " + text(entries_max(rules_)));
    }
    if (proof_.entries == 0 && proof_.head != first_link(rules_hash_)) {
      add(ProofFault::wrong_head, "without an entry the head follows from the rules");
    }
  }

  void check_outside() {
    if (!proof_.outside) return;
    if (rules_.rule != WinRule::sealed) {
      add(ProofFault::wrong_outside, "only the rule sealed has an outside value");
    } else if (proof_.as_of < rules_.outside_at) {
      add(ProofFault::wrong_outside, "it is not known before " + to_string(rules_.outside_at));
    }
  }

  // Windows stand in order, without a gap, from 1 on; each begins where the one before it ended.
  void check_windows() {
    WindowSpan before;
    Hash256 head = first_link(rules_hash_);
    std::uint32_t number = 0;
    known_seed_ = rules_.commitment;
    for (const auto& window : proof_.windows) {
      if (is_full()) return;
      if (window.window != ++number || number > rules_.window_count) {
        add(ProofFault::wrong_window,
            "window " + text(window.window) + " stands where " +
                (number > rules_.window_count ? "no window can be"
                                              : "window " + text(number) + " belongs"));
        return;
      }
      if (!check_span(window, before)) return;
      const bool same_head = window.span.last == before.last ? window.head == head : true;
      const bool last_head = window.span.last == proof_.entries ? window.head == proof_.head : true;
      if (!same_head || !last_head) {
        add(ProofFault::wrong_head, "window " + text(number) + " has another head than " +
                                        (same_head ? "its promotion" : "the one before it"));
      }
      check_winners(window);
      before = window.span;
      head = window.head;
    }
    check_missing(number, before);
  }

  // False where bounds are such that nothing after them can be judged.
  bool check_span(const WindowProof& window, const WindowSpan& before) {
    auto right = window.span;
    right.first = before.last + 1;
    if (rules_.windows == WindowKind::entries) {
      right = span_by_entries(rules_, window.window, proof_.entries);
    }
    if (rules_.windows == WindowKind::whole) right.last = proof_.entries;
    if (window.span != right || right.last > proof_.entries || right.last + 1 < right.first) {
      add(ProofFault::wrong_window, "window " + text(window.window) + " must have entries " +
                                        text(right.first) + " to " +
                                        (window.span == right || rules_.windows == WindowKind::times
                                             ? "at most " + text(proof_.entries)
                                             : text(right.last)));
      return false;
    }
    if (rules_.windows == WindowKind::entries && right.entries() == 0) {
      add(ProofFault::early_window, "window " + text(window.window) + " has no entry");
    } else if (!may_be_over(window)) {
      add(ProofFault::early_window, "window " + text(window.window) + " is not over");
    }
    return true;
  }

  bool may_be_over(const WindowProof& window) const {
    switch (rules_.windows) {
      case WindowKind::whole:
        return ended_ || proof_.entries == entries_max(rules_);
      case WindowKind::entries:
        return ended_ || window.span.entries() == rules_.window_entries;
      case WindowKind::times:
        return ended_ || rules_.window_ends[window.window - 1] <= proof_.as_of;
    }
    return false;
  }

  // `number` windows are told of, and `last` is the last one's span.
  void check_missing(std::uint32_t number, const WindowSpan& last) {
    std::uint64_t over = 0;
    switch (rules_.windows) {
      case WindowKind::whole:
        over = ended_ ? 1 : 0;
        break;
      case WindowKind::entries:
        over = (proof_.entries + (ended_ ? rules_.window_entries - 1 : 0)) / rules_.window_entries;
        break;
      case WindowKind::times:
        over =
            static_cast<std::uint64_t>(std::ranges::upper_bound(rules_.window_ends, proof_.as_of) -
                                       rules_.window_ends.begin());
        break;
    }
    over = std::min<std::uint64_t>(over, rules_.window_count);
    if (number < over) {
      add(ProofFault::missing_window, "window " + text(number + 1) + " is over");
    } else if (ended_ && last.last != proof_.entries) {
      add(ProofFault::missing_window, "entry " + text(last.last + 1) + " is in no window");
    }
  }

  void check_winners(const WindowProof& window) {
    const bool is_instant = rules_.rule == WinRule::instant;
    const auto name = "window " + text(window.window);
    if (window.seed.has_value() != is_instant) {
      add(ProofFault::wrong_seed, name + (is_instant ? " has no seed" : " has a seed"));
      return;
    }
    if (is_instant) {
      if (hash_times(*window.seed, window.window - seeds_known_) != known_seed_) {
        add(ProofFault::wrong_seed, "the seed of " + name + " is not under the commitment");
        return;
      }
      known_seed_ = *window.seed;
      seeds_known_ = window.window;
    }
    const auto winners =
        prove_window(rules_, window.window, window.span, window.head, window.seed, proof_.outside)
            .winners;
    if (window.winners == winners) return;
    std::string list;
    for (const auto winner : winners) list += " " + text(winner);
    add(ProofFault::wrong_winners, name + " has the winners" + (list.empty() ? " none" : list));
  }

  void check_statement() {
    if (!proof_.statement) return;
    const auto& [message, signature, key] = *proof_.statement;
    if (evidence_.key && *evidence_.key != key) {
      add(ProofFault::foreign_key, "it is signed with the key " + to_hex(key));
    }
    if (!verify_signature(message, signature, key)) {
      add(ProofFault::bad_signature, "it is not that of the key over the message");
    }
    const auto statement = decode_statement(message);
    if (!statement) {
      add(ProofFault::wrong_statement, "the signed message is none");
      return;
    }
    const auto same = [&](std::string_view what, bool is_same) {
      if (!is_same) {
        add(ProofFault::wrong_statement, "the signed " + std::string(what) + " is another");
      }
    };
    same("promotion", statement->promotion == proof_.id);
    same("hash of the rules", statement->rules_hash == rules_hash_);
    same("number of entries", statement->entries == proof_.entries);
    same("head", statement->head == proof_.head);
  }

  void check_entries() {
    Hash256 link = first_link(rules_hash_);
    UnixTime before = rules_.opens;
    auto window = proof_.windows.begin();
    for (std::uint64_t number = 1; number <= proof_.entries && !is_full(); ++number) {
      const auto next = evidence_.entries();
      const auto where = "entry " + text(number);
      if (!next || !*next || (*next)->entry != number) {
        add(ProofFault::wrong_entry, !next    ? where + ": " + next.error().message
                                     : !*next ? where + " is missing"
                                              : where + " is not in its place");
        return;
      }
      const auto& entry = **next;
      if (entry.committed < before || entry.committed >= rules_.closes) {
        add(ProofFault::wrong_entry, where + " is out of its time");
      }
      before = std::max(before, entry.committed);
      link = next_link(link, entry);
      while (window != proof_.windows.end() && window->span.last < number) ++window;
      const auto told = window != proof_.windows.end() ? window->window : told_windows() + 1;
      const auto right = window_of(rules_, number, entry.committed);
      if (window != proof_.windows.end() ? right != told : right < told) {
        add(ProofFault::wrong_window, where + " is in window " + text(right));
      }
      if (window != proof_.windows.end() && window->span.last == number && window->head != link) {
        add(ProofFault::wrong_head, "the head of window " + text(told) + " is " + to_hex(link));
      }
    }
    if (link != proof_.head) add(ProofFault::wrong_head, "the head is " + to_hex(link));
  }
  std::uint32_t told_windows() const { return static_cast<std::uint32_t>(proof_.windows.size()); }

  const Proof& proof_;
  const Evidence& evidence_;
  Promotion rules_;
  Hash256 rules_hash_{};
  bool ended_ = false;
  Hash256 known_seed_{};  // Of window seeds_known_; the commitment for 0.
  std::uint32_t seeds_known_ = 0;
  std::vector<Contradiction> found_;
};

}  // namespace

WindowProof prove_window(const Promotion& rules, std::uint32_t window, const WindowSpan& span,
                         const Hash256& head, const std::optional<Hash256>& seed,
                         const std::optional<std::string>& outside) {
  WindowProof proof{window, span, head, seed, {}};
  const bool is_known = rules.rule != WinRule::sealed || outside;
  const auto drawn_by = outside ? sealed_seed(head, *outside) : seed.value_or(Hash256{});
  if (is_known) proof.winners = winners_of(rules, span, drawn_by);
  return proof;
}

StatementBytes encode(const Statement& statement) {
  StatementBytes bytes;
  auto* at = bytes.data();
  const auto put = [&](const auto& value) {
    store(at, value);
    at += sizeof value;
  };
  std::copy_n(as_bytes(kStatementTag).begin(), kStatementTag.size(), at);
  at += kStatementTag.size();
  put(statement.epoch);
  put(statement.sequence.value);
  put(statement.journal_head);
  put(static_cast<std::int64_t>(statement.committed.time_since_epoch().count()));
  put(statement.promotion.value);
  put(statement.rules_hash);
  put(statement.entries);
  put(statement.head);
  static_assert(kStatementBytes == 4 + 16 + 8 + 32 + 8 + 4 + 32 + 8 + 32);
  return bytes;
}

std::optional<Statement> decode_statement(Bytes bytes) {
  ByteReader in(bytes);
  if (as_text(in.raw(kStatementTag.size())) != kStatementTag) return std::nullopt;
  Statement statement;
  statement.epoch = in.fixed<Epoch>();
  statement.sequence = {in.fixed<std::uint64_t>()};
  statement.journal_head = in.fixed<Head>();
  statement.committed = UnixTime{std::chrono::milliseconds{in.fixed<std::int64_t>()}};
  statement.promotion = {in.fixed<std::uint32_t>()};
  statement.rules_hash = in.fixed<Hash256>();
  statement.entries = in.fixed<std::uint64_t>();
  statement.head = in.fixed<Hash256>();
  if (!in.done()) return std::nullopt;
  return statement;
}

SignedStatement sign(const Statement& statement, const SigningKey& key) {
  const auto message = encode(statement);
  return {message, key.sign(message), key.public_key()};
}

std::vector<Contradiction> check_proof(const Proof& proof, const Evidence& evidence) {
  return ProofCheck(proof, evidence).run();
}

}  // namespace nando
