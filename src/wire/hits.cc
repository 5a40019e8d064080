#include "wire/hits.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace nando {

namespace {

constexpr std::size_t kHitsMax = 1'000;

std::string quoted(std::string_view key) {
  return "\"" + std::string(key) + "\"";
}

// A field that is plain text: where it goes and how long it may be.
struct TextField {
  std::string_view key;
  std::string_view Beacon::*into;
  std::size_t bytes_max;
};
// The page URL has no limit here: ingest has one, and says url_too_long.
constexpr std::size_t kNoLimit = ~std::size_t{0};
constexpr std::array kTextFields = {
    TextField{"url", &Beacon::url, kNoLimit},
    TextField{"referrer", &Beacon::referrer, kReferrerBytesMax},
    TextField{"title", &Beacon::title, kTitleBytesMax},
    TextField{"name", &Beacon::name, kEventNameBytesMax},
    TextField{"screen", &Beacon::screen, kScreenBytesMax},
    TextField{"language", &Beacon::language, kLanguageBytesMax},
};

WireError wrong_type(std::string_view key, std::string_view wanted, JsonType got) {
  return {"wrong_type",
          quoted(key) + " must be " + std::string(wanted) + ", not " + std::string(name_of(got))};
}

WireError too_long(std::string_view key, std::size_t bytes_max) {
  return {"text_too_long",
          quoted(key) + " may have at most " + std::to_string(bytes_max) + " bytes"};
}

}  // namespace

std::optional<SecretHash> parse_secret_hash(std::string_view text) {
  const auto bytes = text.size() == 2 * sizeof(SecretHash)               ? from_hex(text)
                     : text.size() == base64url_size(sizeof(SecretHash)) ? from_base64url(text)
                                                                         : std::nullopt;
  if (!bytes) return std::nullopt;
  return load<SecretHash>(bytes->data());
}

class HitReader::Listener final : public JsonListener {
 public:
  explicit Listener(std::vector<Beacon>& beacons) : beacons_(beacons) {}

  enum class Dialect : std::uint8_t { record, hits };
  void begin(Dialect dialect, Trust trust) {
    dialect_ = dialect;
    trust_ = trust;
    texts_.clear();
    beacons_.clear();
  }

  std::optional<WireError> begin_object() override {
    if (beacons_.size() == kHitsMax) {
      return WireError{"too_many_hits",
                       "an array may have at most " + std::to_string(kHitsMax) + " hits"};
    }
    beacons_.emplace_back();
    url_seen_ = false;
    props_.clear();
    props_count_ = 0;
    return std::nullopt;
  }

  std::optional<WireError> field(const JsonField& field) override {
    if (!field.outer.empty()) return field.outer == "props" ? add_prop(field) : std::nullopt;
    auto& beacon = beacons_.back();
    if (field.key == "id") return read_id(field, beacon);
    if (field.key == "secret_hash") return read_secret_hash(field, beacon);
    if (dialect_ == Dialect::record) {
      return field.key == "siteUrl" ? read_text(field, {"siteUrl", &Beacon::url, kNoLimit}, beacon)
                                    : std::nullopt;
    }
    for (const auto& known : kTextFields) {
      if (field.key == known.key) return read_text(field, known, beacon);
    }
    return read_rare(field, beacon);
  }

