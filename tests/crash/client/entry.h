// Entry: what the client remembers of one hit it sent, and the file it keeps such entries in.
//
// Bytes: an answer log is a plain array of Entry, 80 bytes each, in the machine's byte order.
// The drivers in Python read it too (answers.py).
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace crash {

using HitId = std::array<char, 16>;  // The first 16 bytes of the id; whole_id() gives the rest.

enum class Outcome : std::uint8_t {
  acknowledged,  // Answered with ordinals.
  dropped,       // Answered with a reason.
  refused,       // 429, 503, 507: promised never to be counted.
  unknown,       // No answer, or outcome_unknown.
  failed,        // Any other answer.
};
inline constexpr std::size_t kOutcomes = 5;

struct Entry {
  HitId id{};  // Zeros: sent without an id.
  std::uint32_t page = 0;
  std::uint16_t status = 0;
  Outcome outcome = Outcome::unknown;
  std::uint8_t duplicate = 0;
  std::uint64_t page_ordinal = 0;
  std::uint64_t site_ordinal = 0;
  std::uint64_t sent_ns = 0;
  std::uint64_t answered_ns = 0;
  std::array<std::uint64_t, 2> receipt{};  // fingerprint() of its text.
  std::uint64_t sequence = 0;              // As decoded from the receipt.
};
static_assert(sizeof(Entry) == 80);

// The id as sent: 16 to 64 bytes. The first character says how long; the rest repeats the 16.
std::string whole_id(const HitId& id);

// The id of hit `number` in a run with this seed: no two alike. `varied` has all lengths, the
// others 16 bytes; `chance` cannot be compressed, and no two are alike as far as chance goes.
enum class IdForm { fixed, varied, chance };
HitId make_id(std::uint64_t seed, std::uint64_t number, IdForm form);

// 128 bits of two unrelated hashes: equal only for equal text, as far as chance goes.
std::array<std::uint64_t, 2> fingerprint(std::string_view text);

// A good mixing of 64 bits, for choosing pages and moments.
std::uint64_t mix(std::uint64_t value);

class AnswerLog {
 public:
  explicit AnswerLog(const std::string& path);  // Appends; an empty path keeps nothing.
  AnswerLog(const AnswerLog&) = delete;
  AnswerLog& operator=(const AnswerLog&) = delete;
  ~AnswerLog();
  void add(const Entry& entry);

 private:
  std::FILE* file_ = nullptr;
};

std::vector<Entry> read_log(const std::string& path);

}  // namespace crash
