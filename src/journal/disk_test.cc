// The promises of docs/GUARANTEES.md that rest on the journal alone, on a simulated disk: D2 (power
// cut), D4 (failed sync), D6 (rot) and D7 (recovery survives itself). Each has a control that shows
// the check going red.
//
// NANDO_SEEDS and NANDO_MUTATIONS say how many; NANDO_SEED replays one.
#include <cstdlib>

#include "disk/simulated_disk.h"
#include "journal/format.h"
#include "journal/test_store.h"

namespace nando {

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

// A few lives of a store, each ended by a power cut or a kill at some call. Empty if nothing
// promised was lost.
std::string live_and_die(std::uint64_t seed, SimulatedDisk::Lie lie, Store::Seen& total) {
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
  const auto& seen = store.seen();
  total.cuts += seen.cuts;
  total.sealed += seen.sealed;
  total.full += seen.full;
  total.in_doubt_kept += seen.in_doubt_kept;
  total.several_segments += seen.several_segments;
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
  Store::Seen total;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto seed = only != 0 ? only : i + 1;
    const auto wrong = live_and_die(seed, SimulatedDisk::Lie::none, total);
    ASSERT_EQ(wrong, "") << "replay with NANDO_SEED=" << seed;
  }
  if (count < 1000) return;
  const auto often = static_cast<int>(count / 100);
  EXPECT_GT(total.cuts, often);
  EXPECT_GT(total.sealed, often);
  EXPECT_GT(total.full, often);
  EXPECT_GT(total.in_doubt_kept, often);
  EXPECT_GT(total.several_segments, often);
}

TEST(JournalPowerCut, ControlADiskThatDoesNotSyncIsFoundOut) {
  for (const auto lie : {SimulatedDisk::Lie::file_sync, SimulatedDisk::Lie::name_sync}) {
    int losses = 0;
    Store::Seen total;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      losses += !live_and_die(seed, lie, total).empty();
    }
    EXPECT_GT(losses, 20);
  }
}

// The k-th call of an append fails, in a process that lives on, is killed, comes back, and then the
// power goes. Empty if nothing promised was lost.
std::string fail_an_append(SimulatedDisk& disk, Directory& directory, std::uint64_t k, Code code) {
  Store store(directory, k);
  auto wrong = store.open();
  disk.fail_call(disk.calls() + k, code);
  for (int i = 0; i < 60 && wrong.empty(); ++i) wrong = store.append(2, 20);
  if (!wrong.empty()) return wrong;
  disk.kill();
  if (wrong = store.open(); !wrong.empty()) return wrong;
  if (!store.is_open()) return "no start: " + store.refusal();
  store.close();
  disk.power_cut();
  return store.open();
}

// D4.
TEST(JournalFailedSync, NothingIsAcknowledgedAfterItAndNothingAcknowledgedIsLost) {
  for (const auto code : {Code::io, Code::full, Code::denied}) {
    for (std::uint64_t k = 1; k <= 100; ++k) {
      SimulatedDisk disk(k);
      ASSERT_EQ(fail_an_append(disk, disk, k, code), "") << "call " << k;
    }
  }
}

TEST(JournalFailedSync, ControlAJournalThatForgivesIsFoundOut) {
  int losses = 0;
  for (std::uint64_t k = 1; k <= 100; ++k) {
    SimulatedDisk disk(k);
    ForgivingDirectory forgiving(disk);
    losses += !fail_an_append(disk, forgiving, k, Code::io).empty();
  }
  EXPECT_GT(losses, 2);
}

// Where the torn batch of worst_image() stands.
enum class Torn { behind_batches, first_of_its_segment };

