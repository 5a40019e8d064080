// Any bytes as a body: read or refused with a word, and what is read keeps the limits.
#include "base/assert.h"
#include "wire/hits.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nando;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  static HitReader reader;
  if (!reader.read_record(body)) {
    std::string out;
    append_json_string(out, reader.beacons().front().url);
    ASSERT(out.size() >= 2);
  }
  if (!reader.read_hits(body, Trust::token)) {
    for (const auto& beacon : reader.beacons()) {
      ASSERT(beacon.id.empty() ||
             (beacon.id.size() >= kHitIdBytesMin && beacon.id.size() <= kHitIdBytesMax));
      ASSERT(beacon.props.size() <= kPropsBytesMax && beacon.title.size() <= kTitleBytesMax);
    }
  }
  return 0;
}
