// Strong ids: no two ids share a type, so a page id cannot be passed where a site id is wanted.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace nando {

template <class Tag, class Rep>
struct Id {
  using rep = Rep;
  Rep value = 0;

  constexpr auto operator<=>(const Id&) const = default;
  constexpr explicit operator bool() const { return value != 0; }  // 0 is no id.
};

}  // namespace nando

template <class Tag, class Rep>
struct std::hash<nando::Id<Tag, Rep>> {
  std::size_t operator()(const nando::Id<Tag, Rep>& id) const { return std::hash<Rep>{}(id.value); }
};
