#include "promotions/secrets.h"

#include <algorithm>

#include "drafts/codes.h"
#include "registry/fields.h"

namespace nando {

namespace {

constexpr std::string_view kKind = "promotion";
constexpr std::string_view kCodesKind = "promotion_codes";
constexpr std::size_t kCodesADocument = 500;
static_assert(kCodesADocument * (kCodeBytesMax + 1) + 1'024 < kDocumentBytesMax);

std::string codes_id(std::string_view name, std::size_t part) {
  return std::string(name) + "/" + std::to_string(part);
}

Error damaged(const std::string& id) {
  return {Code::corrupt, "the registry's secrets of promotion " + id + " are not whole"};
}

}  // namespace

// The promotion's own document is written last, and what has no such document was never put: parts
// that a crash left behind are overwritten.
Result<> Secrets::put(std::string_view name, const Key256& master,
                      const std::vector<std::string>& codes) {
  const std::lock_guard lock(putting_);
  const auto there = registry_.get(kKind, name);
  if (there) {
    return Error{Code::conflict,
                 "there is a promotion " + std::string(name) + " already, and its seed must stay"};
  }
  if (there.error().code != Code::not_found) return there.error();
  for (std::size_t at = 0; at < codes.size(); at += kCodesADocument) {
    std::string lines;
    for (auto i = at; i < std::min(at + kCodesADocument, codes.size()); ++i) {
      lines.append(codes[i]).append("\n");
    }
    const auto id = codes_id(name, at / kCodesADocument);
    const auto left = registry_.get(kCodesKind, id);
    if (!left && left.error().code != Code::not_found) return left.error();
    const auto written =
        registry_.put(kCodesKind, id, {{"codes", lines}}, left ? left->version : kNoVersion);
    if (!written) return written.error();
  }
  const auto written = registry_.put(
      kKind, name, {{"codes", std::to_string(codes.size())}, {"master", to_hex(master)}},
      kNoVersion);
  if (!written) return written.error();
  return {};
}

// Its codes, if it has some, are then parts that a crash left behind.
Result<> Secrets::drop(std::string_view name) {
  const std::lock_guard lock(putting_);
  const auto there = registry_.get(kKind, name);
  if (!there) return there.error().code == Code::not_found ? Result<>() : there.error();
  return registry_.remove(kKind, name, there->version);
}

Result<Document> Secrets::find(std::string_view name) const {
  auto document = registry_.get(kKind, name);
  if (!document && document.error().code == Code::not_found) {
    return Error{Code::not_found, "the registry has no secrets of promotion " + std::string(name)};
  }
  return document;
}

Result<Key256> Secrets::master(std::string_view name) const {
  const auto document = find(name);
  if (!document) return document.error();
  const auto bytes = from_hex(field(document->fields, "master"));
  Key256 master;
  if (!bytes || bytes->size() != master.size()) return damaged(std::string(name));
  std::ranges::copy(*bytes, master.begin());
  return master;
}

Result<std::string> Secrets::code(std::string_view name, std::size_t index) const {
  const auto document = find(name);
  if (!document) return document.error();
  const auto count = parse_number<std::size_t>(field(document->fields, "codes"));
  if (!count) return damaged(std::string(name));
  if (index >= *count) {
    return Error{Code::not_found, "promotion " + std::string(name) + " has no more codes"};
  }
  const auto id = codes_id(name, index / kCodesADocument);
  const auto part = registry_.get(kCodesKind, id);
  if (!part && part.error().code != Code::not_found) return part.error();
  const auto codes = parse_codes(part ? field(part->fields, "codes") : "", id);
  const auto at = index % kCodesADocument;
  if (!codes || at >= codes->size()) return damaged(id);
  return (*codes)[at];
}

}  // namespace nando
