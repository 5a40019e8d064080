#include "feed/feed.h"

#include <filesystem>
#include <system_error>

#include "telemetry/log.h"

namespace nando {

Feed::Feed(FeedParts parts)
    : parts_(std::move(parts)), reader_(parts_.journal), maker_(parts_.sites) {}

Result<bool> Feed::step() {
  auto held = hold_warehouse();
  auto more = held ? load_some() : Result<bool>(held.error());
  const std::lock_guard guard(mutex_);
  status_.loaded = loaded_.sequence;
  status_.problem = more ? std::string() : more.error().message;
  if (more && !*more) status_.filling = false;
  return more;
}

Result<bool> Feed::step_if_due(std::chrono::nanoseconds now) {
  const auto waiting = parts_.durable_end().sequence.value - loaded_.sequence.value;
  const bool is_due = hurried_.exchange(false) || rebuild_wanted_ || status().filling ||
                      waiting >= kFeedRowsAtOnce || now - stepped_at_ >= kFeedWaitMax;
  if (!is_due) return false;
  stepped_at_ = now;
  return step();
}

Result<> Feed::hold_warehouse() {
  if (rebuild_wanted_) {
    auto done = replace("it was asked for");
    if (done) rebuild_wanted_ = false;
    return done;
  }
  const auto warehouse = this->warehouse();
  if (warehouse != nullptr && !warehouse->is_in_place()) return replace("its file was taken away");
  if (damaged_) return replace("it does not take what it should");
  if (warehouse == nullptr) {
    if (auto done = open(); !done) return done;
  }
  const auto moved = maker_.moved_site();
  if (!moved) return {};
  return replace("site " + std::to_string(moved->value) + " has another time zone now");
}

Result<> Feed::open() {
  // Of a copy without removed details that was not finished.
  if (auto cleared = clear_warehouse(parts_.path + ".pruned", Keep::nothing); !cleared) {
    return cleared.error();
  }
  auto opened = Warehouse::open(parts_.path, parts_.options);
  if (!opened) {
    if (opened.error().code != Code::corrupt) return opened.error();
    return replace(opened.error().message);
  }
  const auto mark = (*opened)->loaded();
  const auto zones = (*opened)->zones();
  if (!mark || !zones) {
    const auto& error = !mark ? mark.error() : zones.error();
    if (error.code != Code::corrupt) return error;
    opened->reset();
    return replace(error.message);
  }
  if (*mark) {
    const auto fits = is_of_this_journal(**mark);
    if (!fits) return fits.error();
    if (!*fits) {
      opened->reset();
      return replace("it is not of this journal, or of a tail that was cut");
    }
    loaded_ = (*mark)->position;
  } else {
    loaded_ = {};
  }
  maker_.begin(*zones);
  publish(std::move(*opened));
  return {};
}

Result<bool> Feed::is_of_this_journal(const Mark& mark) {
  const auto end = parts_.durable_end();
  if (mark.node != parts_.node || mark.position.sequence > end.sequence) return false;
  const auto record = reader_.find(mark.position.sequence, end.sequence);
  if (!record) {
    if (record.error().code == Code::not_found) return false;
    return record.error();
  }
  return record->epoch == mark.position.epoch && record->head == mark.position.head;
}

// Counting goes on meanwhile, and everything that the old file held is in the journal.
Result<> Feed::replace(const std::string& why, Keep keep) {
  publish(nullptr);
  const auto was_there = clear_warehouse(parts_.path, keep);
  if (!was_there) return was_there.error();
  log_warn("the warehouse is filled anew from the journal, {} records: {}{}",
           parts_.durable_end().sequence.value, why,
           *was_there && keep == Keep::aside ? "; the old file is " + parts_.path + ".aside" : "");
  damaged_ = false;
  auto opened = Warehouse::open(parts_.path, parts_.options);
  if (!opened) return opened.error();
  loaded_ = {};
  maker_.begin({});
  publish(std::move(*opened));
  const std::lock_guard guard(mutex_);
  status_.filling = true;
  status_.loaded = {};
  return {};
}

Result<> Feed::check_room() const {
  return leave_room("the warehouse waits", folder(), 0, parts_.left_for_counting);
}

std::filesystem::path Feed::folder() const {
  std::error_code error;
  return std::filesystem::absolute(parts_.path, error).parent_path();
}

std::uint64_t Feed::bytes() const {
  std::uint64_t bytes = 0;
  for (const auto* suffix : {"", ".wal"}) {
    std::error_code error;
    const auto size = std::filesystem::file_size(parts_.path + suffix, error);
    if (!error) bytes += size;
  }
  return bytes;
}

Result<bool> Feed::load_some() {
  const auto end = parts_.durable_end().sequence;
  if (loaded_.sequence >= end) return false;
  rows_.clear();
  removals_.clear();
  Mark mark{parts_.node, loaded_};
  const Error enough{Code::busy, {}};
  const auto take_batch = [&](const BatchView& batch) -> Result<> {
    const auto with_it = rows_.hits.size() + batch.records.size();
    if ((with_it > kFeedRowsAtOnce && !rows_.empty()) || !removals_.empty()) return enough;
    if (is_removal(batch.records.front().kind)) {
      if (!rows_.empty()) return enough;
      auto removals = RowMaker::removals_in(batch);
      if (!removals) return removals.error();
      removals_ = std::move(*removals);
      mark.position = {batch.epoch, batch.last(), batch.head};
      return {};
    }
    if (auto added = maker_.add(batch, rows_); !added) return added;
    mark.position = {batch.epoch, batch.last(), batch.head};
    return {};
  };
  // What the committer wrote moments ago need not be proved again.
  const auto scanned = reader_.scan(loaded_.sequence, end, take_batch, Check::checksum);
  if (!scanned && scanned.error().code != Code::busy) return scanned.error();
  // Records without rows (probes of our own health) move the mark with the next row: a server that
  // is only asked how it is writes nothing.
  if (!removals_.empty()) {
    if (auto done = take(forget(mark)); !done) return done.error();
    return true;
  }
  if (rows_.empty()) {
    loaded_ = mark.position;
    return loaded_.sequence < end;
  }
  if (auto room = check_room(); !room) return room.error();
  if (auto loaded = take(warehouse()->load(rows_, mark)); !loaded) return loaded.error();
  loaded_ = mark.position;
  return loaded_.sequence < end;
}

// What to do about an error of the warehouse's.
Result<> Feed::take(const Result<>& done) {
  if (done) return done;
  damaged_ = done.error().code == Code::corrupt;
  publish(nullptr);  // A connection that failed may refuse for good: the next step opens anew.
  return done;
}

// What was removed from the journal goes from the warehouse: into a new file comes what stays.
// Where there is no room for one, the journal fills it, which holds no more of it.
Result<> Feed::forget(const Mark& mark) {
  // What was set aside may know it too.
  if (auto gone = clear_warehouse(parts_.path + ".aside", Keep::nothing); !gone) {
    return gone.error();
  }
  const auto old = warehouse();
  const auto any = old->holds_details(removals_);
  if (!any) return any.error();
  if (!*any) {
    const auto loaded = old->load({}, mark);
    if (loaded) loaded_ = mark.position;
    return loaded;
  }
  const auto pruned = parts_.path + ".pruned";
  auto written = leave_room("the warehouse", folder(), bytes(), parts_.left_for_counting);
  if (written) written = old->write_without(pruned, removals_, mark);
  if (!written) {
    if (auto done = clear_warehouse(pruned, Keep::nothing); !done) return done.error();
    if (written.error().code != Code::full) return written;
    return replace("there is no room to write it again without what was removed", Keep::nothing);
  }
  publish(nullptr);
  if (auto done = replace_warehouse(parts_.path, pruned); !done) return done;
  return open();
}

void Feed::publish(std::shared_ptr<Warehouse> warehouse) {
  const std::lock_guard guard(mutex_);
  warehouse_ = std::move(warehouse);
}

std::shared_ptr<Warehouse> Feed::warehouse() const {
  const std::lock_guard guard(mutex_);
  return warehouse_;
}

Feed::Status Feed::status() const {
  const std::lock_guard guard(mutex_);
  return status_;
}

void Feed::describe(MetricsPage& page) const {
  const auto now = status();
  page.gauge("nandolytics_warehouse_sequence", "The last record that is in the warehouse.",
             static_cast<double>(now.loaded.value));
  page.gauge("nandolytics_warehouse_lag_records", "Durable records that are not in it yet.",
             static_cast<double>(parts_.durable_end().sequence.value - now.loaded.value));
  page.gauge("nandolytics_warehouse_problem", "1 while nothing can be loaded.",
             now.problem.empty() ? 0 : 1);
  const auto warehouse = this->warehouse();
  page.gauge("nandolytics_warehouse_memory_bytes", "What its engine held after the last load.",
             warehouse == nullptr ? 0 : static_cast<double>(warehouse->held_bytes()));
}

}  // namespace nando