// A store that its machine left in the worst state: a torn batch, a segment both live and sealed, a
// leftover, a spare.
SimulatedDisk::Image worst_image(Torn torn, TestRecords& promised) {
  SimulatedDisk disk(7);
  Store store(disk, 7);
  EXPECT_EQ(store.open(), "");
  const auto step = [&] {
    EXPECT_EQ(store.append(2, 900), "");
    EXPECT_TRUE(store.journal().keep().value());
  };
  step();  // Segment 1 is full, 2 is the spare.
  step();  // Segment 3 is the spare.
  const auto before = disk.image();
  EXPECT_TRUE(store.journal().keep().value());
  EXPECT_EQ(store.append(2, 900), "");
  auto image = disk.image();
  EXPECT_EQ(image.count("000000000001.sealed"), 1U);
  image["000000000001.live"] = before.at("000000000001.live");
  image["spare.tmp"] = Buffer(5000, std::byte{7});
  auto& last = image.at(torn == Torn::behind_batches ? "000000000002.live" : "000000000003.live");
  for (std::size_t i = last.size() - 4096; i < last.size(); i += 3) last[i] = std::byte{9};
  promised = store.promised();
  return image;
}

struct EndState {
  TestRecords records;
  Position position;
  SimulatedDisk::Image image;  // After one more power cut.
  bool operator==(const EndState&) const = default;
};

// Opens for good. Nothing if that failed.
std::optional<EndState> recover_for_good(const SimulatedDisk::Image& image, SimulatedDisk::Lie lie,
                                         std::uint64_t seed) {
  SimulatedDisk disk(seed, image);
  disk.lie(lie);
  ManualClock clock;
  SeededEntropy entropy(1);
  EndState state;
  auto opened = Journal::open(disk, kTiny, clock, entropy, Position{}, remember_in(state.records));
  if (!opened) return std::nullopt;
  state.position = (*opened)->position();
  disk.power_cut();
  state.image = disk.image();
  return state;
}

// Opens, stops at each call in turn, and does the same with what is left, `depth` levels deep.
// Returns how many end states differ from `right`; counts the runs.
int recover_with_faults(const SimulatedDisk::Image& image, int depth, SimulatedDisk::Lie lie,
                        const EndState& right, int& runs) {
  if (depth == 0) {
    ++runs;
    return recover_for_good(image, lie, static_cast<std::uint64_t>(runs)) == right ? 0 : 1;
  }
  int wrong = 0;
  for (std::uint64_t call = 1;; ++call) {
    SimulatedDisk disk(call * 31 + static_cast<std::uint64_t>(depth), image);
    disk.lie(lie);
    disk.stop_at_call(call);
    ManualClock clock;
    SeededEntropy entropy(1);
    TestRecords ignored;
    const auto opened =
        Journal::open(disk, kTiny, clock, entropy, Position{}, remember_in(ignored));
    if (opened) return wrong;
    if (disk.calls() < call) return wrong + 1;  // Not for the fault: it would never open.
    call % 3 == 0 ? disk.kill() : disk.power_cut();
    wrong += recover_with_faults(disk.image(), depth - 1, lie, right, runs);
  }
}

