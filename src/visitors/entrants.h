// Entrants: who enters a promotion, without who they are: keyed hashes of the client's address, of
// the networks around it, and of the agent. The limits of a promotion rest on them.
//
// Not the pseudonym of charts: that one changes with the site's local day, and so with a clock that
// is stepped. The key here is changed every kEntrantKeyAge of time that no step moves, and lives in
// the run directory for a restart to find. So a limit is one of a window and a day: whoever comes
// back after a new key was made is a new entrant.
//
// Bytes: docs/formats/entrants.md. Threads: any for EntrantKey; an Entrants belongs to one.
#pragma once

#include <memory>
#include <mutex>
#include <string_view>

#include "base/address.h"
#include "base/clock.h"
#include "base/entropy.h"
#include "disk/file.h"
#include "model/promotion.h"
#include "visitors/salts.h"

namespace nando {

inline constexpr std::chrono::hours kEntrantKeyAge{24};
inline constexpr std::string_view kEntrantKeyFile = "entrants";

class EntrantKey {
 public:
  // Reads what an earlier process left in `directory` (null: there is none), unless that is too
  // old, or of before a reboot. `entropy` and `clock` outlive this.
  EntrantKey(std::unique_ptr<Directory> directory, Entropy& entropy, const Clock& clock);
  ~EntrantKey();

  std::shared_ptr<const Salt> current() const;

  // Makes a new one when it is due, and writes what could not be written; to be called once a
  // minute.
  void tick();

 private:
  bool load();
  void renew();
  void write();

  std::unique_ptr<Directory> directory_;
  Entropy& entropy_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<Salt> key_;
  std::chrono::nanoseconds made_{};
  UnixTime made_by_wall_{};
  bool is_written_ = true;
};

// Who this is to `promotion`; never a key that is 0, but for the networks of another family.
Entrant entrant_of(const Key128& key, PromotionId promotion, const IpAddress& client,
                   std::string_view agent);

class Entrants {
 public:
  explicit Entrants(const EntrantKey& key) : key_(key) {}

  Entrant of(PromotionId promotion, const IpAddress& client, std::string_view agent);

 private:
  const EntrantKey& key_;
  std::shared_ptr<const Salt> held_;
};

}  // namespace nando
