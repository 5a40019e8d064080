#include "counters/visits.h"

#include <algorithm>

namespace nando {

std::optional<VisitId> Visits::open(VisitorId visitor, UnixTime committed) const {
  for (const auto* map : {&young_, &old_}) {
    const auto found = map->find(visitor.value);
    if (found == map->end()) continue;
    if (committed - found->second.last > kVisitGap) return std::nullopt;
    return found->second.visit;
  }
  return std::nullopt;
}

Visits::Undo Visits::touch(VisitorId visitor, VisitId visit, UnixTime committed) {
  Undo undo{visitor, std::nullopt};
  if (const auto found = young_.find(visitor.value); found != young_.end()) {
    undo.before = found->second;
    found->second = {visit, committed};
  } else if (size() < kOpenVisitsMax) {
    young_.emplace(visitor.value, Open{visit, committed});
  }
  return undo;
}

void Visits::restore(const Undo& undo) {
  if (undo.before) {
    young_[undo.visitor.value] = *undo.before;
  } else {
    young_.erase(undo.visitor.value);
  }
}

void Visits::advance(UnixTime committed) {
  if (committed - swapped_ <= kVisitGap) return;
  // Nobody in young_ was seen later than a gap after the last swap.
  old_ = committed - swapped_ > 2 * kVisitGap ? Map() : std::move(young_);
  young_ = Map();
  swapped_ = committed;
}

std::vector<Visits::Row> Visits::rows() const {
  std::vector<Row> rows;
  rows.reserve(size());
  for (const auto& [visitor, open] : young_) rows.push_back({VisitorId{visitor}, open, false});
  for (const auto& [visitor, open] : old_) rows.push_back({VisitorId{visitor}, open, true});
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(a.visitor, a.is_old) < std::pair(b.visitor, b.is_old);
  });
  return rows;
}

void Visits::load(const std::vector<Row>& rows, UnixTime swapped) {
  for (const auto& row : rows) (row.is_old ? old_ : young_).emplace(row.visitor.value, row.open);
  swapped_ = swapped;
}

}  // namespace nando
