#include "snapshot/snapshot.h"

#include <fmt/core.h>

#include <algorithm>

#include "snapshot/promotions_part.h"
#include "snapshot/snapshot_file.h"

namespace nando {

namespace {

constexpr std::array<char, 8> kMagic = {'N', 'A', 'N', 'D', 'O', 'S', 'N', 3};
constexpr std::string_view kTemporary = "snapshot.tmp";
constexpr std::size_t kHostTextBytesMax = 1024;  // More than any host may have.

// The parts of counters that are small enough to hold twice. Pages and ids are streamed between
// them.
struct Small {
  Position position;
  UnixTime committed{};
  KindCounts kinds{};
  struct SiteRow {
    SiteId id;
    std::uint64_t count;
    std::uint64_t base;
    std::uint32_t pages;
    PageId other;
    std::uint64_t expired_to;
    std::string host;
  };
  std::vector<SiteRow> sites;
  std::map<PageId, std::uint64_t> page_bases;
  std::vector<Visits::Row> visits;
  UnixTime visits_swapped{};
  std::deque<IdTimes::Mark> marks;
  std::uint64_t ids = 0;
  std::uint64_t pages = 0;
};

void put(SnapshotWriter& out, const Small& small, const Entries& entries, const Key128& hash_key) {
  out.put(kMagic);
  out.put(hash_key);
  out.put(small.position.epoch);
  out.put(small.position.sequence.value);
  out.put(small.position.head);
  out.put(small.committed);
  for (const auto count : small.kinds) out.put(count);
  out.put(static_cast<std::uint64_t>(small.sites.size()));
  for (const auto& site : small.sites) {
    out.put(site.id.value);
    out.put(site.count);
    out.put(site.base);
    out.put(site.pages);
    out.put(site.other.value);
    out.put(site.expired_to);
    out.put_text(site.host);
  }
  out.put(static_cast<std::uint64_t>(small.page_bases.size()));
  for (const auto& [page, base] : small.page_bases) {
    out.put(page.value);
    out.put(base);
  }
  out.put(small.visits_swapped);
  out.put(static_cast<std::uint64_t>(small.visits.size()));
  for (const auto& row : small.visits) {
    out.put(row.visitor.value);
    out.put(row.open.visit.value);
    out.put(row.open.last);
    out.put(static_cast<std::uint8_t>(row.is_old ? 1 : 0));
  }
  out.put(static_cast<std::uint64_t>(small.marks.size()));
  for (const auto& mark : small.marks) {
    out.put(mark.first.value);
    out.put(mark.at);
  }
  put_promotions(out, entries);
  out.put(small.ids);
  out.put(small.pages);
}

bool get_head(SnapshotReader& in, const Key128* hash_key, Position& position) {
  if (in.get<std::array<char, 8>>() != kMagic) return false;
  const auto key = in.get<Key128>();
  if (hash_key != nullptr && key != *hash_key) return false;
  position.epoch = in.get<Epoch>();
  position.sequence.value = in.get<std::uint64_t>();
  position.head = in.get<Head>();
  return in.ok();
}

bool get(SnapshotReader& in, const Key128& hash_key, Small& small, Entries& entries) {
  if (!get_head(in, &hash_key, small.position)) return false;
  small.committed = in.get<UnixTime>();
  for (auto& count : small.kinds) count = in.get<std::uint64_t>();
  const auto sites = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; in.ok() && i < sites; ++i) {
    Small::SiteRow row{};
    row.id.value = in.get<std::uint32_t>();
    row.count = in.get<std::uint64_t>();
    row.base = in.get<std::uint64_t>();
    row.pages = in.get<std::uint32_t>();
    row.other.value = in.get<std::uint32_t>();
    row.expired_to = in.get<std::uint64_t>();
    row.host = in.get_text(kHostTextBytesMax);
    if (row.id.value == 0 || row.id.value >= SiteCounts::kSitesMax) return false;
    small.sites.push_back(std::move(row));
  }
  const auto bases = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; in.ok() && i < bases; ++i) {
    const PageId page{in.get<std::uint32_t>()};
    small.page_bases[page] = in.get<std::uint64_t>();
  }
  small.visits_swapped = in.get<UnixTime>();
  const auto visits = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; in.ok() && i < visits; ++i) {
    Visits::Row row{};
    row.visitor.value = in.get<std::uint64_t>();
    row.open.visit.value = in.get<std::uint64_t>();
    row.open.last = in.get<UnixTime>();
    row.is_old = in.get<std::uint8_t>() != 0;
    small.visits.push_back(row);
  }
  const auto marks = in.get<std::uint64_t>();
  for (std::uint64_t i = 0; in.ok() && i < marks; ++i) {
    const Sequence first{in.get<std::uint64_t>()};
    small.marks.push_back({first, in.get<UnixTime>()});
  }
  if (!get_promotions(in, entries)) return false;
  small.ids = in.get<std::uint64_t>();
  small.pages = in.get<std::uint64_t>();
  return in.ok();
}

