// A promotion's file: its rules as an operator writes them, in TOML. Key by key:
// docs/reference/promotion_file.md.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/promotion.h"
#include "model/site.h"

namespace nando {

inline constexpr std::size_t kPromotionFileBytesMax = 1 << 20;

// By host or alias, or the error to tell the operator.
using FindSite = std::function<Result<Site>(std::string_view host)>;

struct PromotionSource {
  std::string path;  // For messages, and for what is named relative to it.
  std::string text;
  UnixTime now{};  // When it opens if it does not say.
  FindSite find_site;
  // The whole of another file.
  std::function<Result<std::string>(const std::string& path)> read_file;
};

struct PromotionDraft {
  SiteId site;
  Promotion rules;  // Pass check_rules(), but that an instant draw still lacks its commitment.
  std::vector<std::string> codes;  // Of a prize that is a code.
};

// Code::invalid, a line for everything that is wrong: "launch.toml:7:3: there is no key
// 'win.winer'; did you mean win.winners?". Local times are the site's.
Result<PromotionDraft> parse_promotion(const PromotionSource& source);

// The same of the file at `path`. Code::not_found or Code::io if it cannot be read.
Result<PromotionDraft> load_promotion(const std::string& path, UnixTime now, FindSite find_site);

}  // namespace nando
