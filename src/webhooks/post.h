// Posts: POST requests that are under way, one a target, all on one thread; what libcurl is for.
//
// Promise
//   - A connection is opened only to an address that was checked: public, or Reach::anywhere is
//     set. What was checked is what is connected to, whatever a name resolves to the next moment.
//   - No redirect is followed, no proxy is asked, no other scheme than http and https is spoken;
//     a certificate must be good.
//   - A request is over `patience` after it began, and gone at once when Posts is.
//   - A whole answer has its end; of one that is longer than kAnswerBytesMax the rest is not read.
//
// Threads: one; wake() from any. SIGPIPE must be blocked or ignored there.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nando {

inline constexpr std::size_t kAnswerBytesMax = 64 << 10;  // Its head, and again its body.

enum class Reach : std::uint8_t { public_only, anywhere };

struct PostOptions {
  Reach reach = Reach::public_only;
  std::chrono::milliseconds patience{10'000};
  std::string authorities;  // A file of certificates to trust; empty: the system's.
};

struct PostRequest {
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
};

struct PostAnswer {
  std::size_t slot = 0;  // As begin() was told.
  unsigned status = 0;   // Of a whole answer; else 0.
  std::string problem;   // Why there is none; without the URL.
};

class Posts {
 public:
  explicit Posts(PostOptions options);
  ~Posts();

  // Requires: nothing is under way in this slot.
  void begin(std::size_t slot, PostRequest request);

  // Drives what is under way, and says what has ended. Returns with nothing when there was
  // something to do that is not the end of a request, when wake() was called, or after `patience`.
  std::vector<PostAnswer> wait(std::chrono::milliseconds patience);

  // Ends the wait() that is under way, or the next. Any thread.
  void wake();

 private:
  struct Transfer;
  struct Multi;

  void finish(std::vector<PostAnswer>& answers);

  const PostOptions options_;
  std::unique_ptr<Multi> multi_;
  std::vector<std::unique_ptr<Transfer>> transfers_;  // By slot.
};

}  // namespace nando
