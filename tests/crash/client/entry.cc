#include "client/entry.h"

#include <cstring>
#include <stdexcept>

namespace crash {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kIdLengths = 49;  // 16 to 64 bytes.

}  // namespace

std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::string whole_id(const HitId& id) {
  const auto extra = kAlphabet.find(id[0]);
  std::string text(id.data(), id.size());
  if (extra == std::string_view::npos || extra >= kIdLengths) return text;
  while (text.size() < id.size() + extra) text += text[text.size() - id.size()];
  return text;
}

HitId make_id(std::uint64_t seed, std::uint64_t number, IdForm form) {
  const std::uint64_t high = mix(seed);
  const std::uint64_t low = mix(high + number);
  HitId id;
  id[0] = kAlphabet[form == IdForm::varied ? low % kIdLengths : 0];
  // Five characters of the run, ten that count the hits of it: no two alike.
  for (std::size_t i = 1; i <= 5; ++i) id[i] = kAlphabet[(high >> (6 * i)) & 63];
  for (std::size_t i = 6; i < 16; ++i) id[i] = kAlphabet[(number >> (6 * (i - 6))) & 63];
  if (form == IdForm::chance) {
    const std::uint64_t other = mix(low ^ high);
    for (std::size_t i = 1; i < 16; ++i) {
      id[i] = kAlphabet[((i < 9 ? low : other) >> (6 * (i % 9))) & 63];
    }
  }
  return id;
}

std::array<std::uint64_t, 2> fingerprint(std::string_view text) {
  std::uint64_t fnv = 0xcbf29ce484222325;
  std::uint64_t other = text.size();
  for (const char c : text) {
    fnv = (fnv ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    other = (other ^ static_cast<unsigned char>(c)) * 0x9e3779b97f4a7c15;
    other ^= other >> 29;
  }
  return {fnv, other};
}

AnswerLog::AnswerLog(const std::string& path) {
  if (path.empty()) return;
  file_ = std::fopen(path.c_str(), "ab");
  if (file_ == nullptr) throw std::runtime_error("cannot open " + path);
  std::setvbuf(file_, nullptr, _IOFBF, 1 << 20);
}

AnswerLog::~AnswerLog() {
  if (file_ != nullptr) std::fclose(file_);
}

void AnswerLog::add(const Entry& entry) {
  if (file_ == nullptr) return;
  if (std::fwrite(&entry, sizeof entry, 1, file_) != 1) {
    throw std::runtime_error("cannot write the answer log");
  }
}

std::vector<Entry> read_log(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot open " + path);
  std::vector<Entry> entries;
  std::vector<Entry> block(8192);
  for (std::size_t got; (got = std::fread(block.data(), sizeof(Entry), block.size(), file)) > 0;) {
    entries.insert(entries.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(got));
  }
  std::fclose(file);
  return entries;
}

}  // namespace crash
