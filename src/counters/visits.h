// Visits: which visitors are in the middle of one. A visit ends kVisitGap after its last hit.
//
// Memory is bounded without a clock of its own: two generations, swapped every kVisitGap of
// committed time, so a visitor is forgotten between one and two gaps after the last hit. Past
// kOpenVisitsMax visitors at once, further ones are not remembered, and each of their hits is a
// visit of its own.
//
// Threads: one.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "model/ids.h"

namespace nando {

inline constexpr std::chrono::minutes kVisitGap{30};
inline constexpr std::size_t kOpenVisitsMax = 1'000'000;

class Visits {
 public:
  struct Open {
    VisitId visit;
    UnixTime last;
    bool operator==(const Open&) const = default;
  };

  // The visit `visitor` is in at `committed`; nothing if none is open.
  std::optional<VisitId> open(VisitorId visitor, UnixTime committed) const;

  // `visitor` was seen in `visit`. Returns what to pass to restore() to take this back.
  struct Undo {
    VisitorId visitor;
    std::optional<Open> before;
  };
  Undo touch(VisitorId visitor, VisitId visit, UnixTime committed);
  void restore(const Undo& undo);

  // Called once a batch, after its hits are durable. Requires: `committed` never falls.
  void advance(UnixTime committed);

  std::size_t size() const { return young_.size() + old_.size(); }

  // For snapshots: all there is, in the order of visitors.
  struct Row {
    VisitorId visitor;
    Open open;
    bool is_old;
    bool operator==(const Row&) const = default;
  };
  std::vector<Row> rows() const;
  UnixTime swapped() const { return swapped_; }
  void load(const std::vector<Row>& rows, UnixTime swapped);

 private:
  // Visitors are keyed hashes already; one multiplication spreads them for the map.
  struct Spread {
    std::size_t operator()(std::uint64_t visitor) const { return visitor * 0x9e3779b97f4a7c15; }
  };
  using Map = boost::unordered_flat_map<std::uint64_t, Open, Spread>;

  Map young_;
  Map old_;
  UnixTime swapped_{};
};

}  // namespace nando
