#include "records/records.h"

#include <algorithm>

#include "base/assert.h"
#include "records/codec.h"

namespace nando {

namespace {

using codec::add_small;
using codec::check;
using codec::damaged;
using codec::kVersion;
using codec::no_detail;

// Flags of a hit's count part.
constexpr unsigned kHasFingerprint = 1;
constexpr unsigned kIsEntry = 2;
constexpr unsigned kHasVisit = 4;
constexpr unsigned kHasTime = 8;
constexpr unsigned kHasDraw = 16;

// Flags of a page's count part, and of a void span's.
constexpr unsigned kIsOther = 1;
constexpr unsigned kIsAgain = 2;
constexpr unsigned kIsUndone = 1;

constexpr std::array kRemovalKinds = {RecordKind::site_removed, RecordKind::page_removed,
                                      RecordKind::expired};

// Tags of detail fields, each followed by a varint length and that many bytes. A reader passes over
// tags it does not know, so a field can be added without a new version.
enum class Tag : std::uint8_t {
  visitor = 1,
  id = 2,
  secret_hash = 3,
  at = 4,  // Of stores made before the time moved to the count part.
  referrer = 5,
  title = 6,
  name = 7,
  props = 8,
  screen = 9,
  language = 10,
  host = 11,
  url = 12,
};

// A hit's parts are built on the stack: no allocation on its path. The sum of what can be in them.
constexpr std::size_t kCountBytesMax = 80;
constexpr std::size_t kTagBytesMax = 1 + kVarintBytesMax;
constexpr std::size_t kDetailBytesMax = sizeof(VisitorId) + kHitIdBytesMax + sizeof(SecretHash) +
                                        sizeof(UnixTime) + kReferrerBytesMax + kTitleBytesMax +
                                        kEventNameBytesMax + kPropsBytesMax + kScreenBytesMax +
                                        kLanguageBytesMax + 10 * kTagBytesMax;
static_assert(kCountBytesMax + kDetailBytesMax <= kRecordBytesMax);

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// A hit's day is its batch's but for the zone, and for what a clock that stepped makes of it: any
// year up to 9999 is within this.
constexpr std::int64_t kDayOffsetMax = 4'000'000;

// Modulo 2^64: whatever was read is written as it was.
std::int64_t milliseconds_after(UnixTime from, UnixTime at) {
  const auto count = [](UnixTime time) {
    return static_cast<std::uint64_t>(time.time_since_epoch().count());
  };
  return static_cast<std::int64_t>(count(at) - count(from));
}

std::int64_t utc_day(UnixTime at) {
  return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}

std::byte* put_field(std::byte* to, Tag tag, Bytes value) {
  if (value.empty()) return to;
  *to++ = static_cast<std::byte>(tag);
  to = put_varint(to, value.size());
  std::memcpy(to, value.data(), value.size());
  return to + value.size();
}
std::byte* put_field(std::byte* to, Tag tag, std::string_view text) {
  return put_field(to, tag, as_bytes(text));
}
template <class T>
std::byte* put_fixed(std::byte* to, Tag tag, T value) {
  std::byte bytes[sizeof value];
  store(bytes, value);
  return put_field(to, tag, Bytes(bytes));
}

auto text_field(Tag tag, std::string_view text) {
  return [=](Buffer& out) {
    if (text.empty()) return;
    out.push_back(static_cast<std::byte>(tag));
    ByteWriter(out).sized(as_bytes(text));
  };
}
template <class Field>
bool each_field(Bytes detail, Field field) {
  ByteReader reader(detail);
  while (!reader.rest().empty()) {
    const auto tag = reader.fixed<std::uint8_t>();
    const auto value = reader.sized();
    if (!reader.ok()) return false;
    field(static_cast<Tag>(tag), value);
  }
  return true;
}

std::string_view text_of(Bytes detail, Tag wanted, bool& ok) {
  std::string_view text;
  ok = each_field(detail, [&](Tag tag, Bytes value) {
    if (tag == wanted) text = as_text(value);
  });
  return text;
}

bool read_hit_details(Bytes detail, HitRecord& hit) {
  bool widths_right = true;
  const auto fixed = [&]<class T>(Bytes value, T& into) {
    if (value.size() == sizeof(T)) {
      into = load<T>(value.data());
    } else {
      widths_right = false;
    }
  };
  const bool whole = each_field(detail, [&](Tag tag, Bytes value) {
    switch (tag) {
      case Tag::visitor:
        fixed(value, hit.visitor.value);
        break;
      case Tag::id:
        hit.id = as_text(value);
        break;
      case Tag::secret_hash:
        fixed(value, hit.secret_hash.emplace());
        break;
      case Tag::at:
        fixed(value, hit.at.emplace());
        break;
      case Tag::referrer:
        hit.referrer = as_text(value);
        break;
      case Tag::title:
        hit.title = as_text(value);
        break;
      case Tag::name:
        hit.name = as_text(value);
        break;
      case Tag::props:
        hit.props = as_text(value);
        break;
      case Tag::screen:
        hit.screen = as_text(value);
        break;
      case Tag::language:
        hit.language = as_text(value);
        break;
      default:
        break;
    }
  });
  return whole && widths_right;
}

}  // namespace

std::string_view name_of(RecordKind kind) {
  static constexpr std::array<std::string_view, 21> kNames = {
      "unknown",         "epoch",       "site",          "page",
      "page_view",       "event",       "base",          "probe",
      "engagement",      "performance", "imported_line", "imported_total",
      "import_progress", "refusals",    "entry",         "claim",
      "promotion",       "void",        "site_removed",  "page_removed",
      "expired"};
  const auto number = static_cast<std::size_t>(kind);
  return kNames[number < kNames.size() ? number : 0];
}

RecordKind kind_of(Removal removal) {
  return kRemovalKinds.at(static_cast<std::size_t>(removal));
}

HitRecord without_details(const HitRecord& hit) {
  return {.kind = hit.kind,
          .door = hit.door,
          .agent = hit.agent,
          .site = hit.site,
          .page = hit.page,
          .page_ordinal = hit.page_ordinal,
          .site_ordinal = hit.site_ordinal,
          .fingerprint = hit.fingerprint,
          .is_entry = hit.is_entry,
          .has_draw_entry = hit.has_draw_entry,
          .visit = hit.visit,
          .day = hit.day,
          .at = hit.at};
}

void add_record(BatchBuilder& batch, const EpochRecord& record) {
  add_small(
      batch, RecordKind::epoch, [&](ByteWriter& out) { out.fixed(record.began); }, no_detail);
}

void add_record(BatchBuilder& batch, const SiteRecord& record) {
  add_small(
      batch, RecordKind::site, [&](ByteWriter& out) { out.varint(record.site.value); },
      text_field(Tag::host, record.host));
}

void add_record(BatchBuilder& batch, const PageRecord& record) {
  add_small(
      batch, RecordKind::page,
      [&](ByteWriter& out) {
        out.fixed(static_cast<std::uint8_t>((record.is_other ? kIsOther : 0) |
                                            (record.is_again ? kIsAgain : 0)));
        out.varint(record.page.value);
        out.varint(record.site.value);
        out.raw(record.key);
      },
      text_field(Tag::url, record.url));
}

void add_record(BatchBuilder& batch, const HitRecord& hit, const RecordContext& context) {
  std::array<std::byte, kCountBytesMax> count;
  auto* to = count.data();
  *to++ = static_cast<std::byte>((hit.fingerprint ? kHasFingerprint : 0) |
                                 (hit.is_entry ? kIsEntry : 0) | (hit.visit ? kHasVisit : 0) |
                                 (hit.at ? kHasTime : 0) | (hit.has_draw_entry ? kHasDraw : 0));
  *to++ = static_cast<std::byte>(static_cast<unsigned>(hit.door) | static_cast<unsigned>(hit.agent)
                                                                       << 4);
  to = put_varint(to, hit.site.value);
  to = put_varint(to, hit.page.value);
  to = put_varint(to, hit.page_ordinal);
  to = put_varint(to, hit.site_ordinal);
  to = put_varint(to, zigzag(hit.day.since_epoch - utc_day(context.committed)));
  if (hit.visit && !hit.is_entry) to = put_varint(to, context.sequence.value - hit.visit.value);
  if (hit.at) to = put_varint(to, zigzag(milliseconds_after(context.committed, *hit.at)));
  if (hit.fingerprint) {
    store(to, *hit.fingerprint);
    to += sizeof *hit.fingerprint;
  }

  std::array<std::byte, kDetailBytesMax> detail;
  auto* end = detail.data();
  if (hit.visitor) end = put_fixed(end, Tag::visitor, hit.visitor.value);
  end = put_field(end, Tag::id, hit.id);
  if (hit.secret_hash) end = put_field(end, Tag::secret_hash, Bytes(*hit.secret_hash));
  end = put_field(end, Tag::referrer, hit.referrer);
  end = put_field(end, Tag::title, hit.title);
  end = put_field(end, Tag::name, hit.name);
  end = put_field(end, Tag::props, hit.props);
  end = put_field(end, Tag::screen, hit.screen);
  end = put_field(end, Tag::language, hit.language);

  const auto kind = hit.kind == HitKind::page_view ? RecordKind::page_view : RecordKind::event;
  batch.add(static_cast<std::uint8_t>(kind), kVersion, Bytes(count.data(), to),
            Bytes(detail.data(), end));
}

void add_record(BatchBuilder& batch, const BaseRecord& record) {
  add_small(
      batch, RecordKind::base,
      [&](ByteWriter& out) {
        out.varint(record.site.value);
        out.varint(record.page.value);
        out.varint(record.base);
      },
      no_detail);
}

void add_record(BatchBuilder& batch, const RemovalRecord& record) {
  add_small(
      batch, kind_of(record.what),
      [&](ByteWriter& out) {
        out.varint(record.site.value);
        out.varint(record.page.value);
        out.varint(record.after.value);
        out.varint(record.up_to.value);
      },
      no_detail);
}

void add_record(BatchBuilder& batch, const VoidRecord& record) {
  add_small(
      batch, RecordKind::void_span,
      [&](ByteWriter& out) {
        out.fixed(static_cast<std::uint8_t>(record.is_undone ? kIsUndone : 0));
        out.varint(record.site.value);
        out.varint(record.page.value);
        out.varint(record.up_to.value);
        out.fixed(record.from);
        out.fixed(record.to);
      },
      no_detail);
}

void add_probe(BatchBuilder& batch) {
  batch.add(static_cast<std::uint8_t>(RecordKind::probe), kVersion, {}, {});
}

Result<EpochRecord> decode_epoch(const RecordView& record) {
  if (auto checked = check(record, RecordKind::epoch); !checked) return checked.error();
  ByteReader reader(record.count);
  const EpochRecord out{reader.fixed<UnixTime>()};
  if (!reader.done()) return damaged(RecordKind::epoch);
  return out;
}

Result<SiteRecord> decode_site(const RecordView& record) {
  if (auto checked = check(record, RecordKind::site); !checked) return checked.error();
  ByteReader reader(record.count);
  SiteRecord out;
  out.site.value = static_cast<std::uint32_t>(reader.varint());
  bool ok = true;
  out.host = text_of(record.detail, Tag::host, ok);
  if (!ok || !reader.done()) return damaged(RecordKind::site);
  return out;
}

Result<PageRecord> decode_page(const RecordView& record) {
  if (auto checked = check(record, RecordKind::page); !checked) return checked.error();
  ByteReader reader(record.count);
  PageRecord out;
  const auto flags = reader.fixed<std::uint8_t>();
  out.is_other = (flags & kIsOther) != 0;
  out.is_again = (flags & kIsAgain) != 0;
  out.page.value = static_cast<std::uint32_t>(reader.varint());
  out.site.value = static_cast<std::uint32_t>(reader.varint());
  out.key = reader.fixed<PageKey>();
  bool ok = true;
  out.url = text_of(record.detail, Tag::url, ok);
  if (!ok || !reader.done()) return damaged(RecordKind::page);
  return out;
}

Result<HitRecord> decode_hit(const RecordView& record, const RecordContext& context) {
  const auto kind = static_cast<RecordKind>(record.kind) == RecordKind::event
                        ? RecordKind::event
                        : RecordKind::page_view;
  if (auto checked = check(record, kind); !checked) return checked.error();
  ByteReader reader(record.count);
  HitRecord hit;
  hit.kind = kind == RecordKind::event ? HitKind::event : HitKind::page_view;
  const auto flags = reader.fixed<std::uint8_t>();
  const auto door_and_agent = reader.fixed<std::uint8_t>();
  hit.door = static_cast<Door>(door_and_agent & 15);
  hit.agent = static_cast<AgentClass>(door_and_agent >> 4);
  hit.site.value = static_cast<std::uint32_t>(reader.varint());
  hit.page.value = static_cast<std::uint32_t>(reader.varint());
  hit.page_ordinal = reader.varint();
  hit.site_ordinal = reader.varint();
  const auto day_offset = unzigzag(reader.varint());
  const bool day_known = day_offset >= -kDayOffsetMax && day_offset <= kDayOffsetMax;
  if (day_known) {
    hit.day.since_epoch = static_cast<std::int32_t>(day_offset + utc_day(context.committed));
  }
  hit.is_entry = (flags & kIsEntry) != 0;
  hit.has_draw_entry = (flags & kHasDraw) != 0;
  if ((flags & kHasVisit) != 0) {
    hit.visit.value = context.sequence.value - (hit.is_entry ? 0 : reader.varint());
  }
  if ((flags & kHasTime) != 0) {
    const auto since = static_cast<std::uint64_t>(context.committed.time_since_epoch().count());
    const auto at = since + static_cast<std::uint64_t>(unzigzag(reader.varint()));
    hit.at = UnixTime{std::chrono::milliseconds{static_cast<std::int64_t>(at)}};
  }
  if ((flags & kHasFingerprint) != 0) hit.fingerprint = reader.fixed<std::uint64_t>();
  const bool known = day_known && static_cast<std::size_t>(hit.door) < kDoorNames.size() &&
                     static_cast<std::size_t>(hit.agent) < kAgentClassNames.size();
  if (!reader.done() || !known || !read_hit_details(record.detail, hit)) return damaged(kind);
  return hit;
}

Result<BaseRecord> decode_base(const RecordView& record) {
  if (auto checked = check(record, RecordKind::base); !checked) return checked.error();
  ByteReader reader(record.count);
  BaseRecord out;
  out.site.value = static_cast<std::uint32_t>(reader.varint());
  out.page.value = static_cast<std::uint32_t>(reader.varint());
  out.base = reader.varint();
  if (!reader.done()) return damaged(RecordKind::base);
  return out;
}

Result<RemovalRecord> decode_removal(const RecordView& record) {
  RemovalRecord out;
  const auto* const kind = std::ranges::find(kRemovalKinds, static_cast<RecordKind>(record.kind));
  const auto named = kind == kRemovalKinds.end() ? kRemovalKinds.front() : *kind;
  if (auto checked = check(record, named); !checked) return checked.error();
  out.what = static_cast<Removal>(kind - kRemovalKinds.begin());
  ByteReader reader(record.count);
  out.site.value = static_cast<std::uint32_t>(reader.varint());
  out.page.value = static_cast<std::uint32_t>(reader.varint());
  out.after.value = reader.varint();
  out.up_to.value = reader.varint();
  if (!reader.done()) return damaged(named);
  return out;
}

Result<VoidRecord> decode_void(const RecordView& record) {
  if (auto checked = check(record, RecordKind::void_span); !checked) return checked.error();
  ByteReader reader(record.count);
  VoidRecord out;
  out.is_undone = (reader.fixed<std::uint8_t>() & kIsUndone) != 0;
  out.site.value = static_cast<std::uint32_t>(reader.varint());
  out.page.value = static_cast<std::uint32_t>(reader.varint());
  out.up_to.value = reader.varint();
  out.from = reader.fixed<UnixTime>();
  out.to = reader.fixed<UnixTime>();
  if (!reader.done()) return damaged(RecordKind::void_span);
  return out;
}

Hash128 digest_of(const Key128& hash_key, SiteId site, std::string_view id) {
  ASSERT(id.size() <= kHitIdBytesMax);
  std::array<std::byte, sizeof site.value + kHitIdBytesMax> bytes;
  store(bytes.data(), site.value);
  std::memcpy(bytes.data() + sizeof site.value, id.data(), id.size());
  return siphash128(hash_key, Bytes(bytes).first(sizeof site.value + id.size()));
}

PageKey other_page_key(const Key128& hash_key, SiteId site) {
  // Page keys hash a spelled URL, which always holds a slash; this text holds none.
  return digest_of(hash_key, site, kOtherPageUrl);
}

}  // namespace nando
