// The promises of docs/GUARANTEES.md that rest on the journal alone, on a simulated disk: D2 (power
// cut), D4 (failed sync), D6 (rot) and D7 (recovery survives itself). Each has a control that shows
// the check going red.
//
// NANDO_SEEDS and NANDO_MUTATIONS say how many; NANDO_SEED replays one.
#include <cstdlib>

#include "base/simulated_disk.h"
#include "journal/format.h"
#include "journal/test_store.h"

namespace nando {

namespace {

constexpr JournalOptions kTiny{
    .segment_bytes = 16 << 10, .segment_bytes_min = 8 << 10, .seal_level = 1};

std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

// One journal on one disk, and what its user was told.
class Store {
 public:
  Store(Directory& directory, std::uint64_t seed)
      : directory_(directory), entropy_(seed), chance_(seed ^ 0x5eed) {}

  // Reopens and holds what comes back against what was promised. Empty if all is well.
  std::string open() {
    journal_.reset();
    TestRecords seen;
    auto opened = Journal::open(directory_, kTiny, clock_, entropy_, Position{}, remember_in(seen));
    if (!opened) {
      refusal_ = opened.error().message;
      return opened.error().code == Code::corrupt ? "damaged: " + refusal_ : "";
    }
    auto promised = promised_;
    if (seen != promised) promised.insert(promised.end(), in_doubt_.begin(), in_doubt_.end());
    if (seen != promised) {
      return "replayed " + std::to_string(seen.size()) + " records, promised " +
             std::to_string(promised_.size()) + ", in doubt " + std::to_string(in_doubt_.size());
    }
    // What an open journal shows is promised from now on.
    promised_ = seen;
    in_doubt_.clear();
    journal_ = std::move(*opened);
    if (journal_->position().sequence.value != seen.size()) return "position and records differ";
    return "";
  }

  bool is_open() const { return journal_ != nullptr; }
  const std::string& refusal() const { return refusal_; }
  void close() { journal_.reset(); }
  Journal& journal() { return *journal_; }
  const TestRecords& promised() const { return promised_; }

  // Appends a few records. Empty if the journal kept to its word.
  std::string append(std::size_t records, std::size_t detail_bytes) {
    batch_.clear();
    clock_.advance(std::chrono::milliseconds{60});
    const auto now = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
    TestRecords added;
    for (std::size_t i = 0; i < records; ++i) {
      added.push_back(test_record(promised_.size() + i + 1, now, detail_bytes));
      add_to(batch_, added.back());
    }
    const bool failed = !journal_->failure().empty();
    const auto position = journal_->append(batch_);
    if (failed) return position ? "acknowledged after a failure" : "";
    if (position) {
      promised_.insert(promised_.end(), added.begin(), added.end());
      return position->sequence.value == promised_.size() ? "" : "a wrong sequence number";
    }
    if (position.error().code == Code::full) return "";
    if (position.error().code != Code::io || journal_->failure().empty()) return "no failure";
    in_doubt_ = added;
    return "";
  }
  std::string append_any() {
    const auto records = 1 + chance_.below(4);
    const auto size = chance_.below(8) == 0 ? chance_.below(3000) : chance_.below(60);
    return append(records, size);
  }

 private:
  Directory& directory_;
  SeededEntropy entropy_;
  SeededEntropy chance_;
  ManualClock clock_;
  BatchBuilder batch_;
  std::unique_ptr<Journal> journal_;
  TestRecords promised_;
  TestRecords in_doubt_;
  std::string refusal_;  // Of the last open() that failed.
};

// A few lives of a store, each ended by a power cut or a kill at some call. Empty if nothing
// promised was lost.
std::string live_and_die(std::uint64_t seed, SimulatedDisk::Lie lie) {
  SimulatedDisk disk(seed);
  disk.lie(lie);
  SeededEntropy chance(seed + 1);
  Store store(disk, seed);
  constexpr std::array kCodes{Code::io, Code::full};
  for (int life = 0; life < 4; ++life) {
    const auto at = disk.calls() + 1 + chance.below(120);
    if (chance.below(4) == 0) {
      disk.fail_call(at, kCodes[chance.below(2)]);
    } else {
      disk.stop_at_call(at);
    }
    if (chance.below(8) == 0) disk.set_capacity(chance.below(64) * 1024);
    auto wrong = store.open();
    for (auto steps = 4 + chance.below(16); wrong.empty() && store.is_open() && steps > 0;
         --steps) {
      wrong = store.append_any();
      if (chance.below(3) == 0) static_cast<void>(store.journal().keep());
    }
    store.close();
    disk.set_capacity(1 << 20);
    if (!wrong.empty()) return wrong;
    if (chance.below(4) == 0) {
      disk.kill();
    } else {
      disk.power_cut();
    }
  }
  auto wrong = store.open();
  if (wrong.empty() && !store.is_open()) wrong = "no start: " + store.refusal();
  if (!wrong.empty()) return wrong;
  TestRecords read;
  JournalReader reader(disk);
  const auto scanned =
      reader.scan(Sequence{0}, store.journal().position().sequence, remember_in(read));
  if (!scanned) return "the reader refuses: " + scanned.error().message;
  return read == store.promised() ? "" : "the reader differs";
}

// D2.
TEST(JournalPowerCut, NothingPromisedIsLostWhereverTheMachineStops) {
  const auto only = number_from("NANDO_SEED", 0);
  const auto count = only != 0 ? 1 : number_from("NANDO_SEEDS", 100'000);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto seed = only != 0 ? only : i + 1;
    const auto wrong = live_and_die(seed, SimulatedDisk::Lie::none);
    ASSERT_EQ(wrong, "") << "replay with NANDO_SEED=" << seed;
  }
}

TEST(JournalPowerCut, ControlADiskThatDoesNotSyncIsFoundOut) {
  for (const auto lie : {SimulatedDisk::Lie::file_sync, SimulatedDisk::Lie::name_sync}) {
    int losses = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) losses += !live_and_die(seed, lie).empty();
    EXPECT_GT(losses, 20);
  }
}

}  // namespace

}  // namespace nando
