// Our own dialects: the seed's `record` and the native `hits`. JSON in, Beacons out.
//
// Field by field: docs/reference/api.md. Unknown fields are passed over, so that newer clients work
// with older servers. Threads: a reader belongs to one thread and is reused; the beacons' text
// lives until its next read.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "model/beacon.h"
#include "model/day.h"
#include "wire/json.h"

namespace nando {

// What a caller with a hits token may say and others may not.
enum class Trust : std::uint8_t { visitor, token };

class HitReader {
 public:
  HitReader();
  ~HitReader();

  // `{"siteUrl": u, "id": ..., "secret_hash": ...}`. Errors beyond those of JSON: missing_site_url,
  // wrong_type, bad_id, bad_secret_hash.
  std::optional<WireError> read_record(std::string_view body);

  // One object, or with a token an array of at most 1,000. Errors beyond those: missing_url,
  // too_many_hits, empty_array, token_needed, text_too_long, bad_time, bad_ip, bad_props.
  std::optional<WireError> read_hits(std::string_view body, Trust trust);

  // What the last read brought, door and request headers not filled in.
  std::vector<Beacon>& beacons() { return beacons_; }
  bool was_array() const;

 private:
  class Listener;
  std::unique_ptr<JsonFields> json_;
  std::unique_ptr<Listener> listener_;
  std::vector<Beacon> beacons_;
};

// 16 bytes as 32 hex digits or 22 characters of base64url.
std::optional<SecretHash> parse_secret_hash(std::string_view text);

}  // namespace nando
