// page_url: the one spelling of a page's URL, so that one page has one count. As a table with
// examples, and the rules in words: docs/reference/pages.md, which a test keeps true.
//
// The spelling has no scheme: http and https are one page. "blog.example.com/a?x=1"
//
// Promise
//   - Spelling what was spelled (with https:// in front) changes nothing.
//   - No value of a parameter with a secret name is in it (ingest/tables/query_names.h): not in the
//     query, not in a URL inside a query value, not in a path parameter (";jsessionid=").
//   - It is ASCII.
#pragma once

#include <string>
#include <string_view>

#include "base/hash.h"
#include "ingest/url.h"
#include "model/ids.h"
#include "model/site.h"

namespace nando {

// Whether a page can be there: http or https.
bool is_web(const UrlParts& url);

// The host that counts for a page of `site`: without "www." if the rest is a host of the site too.
std::string_view page_host(const SiteTable& table, const Site& site, std::string_view host);

// Writes the spelling into `into`. `host` is page_host()'s. It may be longer than the URL was: what
// must be escaped triples.
void spell_page(const UrlParts& url, std::string_view host, const Site& site, std::string& into);

// Requires: spelled.size() <= kUrlBytesMax.
PageKey page_key(const Key128& key, SiteId site, std::string_view spelled);

// A referrer as it may be kept, into `into`: scheme, host, port and path; no user, password, query
// or fragment. Only the host, where the whole would be longer than kReferrerBytesMax; empty if it
// is no http, https or android-app URL.
void spell_referrer(UrlReader& reader, std::string_view referrer, std::string& into);

}  // namespace nando