// Ids of sites are small.
constexpr std::uint32_t kNamelessPage = 1U << 31;
static_assert(SiteCounts::kSitesMax < kNamelessPage);

using PageRow = PageTable::Row;
constexpr std::size_t kPageBytes = sizeof(PageKey) + sizeof(std::uint64_t) + sizeof(SiteId);
constexpr std::size_t kPagesAtOnce = 1 << 18;  // That are loaded: 8 MiB of rows.

void put_page(SnapshotWriter& out, const PageRow& row) {
  out.put(row.key);
  out.put(row.count);
  out.put(row.site.value | (row.nameless ? kNamelessPage : 0));
}

PageRow get_page(SnapshotReader& in) {
  PageRow row;
  row.key = in.get<PageKey>();
  row.count = in.get<std::uint64_t>();
  const auto site = in.get<std::uint32_t>();
  row.site.value = site & ~kNamelessPage;
  row.nameless = (site & kNamelessPage) != 0;
  return row;
}

std::vector<Small::SiteRow> rows_of(const SiteCounts& sites) {
  std::vector<Small::SiteRow> rows;
  sites.each([&](SiteId id, const SiteCounts::Entry& site) {
    rows.push_back({id, site.count.load(), site.base.load(), site.pages, site.other,
                    site.expired_to.value, site.host});
  });
  return rows;
}

void restore_sites(const std::vector<Small::SiteRow>& rows, SiteCounts& sites) {
  for (const auto& row : rows) {
    auto& site = sites.add(row.id, row.host);
    site.count = row.count;
    site.base = row.base;
    site.pages = row.pages;
    site.other = row.other;
    site.expired_to.value = row.expired_to;
    site.removed = row.host.empty();
  }
}

// Runs `write` on a fresh temporary file and puts that in the snapshot's place.
template <class Write>
Result<> replace(Directory& directory, Write write) {
  if (auto gone = directory.remove(kTemporary); !gone && gone.error().code != Code::not_found)
    return gone;
  auto file = directory.open(kTemporary, OpenMode::create_new);
  if (!file) return file.error();
  SnapshotWriter out(**file);
  if (auto written = write(out); !written) return written;
  if (auto finished = out.finish(); !finished) return finished;
  if (auto renamed = directory.rename(kTemporary, kSnapshotName); !renamed) return renamed;
  return directory.sync();
}

Error damaged(const Directory& directory) {
  return {Code::corrupt, directory.path() + "/" + std::string(kSnapshotName) +
                             " is damaged or of another journal; it can be deleted"};
}

// What changed since the last snapshot: the listener of fold() that holds only that.
class Changes {
 public:
  Changes(Small small, Entries entries) : small_(std::move(small)), entries_(std::move(entries)) {
    restore_sites(small_.sites, sites_);
    for (const auto& [page, base] : small_.page_bases) sites_.set_page_base(page, base);
    visits_.load(small_.visits, small_.visits_swapped);
    old_marks_ = small_.marks;
  }