// D7.
TEST(JournalRecovery, EndsInTheSameStateWhateverStopsItThreeLevelsDeep) {
  for (const auto torn : {Torn::behind_batches, Torn::first_of_its_segment}) {
    TestRecords promised;
    const auto image = worst_image(torn, promised);
    const auto right = recover_for_good(image, SimulatedDisk::Lie::none, 1);
    ASSERT_TRUE(right);
    EXPECT_TRUE(right->records == promised);
    int runs = 0;
    EXPECT_EQ(recover_with_faults(image, 3, SimulatedDisk::Lie::none, *right, runs), 0);
    EXPECT_GT(runs, 10'000);
    RecordProperty("runs", runs);
  }
}

TEST(JournalRecovery, ControlARecoveryThatDoesNotSyncIsFoundOut) {
  TestRecords promised;
  const auto image = worst_image(Torn::behind_batches, promised);
  const auto right = recover_for_good(image, SimulatedDisk::Lie::none, 1);
  ASSERT_TRUE(right);
  for (const auto lie : {SimulatedDisk::Lie::file_sync, SimulatedDisk::Lie::name_sync}) {
    int runs = 0;
    EXPECT_GT(recover_with_faults(image, 1, lie, *right, runs), 0);
  }
}

// Nor when names are in memory only: a call of sealing fails, the process is killed, and the power
// goes at some call of the start after it.
TEST(JournalRecovery, AFaultWhileSealingAndAnotherInTheNextStartLoseNothing) {
  for (std::uint64_t fault = 1; fault <= 40; ++fault) {
    for (std::uint64_t cut = 1; cut <= 30; ++cut) {
      SimulatedDisk disk(fault * 100 + cut);
      Store store(disk, 1);
      ASSERT_EQ(store.open(), "");
      for (int i = 0; i < 3; ++i) ASSERT_EQ(store.append(1, 2000), "");
      ASSERT_TRUE(store.journal().keep());  // A spare; what follows seals.
      disk.fail_call(disk.calls() + fault, Code::io);
      static_cast<void>(store.journal().keep());
      store.close();
      disk.kill();
      disk.stop_at_call(disk.calls() + cut);
      ASSERT_EQ(store.open(), "") << fault << " " << cut;
      store.close();
      disk.power_cut();
      ASSERT_EQ(store.open(), "") << fault << " " << cut;
      ASSERT_TRUE(store.is_open()) << store.refusal();
    }
  }
}

// A store that was closed: segments sealed, full, in use and spare.
SimulatedDisk::Image closed_image(TestRecords& promised) {
  SimulatedDisk disk(11);
  Store store(disk, 11);
  EXPECT_EQ(store.open(), "");
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(store.append(2, 900), "");
    EXPECT_TRUE(store.journal().keep());
    EXPECT_TRUE(store.journal().keep());
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(store.append(2, 900 + 500 * i), "");
  promised = store.promised();
  return disk.image();
}

struct Mutation {
  enum class Kind { flip_bit, overwrite_byte, truncate, zero_block, swap_blocks };
  Kind kind = Kind::flip_bit;
  std::string file;
};

// Does one thing to one file, with any luck.
Mutation mutate(SimulatedDisk::Image& image, SeededEntropy& chance) {
  auto file = image.begin();
  std::advance(file, static_cast<std::ptrdiff_t>(chance.below(image.size())));
  auto& bytes = file->second;
  const auto kind = static_cast<Mutation::Kind>(chance.below(5));
  const auto at = chance.below(bytes.size());
  const std::size_t block_bytes = chance.below(2) == 0 ? 512 : 4096;
  const auto block = [&](std::uint64_t where) {
    const auto begin = where / block_bytes * block_bytes;
    return std::span(bytes).subspan(begin, std::min(block_bytes, bytes.size() - begin));
  };
  switch (kind) {
    case Mutation::Kind::flip_bit:
      bytes[at] ^= static_cast<std::byte>(1 << chance.below(8));
      break;
    case Mutation::Kind::overwrite_byte:
      bytes[at] = static_cast<std::byte>(chance.next());
      break;
    case Mutation::Kind::truncate:
      bytes.resize(at);
      break;
    case Mutation::Kind::zero_block:
      std::ranges::fill(block(at), std::byte{0});
      break;
    case Mutation::Kind::swap_blocks: {
      const auto one = block(at);
      const auto other = block(chance.below(bytes.size()));
      if (one.size() == other.size() && one.data() != other.data()) {
        std::swap_ranges(one.begin(), one.end(), other.begin());
      }
      break;
    }
  }
  return {kind, file->first};
}

enum class Outcome { same, last_batch_cut, last_batch_zeroed, refused, wrong };

bool names_a_place(const Error& error) {
  return error.code == Code::corrupt && error.message.find("disk/0000") != std::string::npos &&
         error.message.find(" at ") != std::string::npos;
}

Outcome compare(const TestRecords& got, const TestRecords& promised, bool cut_reported) {
  if (got == promised) return Outcome::same;
  const TestRecords without_last(promised.begin(), promised.end() - 2);
  if (got != without_last) return Outcome::wrong;
  return cut_reported ? Outcome::last_batch_cut : Outcome::last_batch_zeroed;
}

// What a start makes of the image, and what a reader beside no writer makes of it.
Outcome start(const SimulatedDisk::Image& image, const TestRecords& promised) {
  SimulatedDisk disk(1, image);
  ManualClock clock;
  SeededEntropy entropy(1);
  TestRecords got;
  const auto opened = Journal::open(disk, kTiny, clock, entropy, Position{}, remember_in(got));
  if (!opened) return names_a_place(opened.error()) ? Outcome::refused : Outcome::wrong;
  return compare(got, promised, (*opened)->recovery().bytes_cut > 0);
}
Outcome read_offline(const SimulatedDisk::Image& image, const TestRecords& promised) {
  SimulatedDisk disk(1, image);
  JournalReader reader(disk);
  TestRecords got;
  const auto end = reader.end();
  if (!end) return names_a_place(end.error()) ? Outcome::refused : Outcome::wrong;
  const auto scanned = reader.scan(Sequence{0}, end->sequence, remember_in(got));
  if (!scanned) return names_a_place(scanned.error()) ? Outcome::refused : Outcome::wrong;
  return compare(got, promised, true);
}

// D6.
TEST(JournalRot, NoSingleMutationIsServedAsRecords) {
  TestRecords promised;
  const auto image = closed_image(promised);
  const auto only = number_from("NANDO_SEED", 0);
  const auto count = only != 0 ? 1 : number_from("NANDO_MUTATIONS", 1'000'000);
  std::array<std::uint64_t, 5> outcomes{};
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto seed = only != 0 ? only : i + 1;
    SeededEntropy chance(seed);
    auto mutated = image;
    const auto mutation = mutate(mutated, chance);
    const auto outcome = seed % 4 == 0 ? read_offline(mutated, promised) : start(mutated, promised);
    ++outcomes[static_cast<std::size_t>(outcome)];
    ASSERT_NE(outcome, Outcome::wrong) << "replay with NANDO_SEED=" << seed << ": " << mutation.file
                                       << " mutated in way " << static_cast<int>(mutation.kind);
    // A last batch of one block that became zeros looks like one that was never written.
    if (outcome == Outcome::last_batch_zeroed) {
      ASSERT_EQ(mutation.kind, Mutation::Kind::zero_block) << "NANDO_SEED=" << seed;
    }
  }
  if (count < 1000) return;
  EXPECT_GT(outcomes[static_cast<std::size_t>(Outcome::same)], 0U);
  EXPECT_GT(outcomes[static_cast<std::size_t>(Outcome::last_batch_cut)], 0U);
  EXPECT_GT(outcomes[static_cast<std::size_t>(Outcome::refused)], count / 4);
}

