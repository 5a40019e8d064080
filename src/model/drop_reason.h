// DropReason: why a beacon became no hit. A dropped beacon moves no count and leaves no record of
// its own.
#pragma once

#include "model/names.h"

namespace nando {

enum class DropReason : unsigned char {
  unknown_site,    // No registered site has that host.
  foreign_host,    // Origin or Referer is not of the site that the page URL names.
  rate_limited,    // The address prefix has spent its bucket for this site.
  excluded,        // A prefetch or prerender: nobody has seen the page yet.
  bad_url,         // The page URL is not an http or https URL with a host.
  url_too_long,    // The page URL is longer than kUrlBytesMax.
  site_not_saved,  // A site should have been made at its first hit, and the registry failed.
};

inline constexpr std::array<std::string_view, 7> kDropReasonNames = {
    "unknown_site", "foreign_host", "rate_limited",   "excluded",
    "bad_url",      "url_too_long", "site_not_saved",
};

constexpr std::string_view name_of(DropReason reason) {
  return enum_name(kDropReasonNames, reason);
}

}  // namespace nando
