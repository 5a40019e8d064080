// SimulatedDisk: a directory in memory that keeps the durability contract of disk/file.h to the
// letter and no further, for tests that crash at every call.
//
// It holds two states: what programs see, and what is on the platter. sync() carries the first over
// to the second. A power cut keeps any part of what was not carried over: any sector of 512 bytes
// of any write, a new size without its content, any subset of names made, moved or removed.
// Everything is chosen from the seed, so a failing seed replays.
//
// After a failed sync() of a file what programs see looks clean and may not be on the platter, as
// with Linux (fsyncgate); names whose sync failed stay pending, as in a metadata journal.
//
// Threads: any, under one lock. Files must not outlive the disk.
#pragma once

#include <map>
#include <mutex>

#include "base/entropy.h"
#include "disk/file.h"

namespace nando {

class SimulatedDisk final : public Directory {
 public:
  using Image = std::map<std::string, Buffer>;

  // `image` is durable from the start.
  explicit SimulatedDisk(std::uint64_t seed, const Image& image = {});

  Result<std::unique_ptr<File>> open(std::string_view name, OpenMode mode) override;
  Result<> rename(std::string_view from, std::string_view to) override;
  Result<> remove(std::string_view name) override;
  Result<> sync() override;
  Result<std::vector<std::string>> list() override;
  Result<std::uint64_t> free_bytes() override;
  std::string path() const override { return "disk"; }

  // The machine loses power and comes back. Open files are dead.
  void power_cut();
  // The process dies and the machine goes on. Open files are dead.
  void kill();

  // Every call of Directory and File counts, path() apart, from 1. The call number `call` fails
  // with `code`, once; a write or a sync that fails may have done a part of its work.
  void fail_call(std::uint64_t call, Code code);
  // Calls from number `call` on fail, until power_cut() or kill().
  void stop_at_call(std::uint64_t call);
  std::uint64_t calls() const;

  // Code::full past this many bytes over all files.
  void set_capacity(std::uint64_t bytes);

  // A disk that breaks its promise, to show that a test would notice.
  enum class Lie { none, file_sync, name_sync };
  void lie(Lie lie);

  // What programs see, in a copy.
  Image image() const;

 private:
  class OpenFile;
  struct Change {
    std::uint64_t offset = 0;
    Buffer bytes;            // Written at `offset`, or, when there are none,
    std::uint64_t size = 0;  // a new size of the file.
  };
  struct Inode {
    Buffer seen;
    Buffer durable;
    std::vector<Change> pending;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>, std::less<>>;
  // The inode gets the name `to` and loses `from`; either may be empty.
  struct NameChange {
    std::string from;
    std::string to;
    std::shared_ptr<Inode> inode;
  };
  // How much of what is pending survives.
  enum class Survival { nothing, everything, some, first_ones };

  Result<> step(const char* doing, std::string_view name);
  static void resize(Inode& inode, std::uint64_t bytes);
  static void write(Inode& inode, std::uint64_t offset, Bytes bytes);
  void write_part(Inode& inode, std::uint64_t offset, Bytes bytes);
  void survive(Inode& inode);
  static void apply(Inode& inode, const Change& change);
  static void apply(Names& names, const NameChange& change);
  std::uint64_t used() const;
  Survival draw_survival();
  bool keeps(Survival survival, std::size_t index, std::size_t first_ones);

  mutable std::mutex lock_;
  SeededEntropy chance_;
  Names names_;
  Names durable_names_;
  std::vector<NameChange> pending_names_;
  std::uint64_t life_ = 0;  // Files opened in another one are dead.
  std::uint64_t calls_ = 0;
  std::uint64_t fail_at_ = 0;
  Code fail_code_ = Code::io;
  std::uint64_t stop_at_ = 0;
  std::uint64_t capacity_ = ~std::uint64_t{0};
  Lie lie_ = Lie::none;
};

}  // namespace nando