  std::optional<WireError> end_object() override {
    auto& beacon = beacons_.back();
    if (!url_seen_) {
      if (dialect_ == Dialect::record) {
        return WireError{"missing_site_url", R"(send {"siteUrl": "https://example.com/page"})"};
      }
      return WireError{"missing_url", R"(send {"url": "https://example.com/page"})"};
    }
    if (!props_.empty()) beacon.props = texts_.keep(as_text(props_));
    return std::nullopt;
  }

 private:
  std::optional<WireError> read_text(const JsonField& field, const TextField& known,
                                     Beacon& beacon) {
    const bool is_url = known.into == &Beacon::url;
    if (field.type == JsonType::null && !is_url) return std::nullopt;
    if (field.type != JsonType::text) return wrong_type(field.key, "a string", field.type);
    if (field.text.size() > known.bytes_max) return too_long(field.key, known.bytes_max);
    beacon.*known.into = field.text;
    if (is_url) url_seen_ = true;
    return std::nullopt;
  }

  static std::optional<WireError> read_id(const JsonField& field, Beacon& beacon) {
    if (field.type == JsonType::null) return std::nullopt;
    if (field.type != JsonType::text) return wrong_type("id", "a string", field.type);
    if (!is_hit_id(field.text)) {
      return WireError{"bad_id", "\"id\" must have 16 to 64 bytes; a random UUID will do"};
    }
    beacon.id = field.text;
    return std::nullopt;
  }

  static std::optional<WireError> read_secret_hash(const JsonField& field, Beacon& beacon) {
    if (field.type == JsonType::null) return std::nullopt;
    if (field.type != JsonType::text) return wrong_type("secret_hash", "a string", field.type);
    beacon.secret_hash = parse_secret_hash(field.text);
    if (beacon.secret_hash) return std::nullopt;
    return WireError{"bad_secret_hash",
                     "\"secret_hash\" must be 16 bytes: 32 hex digits or 22 of base64url"};
  }

  // What only some hits have.
  std::optional<WireError> read_rare(const JsonField& field, Beacon& beacon) {
    if (field.key == "props") {
      if (field.type == JsonType::object || field.type == JsonType::null) return std::nullopt;
      return wrong_type("props", "an object", field.type);
    }
    const bool needs_token = field.key == "time" || field.key == "ip" || field.key == "user_agent";
    if (!needs_token || field.type == JsonType::null) return std::nullopt;
    if (trust_ != Trust::token) {
      return WireError{"token_needed",
                       quoted(field.key) + " is taken only from a caller with a hits token"};
    }
    if (field.key == "time") return read_time(field, beacon);
    if (field.type != JsonType::text) return wrong_type(field.key, "a string", field.type);
    if (field.key == "user_agent") {
      beacon.user_agent = field.text;
      return std::nullopt;
    }
    const auto address = IpAddress::parse(field.text);
    if (!address) return WireError{"bad_ip", "\"ip\" must be an IPv4 or IPv6 address"};
    beacon.address = *address;
    return std::nullopt;
  }

  static std::optional<WireError> read_time(const JsonField& field, Beacon& beacon) {
    constexpr std::int64_t kLatest = 253'402'300'799'999;  // The end of the year 9999.
    if (field.type == JsonType::text) {
      beacon.time = parse_time(field.text);
    } else if (field.integer && *field.integer >= 0 && *field.integer <= kLatest) {
      beacon.time = UnixTime{std::chrono::milliseconds{*field.integer}};
    }
    if (beacon.time) return std::nullopt;
    return WireError{
        "bad_time",
        "\"time\" must be milliseconds since 1970, or a date like 2026-11-22T17:00:00Z (RFC 3339)"};
  }

  std::optional<WireError> add_prop(const JsonField& field) {
    if (field.type == JsonType::null) return std::nullopt;
    if (field.type == JsonType::object || field.type == JsonType::array) {
      return WireError{"bad_props",
                       "a value of \"props\" must be a string, a number, true or false"};
    }
    if (++props_count_ > kPropsMax) {
      return WireError{"bad_props",
                       "\"props\" may have at most " + std::to_string(kPropsMax) + " pairs"};
    }
    if (field.key.size() > kPropKeyBytesMax) return too_long("a key of props", kPropKeyBytesMax);
    if (field.text.size() > kPropValueBytesMax)
      return too_long("a value of props", kPropValueBytesMax);
    ByteWriter out(props_);
    out.sized(as_bytes(field.key));
    out.sized(as_bytes(field.text));
    if (props_.size() > kPropsBytesMax) return too_long("props", kPropsBytesMax);
    return std::nullopt;
  }

  std::vector<Beacon>& beacons_;
  Dialect dialect_ = Dialect::record;
  Trust trust_ = Trust::visitor;
  bool url_seen_ = false;
  Buffer props_;
  std::size_t props_count_ = 0;
  HitArena texts_;
};

HitReader::HitReader()
    : json_(std::make_unique<JsonFields>()), listener_(std::make_unique<Listener>(beacons_)) {}
HitReader::~HitReader() = default;

std::optional<WireError> HitReader::read_record(std::string_view body) {
  listener_->begin(Listener::Dialect::record, Trust::visitor);
  return json_->read(body, JsonFields::Shape::object, *listener_);
}

std::optional<WireError> HitReader::read_hits(std::string_view body, Trust trust) {
  listener_->begin(Listener::Dialect::hits, trust);
  auto error = json_->read(body, JsonFields::Shape::object_or_array, *listener_);
  if (error) return error;
  if (json_->was_array() && trust != Trust::token) {
    return WireError{
        "token_needed",
        "an array of hits is taken only from a caller with a hits token; send one object"};
  }
  if (beacons_.empty()) return WireError{"empty_array", "send at least one hit"};
  return std::nullopt;
}

bool HitReader::was_array() const {
  return json_->was_array();
}

}  // namespace nando
