#include "registry/document.h"

namespace nando {

namespace {

Hash128 first_half(const Hash256& hash) {
  Hash128 half;
  std::copy_n(hash.begin(), half.size(), half.begin());
  return half;
}

}  // namespace

Buffer encode_fields(const Fields& fields) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.varint(fields.size());
  for (const auto& [name, value] : fields) {
    out.sized(as_bytes(name));
    out.sized(as_bytes(value));
  }
  return bytes;
}

std::optional<Fields> decode_fields(Bytes bytes) {
  ByteReader in(bytes);
  Fields fields;
  const auto count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto name = as_text(in.sized());
    const auto value = as_text(in.sized());
    if (!fields.empty() && name <= std::prev(fields.end())->first) return std::nullopt;
    fields.emplace_hint(fields.end(), name, value);
  }
  if (!in.done() || !std::ranges::equal(bytes, encode_fields(fields))) return std::nullopt;
  return fields;
}

Hash128 document_digest(std::string_view kind, std::string_view id, Version version, Bytes body) {
  Buffer head;
  ByteWriter out(head);
  out.sized(as_bytes("document"));
  out.sized(as_bytes(kind));
  out.sized(as_bytes(id));
  out.fixed(version);
  const std::array<Bytes, 2> parts = {head, body};
  return first_half(blake2b(parts));
}

void Roster::toggle(const Hash128& digest) {
  for (std::size_t i = 0; i < fold.size(); ++i) fold[i] ^= digest[i];
}

Hash128 roster_digest(const Roster& roster) {
  Buffer bytes;
  ByteWriter out(bytes);
  out.sized(as_bytes("roster"));
  out.fixed(roster.count);
  out.raw(roster.fold);
  return first_half(blake2b(bytes));
}

}  // namespace nando
