#include "store/journal_view.h"

#include "datadir/control.h"
#include "datadir/keys.h"
#include "store/cursor.h"

namespace nando {

namespace {

// What the server prints for `inspect --end`: sequence, epoch and head.
Result<Position> ask_server(const std::string& data) {
  TextOutput output;
  const auto done = control_call(data, {"inspect", "--end"}, output);
  if (!done) return done.error();
  const auto end = parse_position(output.out_text);
  if (*done != kDone || !end) {
    return Error{Code::unavailable,
                 "the server does not say where its journal ends: " + output.err_text};
  }
  return *end;
}

}  // namespace

Result<JournalView> JournalView::open(const Settings& settings) {
  JournalView view;
  auto root = open_directory(settings.data, IfMissing::fail);
  if (!root) return root.error();
  auto journal = open_directory(settings.data + "/journal", IfMissing::fail);
  if (!journal) return journal.error();
  view.journal_ = std::move(*journal);
  view.reader_ = std::make_unique<JournalReader>(*view.journal_);
  auto keys = read_keys(**root);
  if (!keys) return keys.error();
  view.keys_ = std::make_unique<KeyRing>(std::move(*keys));

  auto lock = DirectoryLock::take(settings.data, LockHolder::command);
  if (!lock && lock.error().code != Code::busy) return lock.error();
  auto end = lock ? view.reader_->end() : ask_server(settings.data);
  if (!end) return end.error();
  if (lock) view.lock_.emplace(std::move(*lock));
  view.end_ = *end;
  return view;
}

}  // namespace nando
