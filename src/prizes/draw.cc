#include "prizes/draw.h"

#include <algorithm>
#include <unordered_set>

namespace nando {

namespace {

constexpr std::string_view kDomain = "nandolytics draw 1\n";
constexpr std::size_t kWordsADigest = sizeof(Hash256) / sizeof(std::uint64_t);

// x_0, x_1, x_2, ...
class Words {
 public:
  explicit Words(const Hash256& seed) : seed_(seed) {}

  std::uint64_t next() {
    if (at_ == kWordsADigest) {
      std::byte number[sizeof digests_];
      store(number, digests_++);
      digest_ = sha256(std::array{as_bytes(kDomain), Bytes(seed_), Bytes(number)});
      at_ = 0;
    }
    return load<std::uint64_t>(digest_.data() + sizeof(std::uint64_t) * at_++);
  }

 private:
  const Hash256& seed_;
  Hash256 digest_{};
  std::uint64_t digests_ = 0;
  std::size_t at_ = kWordsADigest;
};

}  // namespace

std::vector<std::uint64_t> draw(const Hash256& seed, std::uint64_t n, std::uint64_t k) {
  std::unordered_set<std::uint64_t> drawn;
  Words words(seed);
  while (drawn.size() < std::min(k, n)) {
    if (const auto position = position_of(words.next(), n)) drawn.insert(*position);
  }
  std::vector<std::uint64_t> winners(drawn.begin(), drawn.end());
  std::ranges::sort(winners);
  return winners;
}

}  // namespace nando
