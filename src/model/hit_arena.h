// HitArena: where the text of hits lives between the request that brought them and the commit.
//
// Threads: one at a time; handed over whole.
#pragma once

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace nando {

// Grows by blocks that never move; clear() keeps the first block. One memcpy a text, no allocation
// once warm.
class HitArena {
 public:
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    if (text.size() > room_) grow(text.size());
    std::memcpy(next_, text.data(), text.size());
    const std::string_view kept(next_, text.size());
    next_ += text.size();
    room_ -= text.size();
    bytes_ += text.size();
    return kept;
  }

  // Of the text that is kept.
  std::size_t bytes() const { return bytes_; }

  void clear() {
    bytes_ = 0;
    if (blocks_.empty()) return;
    blocks_.resize(1);
    next_ = blocks_.front().bytes.get();
    room_ = blocks_.front().size;
  }

 private:
  static constexpr std::size_t kBlockBytes = 16 * 1024;
  struct Block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };

  void grow(std::size_t at_least) {
    const auto size = at_least > kBlockBytes ? at_least : kBlockBytes;
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    next_ = blocks_.back().bytes.get();
    room_ = size;
  }

  std::vector<Block> blocks_;
  char* next_ = nullptr;
  std::size_t room_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace nando
