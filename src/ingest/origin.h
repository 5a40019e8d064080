// Origin: whether the page that sent a beacon belongs to the site it wants counted, as far as its
// browser says. It stops other people's pages from counting; a program can send what it likes.
#pragma once

#include <string_view>

namespace nando {

// `belongs(text)` says whether a URL's host is one of the site's. Each header that is there must
// belong. "null" is the origin of a sandboxed frame or a file: it names nobody, so Referer must.
template <class Belongs>
bool origin_allows(std::string_view origin, std::string_view referer, Belongs belongs) {
  if (origin == "null") return !referer.empty() && belongs(referer);
  return (origin.empty() || belongs(origin)) && (referer.empty() || belongs(referer));
}

}  // namespace nando
