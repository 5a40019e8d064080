// Output: where a command's words go: this process's streams, or the control socket's far end.
#pragma once

#include <string>
#include <string_view>

namespace nando {

// How a command ends, for scripts.
inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;    // It said no, and why.
inline constexpr int kWrongCall = 2;  // The call was wrong.

// Threads: one.
class Output {
 public:
  virtual ~Output() = default;
  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;
  // False when nobody reads any more; a long command then stops.
  virtual bool wanted() const = 0;
  // Why it is not wanted, where that is another reason than a reader who left.
  virtual std::string problem() const { return {}; }
};

// Keeps what was said; for tests.
class TextOutput final : public Output {
 public:
  void out(std::string_view text) override { out_text += text; }
  void err(std::string_view text) override { err_text += text; }
  bool wanted() const override { return true; }

  std::string out_text;
  std::string err_text;
};

}  // namespace nando
