#include "disk/simulated_disk.h"

#include <algorithm>

#include "base/assert.h"

namespace nando {

namespace {

constexpr std::uint64_t kSectorBytes = 512;

}  // namespace

class SimulatedDisk::OpenFile final : public File {
 public:
  OpenFile(SimulatedDisk& disk, std::shared_ptr<Inode> inode, std::string name, OpenMode mode)
      : disk_(disk),
        inode_(std::move(inode)),
        name_(std::move(name)),
        mode_(mode),
        life_(disk.life_) {}

  Result<> write_at(std::uint64_t offset, std::span<const Bytes> parts) override {
    const std::lock_guard guard(disk_.lock_);
    ASSERT(mode_ != OpenMode::read);
    Buffer bytes;
    for (const auto part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
    const auto grown = std::max<std::uint64_t>(offset + bytes.size(), inode_->seen.size());
    if (auto alive = begin("write to"); !alive) {
      if (life_ == disk_.life_) disk_.write_part(*inode_, offset, bytes);
      return alive;
    }
    if (disk_.used() - inode_->seen.size() + grown > disk_.capacity_) return full();
    disk_.write(*inode_, offset, bytes);
    return {};
  }

  Result<> sync() override {
    const std::lock_guard guard(disk_.lock_);
    if (auto alive = begin("sync"); !alive) {
      if (disk_.calls_ == disk_.fail_at_ && life_ == disk_.life_) disk_.survive(*inode_);
      return alive;
    }
    if (disk_.lie_ == Lie::file_sync) return {};
    for (const auto& change : inode_->pending) apply(*inode_, change);
    inode_->pending.clear();
    return {};
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
    const std::lock_guard guard(disk_.lock_);
    if (auto alive = begin("read"); !alive) return alive.error();
    const auto& seen = inode_->seen;
    if (offset >= seen.size()) return std::size_t{0};
    const auto size = std::min<std::size_t>(into.size(), seen.size() - offset);
    if (size > 0) std::memcpy(into.data(), seen.data() + offset, size);
    return size;
  }

  Result<std::uint64_t> size() const override {
    const std::lock_guard guard(disk_.lock_);
    if (auto alive = begin("stat"); !alive) return alive.error();
    return inode_->seen.size();
  }

  Result<> allocate(std::uint64_t bytes) override {
    const std::lock_guard guard(disk_.lock_);
    if (auto alive = begin("allocate"); !alive) return alive;
    if (bytes <= inode_->seen.size()) return {};
    if (disk_.used() - inode_->seen.size() + bytes > disk_.capacity_) return full();
    resize(*inode_, bytes);
    return {};
  }

  Result<> truncate(std::uint64_t bytes) override {
    const std::lock_guard guard(disk_.lock_);
    if (auto alive = begin("truncate"); !alive) return alive;
    resize(*inode_, bytes);
    return {};
  }

 private:
  Result<> begin(const char* doing) const {
    if (life_ != disk_.life_) return Error{Code::io, "the process that opened it is dead"};
    return disk_.step(doing, name_);
  }
  Error full() const { return {Code::full, "no space left for disk/" + name_}; }

  SimulatedDisk& disk_;
  std::shared_ptr<Inode> inode_;
  std::string name_;
  OpenMode mode_;
  std::uint64_t life_;
};

SimulatedDisk::SimulatedDisk(std::uint64_t seed, const Image& image) : chance_(seed) {
  for (const auto& [name, bytes] : image) {
    names_[name] = std::make_shared<Inode>(Inode{bytes, bytes, {}});
  }
  durable_names_ = names_;
}

// Counts a call; says whether it may go on.
Result<> SimulatedDisk::step(const char* doing, std::string_view name) {
  ++calls_;
  const bool stopped = stop_at_ != 0 && calls_ >= stop_at_;
  if (!stopped && calls_ != fail_at_) return {};
  const auto code = stopped ? Code::io : fail_code_;
  return Error{
      code, std::string("cannot ") + doing + " disk/" + std::string(name) + ": a simulated fault"};
}

Result<std::unique_ptr<File>> SimulatedDisk::open(std::string_view name, OpenMode mode) {
  const std::lock_guard guard(lock_);
  if (auto alive = step("open", name); !alive) return alive.error();
  auto found = names_.find(name);
  if (mode == OpenMode::create_new) {
    if (found != names_.end()) {
      return Error{Code::conflict, "disk/" + std::string(name) + " is there"};
    }
    const auto inode = std::make_shared<Inode>();
    found = names_.emplace(name, inode).first;
    pending_names_.push_back({"", std::string(name), inode});
  }
  if (found == names_.end()) {
    return Error{Code::not_found, "disk/" + std::string(name) + " is not there"};
  }
  return std::unique_ptr<File>(
      std::make_unique<OpenFile>(*this, found->second, std::string(name), mode));
}

Result<> SimulatedDisk::rename(std::string_view from, std::string_view to) {
  const std::lock_guard guard(lock_);
  if (auto alive = step("rename", from); !alive) return alive;
  const auto found = names_.find(from);
  if (found == names_.end()) {
    return Error{Code::not_found, "disk/" + std::string(from) + " is not there"};
  }
  pending_names_.push_back({std::string(from), std::string(to), found->second});
  apply(names_, pending_names_.back());
  return {};
}

Result<> SimulatedDisk::remove(std::string_view name) {
  const std::lock_guard guard(lock_);
  if (auto alive = step("remove", name); !alive) return alive;
  const auto found = names_.find(name);
  if (found == names_.end()) {
    return Error{Code::not_found, "disk/" + std::string(name) + " is not there"};
  }
  pending_names_.push_back({std::string(name), "", found->second});
  apply(names_, pending_names_.back());
  return {};
}

Result<> SimulatedDisk::sync() {
  const std::lock_guard guard(lock_);
  if (auto alive = step("sync directory", ""); !alive) return alive;
  if (lie_ == Lie::name_sync) return {};
  durable_names_ = names_;
  pending_names_.clear();
  return {};
}

Result<std::vector<std::string>> SimulatedDisk::list() {
  const std::lock_guard guard(lock_);
  if (auto alive = step("list", ""); !alive) return alive.error();
  std::vector<std::string> names;
  for (const auto& [name, inode] : names_) names.push_back(name);
  return names;
}

Result<std::uint64_t> SimulatedDisk::free_bytes() {
  const std::lock_guard guard(lock_);
  if (auto alive = step("stat", ""); !alive) return alive.error();
  return capacity_ - std::min(capacity_, used());
}

void SimulatedDisk::power_cut() {
  const std::lock_guard guard(lock_);
  const auto survival = draw_survival();
  const auto first_ones = chance_.below(pending_names_.size() + 1);
  // What has a pending name may be gone for the durable ones; every inode must be settled.
  for (const auto& change : pending_names_) survive(*change.inode);
  for (const auto& [name, inode] : durable_names_) survive(*inode);
  for (std::size_t i = 0; i < pending_names_.size(); ++i) {
    if (keeps(survival, i, first_ones)) apply(durable_names_, pending_names_[i]);
  }
  names_ = durable_names_;
  for (const auto& [name, inode] : names_) inode->seen = inode->durable;
  pending_names_.clear();
  ++life_;
  fail_at_ = stop_at_ = 0;
}

void SimulatedDisk::kill() {
  const std::lock_guard guard(lock_);
  ++life_;
  fail_at_ = stop_at_ = 0;
}

void SimulatedDisk::fail_call(std::uint64_t call, Code code) {
  const std::lock_guard guard(lock_);
  fail_at_ = call;
  fail_code_ = code;
}

void SimulatedDisk::stop_at_call(std::uint64_t call) {
  const std::lock_guard guard(lock_);
  stop_at_ = call;
}

std::uint64_t SimulatedDisk::calls() const {
  const std::lock_guard guard(lock_);
  return calls_;
}

void SimulatedDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard guard(lock_);
  capacity_ = bytes;
}

void SimulatedDisk::lie(Lie lie) {
  const std::lock_guard guard(lock_);
  lie_ = lie;
}

SimulatedDisk::Image SimulatedDisk::image() const {
  const std::lock_guard guard(lock_);
  Image image;
  for (const auto& [name, inode] : names_) image[name] = inode->seen;
  return image;
}

void SimulatedDisk::resize(Inode& inode, std::uint64_t bytes) {
  inode.seen.resize(bytes);
  inode.pending.push_back({0, {}, bytes});
}

void SimulatedDisk::write(Inode& inode, std::uint64_t offset, Bytes bytes) {
  if (bytes.empty()) return;
  // The new size and the content are two changes: either may survive alone.
  if (offset + bytes.size() > inode.seen.size()) {
    resize(inode, offset + bytes.size());
  }
  std::memcpy(inode.seen.data() + offset, bytes.data(), bytes.size());
  inode.pending.push_back({offset, Buffer(bytes.begin(), bytes.end()), 0});
}

// What a write that failed may have done: any part of it, up to some sector.
void SimulatedDisk::write_part(Inode& inode, std::uint64_t offset, Bytes bytes) {
  const auto sectors = bytes.size() / kSectorBytes + 1;
  write(
      inode, offset,
      bytes.first(std::min<std::size_t>(bytes.size(), chance_.below(sectors + 1) * kSectorBytes)));
}

// Carries a part of what is pending over to the platter and forgets the rest.
void SimulatedDisk::survive(Inode& inode) {
  const auto survival = draw_survival();
  const auto first_ones = chance_.below(inode.pending.size() + 1);
  for (std::size_t i = 0; i < inode.pending.size(); ++i) {
    const auto& change = inode.pending[i];
    if (survival != Survival::some || change.bytes.empty()) {
      if (keeps(survival, i, first_ones)) apply(inode, change);
      continue;
    }
    for (std::uint64_t at = 0; at < change.bytes.size();) {
      const auto end = std::min<std::uint64_t>(
          (change.offset + at) / kSectorBytes * kSectorBytes + kSectorBytes - change.offset,
          change.bytes.size());
      if (chance_.below(2) == 0) {
        apply(inode, {change.offset + at,
                      Buffer(change.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                             change.bytes.begin() + static_cast<std::ptrdiff_t>(end)),
                      0});
      }
      at = end;
    }
  }
  inode.pending.clear();
}

void SimulatedDisk::apply(Inode& inode, const Change& change) {
  if (change.bytes.empty()) {
    inode.durable.resize(change.size);
    return;
  }
  const auto end = change.offset + change.bytes.size();
  if (inode.durable.size() < end) inode.durable.resize(end);
  std::memcpy(inode.durable.data() + change.offset, change.bytes.data(), change.bytes.size());
}

void SimulatedDisk::apply(Names& names, const NameChange& change) {
  if (const auto old = names.find(change.from); old != names.end() && old->second == change.inode) {
    names.erase(old);
  }
  if (!change.to.empty()) names[change.to] = change.inode;
}

std::uint64_t SimulatedDisk::used() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, inode] : names_) bytes += inode->seen.size();
  return bytes;
}

SimulatedDisk::Survival SimulatedDisk::draw_survival() {
  return static_cast<Survival>(chance_.below(4));
}

bool SimulatedDisk::keeps(Survival survival, std::size_t index, std::size_t first_ones) {
  switch (survival) {
    case Survival::nothing:
      return false;
    case Survival::everything:
      return true;
    case Survival::some:
      return chance_.below(2) == 0;
    case Survival::first_ones:
      return index < first_ones;
  }
  ASSERT(false);
}

}  // namespace nando