  bool add_site(const SiteRecord& record) {
    if (sites_.find(record.site)) return false;
    sites_.add(record.site, record.host);
    return true;
  }
  bool add_page(const PageRecord& record) {
    auto* site = sites_.find(record.site);
    if (site == nullptr) return false;
    if (record.is_again) {
      if (!contains(record.page)) return false;
      nameless(record.page) = false;
      return true;
    }
    if (record.page.value != small_.pages + new_pages_.size() + 1) return false;
    new_pages_.push_back({.key = record.key, .site = record.site});
    if (record.is_other) {
      site->other = record.page;
    } else {
      ++site->pages;
    }
    return true;
  }
  bool add_hit(const HitRecord& record, const RecordContext& context) {
    auto* site = sites_.find(record.site);
    if (site == nullptr || !contains(record.page)) return false;
    count(record.page) = record.page_ordinal;
    site->count = record.site_ordinal;
    if (record.fingerprint) {
      new_ids_.push_back({*record.fingerprint, context.sequence});
      new_times_.push_back(context.committed);
    }
    if (record.visitor) visits_.touch(record.visitor, record.visit, context.committed);
    return true;
  }
  bool set_base(const BaseRecord& record) {
    auto* site = sites_.find(record.site);
    if (site == nullptr) return false;
    if (record.page.value == 0) {
      site->base = record.base;
    } else {
      sites_.set_page_base(record.page, record.base);
    }
    return true;
  }
  bool remove(const RemovalRecord& record) {
    auto* site = sites_.find(record.site);
    if (site == nullptr) return false;
    if (record.what == Removal::page) {
      if (!contains(record.page)) return false;
      nameless(record.page) = true;
      return true;
    }
    site->expired_to = std::max(site->expired_to, record.up_to);
    if (record.what == Removal::site) site->host.clear();
    return true;
  }
  template <class Record>
  bool add_prize(const Record& record, UnixTime committed) {
    return entries_.add(record, committed);
  }
  void finish(const Position& position, UnixTime committed, const KindCounts& kinds) {
    for (std::size_t i = 0; i < kinds.size(); ++i) small_.kinds[i] += kinds[i];
    visits_.advance(committed);
    entries_.publish();
    small_.position = position;
    small_.committed = committed;
  }

  // Writes the old snapshot's pages and ids, as `old` goes past them, with what changed.
  Result<> write(SnapshotReader* old, SnapshotWriter& out, const Key128& hash_key,
                 const Error& damage) {
    const auto old_ids = small_.ids;
    const auto old_pages = small_.pages;
    IdTimes times;
    for (const auto& mark : old_marks_) times.note(mark.first, mark.at);
    for (std::size_t i = 0; i < new_ids_.size(); ++i)
      times.note(new_ids_[i].sequence, new_times_[i]);
    const auto first_kept = times.expire(small_.committed);

    std::vector<RetryWindow::Id> kept;
    for (std::uint64_t i = 0; old != nullptr && i < old_ids; ++i) {
      const auto id = old->get<RetryWindow::Id>();
      if (id.sequence >= first_kept) kept.push_back(id);
    }
    for (const auto& id : new_ids_) {
      if (id.sequence >= first_kept) kept.push_back(id);
    }
    small_.sites = rows_of(sites_);
    small_.page_bases = sites_.page_bases();
    small_.visits = visits_.rows();
    small_.visits_swapped = visits_.swapped();
    small_.marks = times.marks();
    small_.ids = kept.size();
    small_.pages = old_pages + new_pages_.size();
    put(out, small_, entries_, hash_key);
    for (const auto& id : kept) out.put(id);
    for (std::uint64_t i = 0; old != nullptr && i < old_pages; ++i) {
      put_page(out, changed(static_cast<std::uint32_t>(i + 1), get_page(*old)));
    }
    for (const auto& row : new_pages_) put_page(out, row);
    if (old != nullptr && !old->finish()) return damage;
    return {};
  }

 private:
  bool contains(PageId page) const {
    return page.value >= 1 && page.value <= small_.pages + new_pages_.size();
  }
  // What changes of a page. The rows of new ones are here; old ones are in the old snapshot.
  std::uint64_t& count(PageId page) {
    return page.value > small_.pages ? new_row(page).count : counts_[page.value];
  }
  bool& nameless(PageId page) {
    return page.value > small_.pages ? new_row(page).nameless : nameless_[page.value];
  }
  PageRow& new_row(PageId page) { return new_pages_[page.value - small_.pages - 1]; }

  PageRow changed(std::uint32_t page, PageRow row) const {
    if (const auto found = counts_.find(page); found != counts_.end()) row.count = found->second;
    if (const auto found = nameless_.find(page); found != nameless_.end()) {
      row.nameless = found->second;
    }
    return row;
  }

