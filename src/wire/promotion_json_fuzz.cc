// Any bytes as a published promotion: what is read is written and read again the same, and can be
// checked whatever it says.
#include "base/assert.h"
#include "wire/promotion_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nando;
  const auto proof = read_proof({reinterpret_cast<const char*>(data), size});
  if (!proof) {
    ASSERT(!proof.error().message.empty());
    return 0;
  }
  ASSERT(read_proof(write_proof(*proof)).value() == *proof);
  ASSERT(check_proof(*proof).size() <= kContradictionsMax);
  return 0;
}