// Changes a record of the batch at `offset` and makes good what `how` says.
enum class Forge { nothing, checksum, everything };
void forge(Buffer& segment, std::size_t offset, Forge how) {
  const auto seed = decode_segment_header(segment)->keys.seed;
  auto header = *decode_batch_header(Bytes(segment).subspan(offset), seed);
  const auto parts = std::span(segment).subspan(offset + kBatchHeaderBytes);
  parts[5] ^= std::byte{1};
  const auto count_part = Bytes(parts).first(header.count_bytes);
  const auto detail_part = Bytes(parts).subspan(header.count_bytes, header.detail_bytes);
  if (how == Forge::nothing) return;
  if (how == Forge::everything) {
    header.count_hash = blake2b(count_part);
    header.after = next_head(header.before, header.first, header.records, header.committed,
                             header.mac_key, header.count_hash, header.detail_hash);
  }
  BatchHeaderBytes bytes;
  encode(header, count_part, detail_part, seed, bytes);
  std::copy(bytes.begin(), bytes.end(), segment.begin() + static_cast<std::ptrdiff_t>(offset));
}

TEST(JournalRot, ControlABatchForgedWithAllItsHashesIsFoundOutOnlyByTheTest) {
  TestRecords promised;
  const auto image = closed_image(promised);
  const auto outcome = [&](Forge how) {
    auto mutated = image;
    auto name = mutated.rbegin();
    while (all_zero(name->second)) ++name;
    forge(name->second, name->second.size() - kBlockBytes, how);
    return start(mutated, promised);
  };
  EXPECT_EQ(outcome(Forge::nothing), Outcome::last_batch_cut);
  EXPECT_EQ(outcome(Forge::checksum), Outcome::refused);  // The chain notices.
  EXPECT_EQ(outcome(Forge::everything), Outcome::wrong);
}

}  // namespace

}  // namespace nando