  Small small_;
  SiteCounts sites_;
  Visits visits_;
  Entries entries_;
  std::deque<IdTimes::Mark> old_marks_;
  boost::unordered_flat_map<std::uint32_t, std::uint64_t> counts_;
  boost::unordered_flat_map<std::uint32_t, bool> nameless_;
  std::deque<PageRow> new_pages_;
  std::vector<RetryWindow::Id> new_ids_;
  std::vector<UnixTime> new_times_;
};

}  // namespace

Result<> write_snapshot(Directory& directory, const Counters& counters, const Key128& hash_key) {
  return replace(directory, [&](SnapshotWriter& out) -> Result<> {
    const auto& pages = counters.pages();
    const auto& window = counters.window();
    put(out,
        {counters.position(), counters.committed(), counters.kinds(), rows_of(counters.sites()),
         counters.sites().page_bases(), counters.visits().rows(), counters.visits().swapped(),
         window.times().marks(), window.size(), pages.size()},
        counters.entries(), hash_key);
    window.each([&](const RetryWindow::Id& id) { out.put(id); });
    for (PageId page{1}; page.value <= pages.size(); ++page.value) {
      put_page(out,
               {pages.key(page), pages.count(page), pages.site(page), pages.is_nameless(page)});
    }
    return {};
  });
}

Result<> read_snapshot(Directory& directory, const Key128& hash_key, Counters& into) {
  auto file = directory.open(kSnapshotName, OpenMode::read);
  if (!file) return file.error();
  SnapshotReader in(**file);
  Small small;
  if (!get(in, hash_key, small, into.entries())) return damaged(directory);
  restore_sites(small.sites, into.sites());
  for (const auto& [page, base] : small.page_bases) into.sites().set_page_base(page, base);
  into.visits().load(small.visits, small.visits_swapped);
  into.kinds() = small.kinds;
  if (small.ids > into.window().ids_max()) return damaged(directory);
  into.window().load_times(small.marks);
  for (std::uint64_t i = 0; in.ok() && i < small.ids; ++i)
    into.window().load(in.get<RetryWindow::Id>());
  // The checksum stands at the end: until then a number is believed only as far as the file is
  // long.
  const auto file_bytes = (*file)->size();
  if (!file_bytes) return file_bytes.error();
  if (small.pages > PageTable::kPagesMax || small.pages > *file_bytes / kPageBytes) {
    return damaged(directory);
  }
  into.pages().reserve(static_cast<std::uint32_t>(small.pages));
  std::vector<PageRow> rows;
  for (auto left = small.pages; in.ok() && left > 0; left -= rows.size()) {
    rows.resize(std::min<std::uint64_t>(left, kPagesAtOnce));
    for (auto& row : rows) row = get_page(in);
    into.pages().add_all(rows);
  }
  if (!in.finish()) return damaged(directory);
  into.set_position(small.position, small.committed);
  return {};
}

Position snapshot_position(Directory& directory) {
  auto file = directory.open(kSnapshotName, OpenMode::read);
  if (!file) return {};
  SnapshotReader in(**file);
  Position position;
  return get_head(in, nullptr, position) ? position : Position{};
}

Result<> merge_snapshot(Directory& directory, JournalReader& journal, const Key128& hash_key,
                        Sequence up_to) {
  Small small;
  Entries entries;
  std::unique_ptr<File> old_file;
  std::unique_ptr<SnapshotReader> old;
  if (auto opened = directory.open(kSnapshotName, OpenMode::read); opened) {
    old_file = std::move(*opened);
    old = std::make_unique<SnapshotReader>(*old_file);
    if (!get(*old, hash_key, small, entries)) return damaged(directory);
  } else if (opened.error().code != Code::not_found) {
    return opened.error();
  }
  const auto after = small.position.sequence;
  if (after >= up_to) return {};
  Changes changes(std::move(small), std::move(entries));
  auto scanned =
      journal.scan(after, up_to, [&](const BatchView& batch) { return fold(batch, changes); });
  if (!scanned) return scanned;
  return replace(directory, [&](SnapshotWriter& out) {
    return changes.write(old.get(), out, hash_key, damaged(directory));
  });
}

}  // namespace nando
