// Loop: one I/O loop's side of the api. Gathers hits, answers, and keeps what a request needs so
// that the path of a hit allocates nothing once warm.
//
// Threads: its loop's, describe() excepted.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "api/api.h"
#include "api/errors.h"
#include "api/gate.h"
#include "api/listeners.h"
#include "api/route.h"
#include "auth/tokens.h"
#include "base/clock.h"
#include "wire/hits.h"

namespace nando {

// Whether an answer carries the headers of public addresses, or those of our own pages: no CORS.
enum class Audience : std::uint8_t { everybody, own_pages };
inline constexpr std::string_view kOwnHeaders =
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n";

class Loop final : public http::Handler {
 public:
  Loop(Api& api, http::Mailbox& mailbox);
  ~Loop() override;

  std::size_t body_bytes_max(const http::Request& head) override;
  void on_request(const http::Request& request, http::Responder responder) override;
  void on_turn_end() override {
    clock_.let_go();
    gate_.end_turn();
    listeners_.end_turn();
  }
  std::chrono::nanoseconds patience() override { return listeners_.patience(); }
  void on_bad_request(unsigned status, std::string_view word, std::string_view message,
                      std::string& body) override;
  std::string_view bad_request_headers() const override;

  const ApiParts& parts() const { return api_.parts(); }
  Ingest& ingest() { return ingest_; }
  Gate& gate() { return gate_; }
  Listeners& listeners() { return listeners_; }
  HitReader& reader() { return reader_; }
  http::Mailbox& mailbox() { return mailbox_; }

  // The path as routes and assets have it, without that of public_url.
  std::string_view path_below_base(std::string_view path) const;
  // The client's address, behind trusted proxies or not (docs/GUARANTEES.md, H9).
  IpAddress client(const http::Request& request) const;
  // The bearer of the request's token, if it has one that is good.
  std::optional<Token> bearer(const http::Request& request);
  Api& api() { return api_; }
  // A hit became none: where that is because nobody counts its host, the host is noted.
  void note_refused(DropReason reason, std::string_view url);
  const SiteTable& site_table() { return sites_.get(); }
  // The promotion that takes entries of that page now; null if none does. Valid until the next
  // call.
  const RunningPromotion* promotion_of(const Ingest::PageName& page);
  // Whether numbers of that site are for everybody.
  Visibility visibility(SiteId site);
  // Whether it comes from this machine, passed on by nobody, or with a stats token.
  bool is_operator(const http::Request& request);
  // Whether this asker may see them.
  bool may_read(const Site& site, const http::Request& request);
  // Fills in what every door takes from the request itself.
  void fill(Beacon& beacon, Door door, const http::Request& request) const;

  // Answers with an error of the table, or with its word and a better message.
  void refuse(std::string_view word, http::Responder responder, std::string_view message = {},
              Audience audience = Audience::everybody);
  // For a handler that refuses in its own words.
  void count_refusal(std::size_t row) { refusals_[row].fetch_add(1, std::memory_order_relaxed); }
  // A beacon that became no hit.
  void drop(DropReason reason, http::Responder responder) {
    drop(name_of(reason), std::move(responder));
  }
  // A hit that has no number: refused, of unknown outcome, or a bot's.
  void answer_uncounted(const Outcome& outcome, http::Responder responder);
  // JSON from body(), with the headers every public answer has; `headers` are further lines.
  void answer(unsigned status, http::Responder responder, std::string_view headers = {});
  // Anything else: neither CORS nor no-store, unless `headers` says so.
  void answer_raw(unsigned status, std::string_view content_type, std::string_view headers,
                  std::string_view body, http::Responder responder);

  // A buffer for one answer's body; empty when a handler begins.
  std::string& body() { return body_; }
  std::string& headers() { return headers_; }

  // Receipts of the answers that follow are sealed under the keys of this moment.
  void hold_keys() { keys_ = parts().ledger.keys(); }
  // Appends the receipt as text; nothing if its key is gone.
  void append_receipt(const Receipt& receipt);
  // "Nandolytics-Hit: page=n; site=m" of a hit that was counted.
  std::string_view hit_header(const Outcome& outcome);

  // All loops and all parts.
  void describe_all(MetricsPage& page) const { api_.describe(page); }
  // `label` tells this loop's rows from the others'.
  void describe(MetricsPage& page, const std::string& label) const;

 private:
  bool is_there(Access access) const;
  std::string_view refusal(Access access, const http::Request& request);
  void drop(std::string_view word, http::Responder responder);
  void preflight(const http::Request& request, const Match& match, http::Responder responder);

  Api& api_;
  http::Mailbox& mailbox_;
  HeldClock clock_;  // Of the hits of a turn.
  Ingest ingest_;
  HitReader reader_;
  Tokens::Reader tokens_;
  SiteTables::Reader sites_;
  PromotionTables::Reader promotions_;
  Gate gate_;
  Listeners listeners_;
  std::string body_;
  std::string headers_;
  std::shared_ptr<const KeyRing> keys_;
  ReceiptSealer sealer_;
  std::array<std::atomic<std::uint64_t>, kErrors.size()> refusals_{};
};

}  // namespace nando
