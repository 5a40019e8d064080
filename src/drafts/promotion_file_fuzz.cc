// Any bytes as a promotion's file and as its codes: refused with a reason, or rules that pass.
#include "base/assert.h"
#include "drafts/codes.h"
#include "drafts/promotion_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nando;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto find_site = [](std::string_view host) -> Result<Site> {
    Site site;
    site.id = {1};
    site.host = host;
    return site;
  };
  const auto read_file = [&](const std::string&) -> Result<std::string> { return text; };
  auto draft = parse_promotion({"f.toml", text, UnixTime{}, find_site, read_file});
  if (!draft) {
    ASSERT(!draft.error().message.empty());
  } else {
    if (draft->rules.rule == WinRule::instant) draft->rules.commitment.fill(std::byte{1});
    ASSERT(parse_rules(rules_text(draft->rules)).value() == draft->rules);
  }
  if (const auto codes = parse_codes(text, "codes.txt")) {
    ASSERT(!codes->empty() && codes->size() <= kCodesMax);
  }
  return 0;
}
