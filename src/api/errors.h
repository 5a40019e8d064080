// Errors: the only table from an error's one word to its HTTP status. The same word stands in JSON,
// metrics and tests.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace nando {

// Whether a client that waits may do better by asking again.
enum class Retry : unsigned char { no, later };

struct ErrorRow {
  std::string_view word;
  unsigned status;
  Retry retry = Retry::no;
  std::string_view message;  // What to do, where whoever refuses has nothing better to say.
};

inline constexpr std::array kErrors = {
    // A body or a field.
    ErrorRow{"not_json", 400, Retry::no, "the body is not JSON"},
    ErrorRow{"not_utf8", 400, Retry::no, "the body is not UTF-8"},
    ErrorRow{"too_deep", 400, Retry::no, "the JSON is nested too deeply"},
    ErrorRow{"wrong_type", 400, Retry::no, "a field has the wrong type"},
    ErrorRow{"missing_site_url", 400, Retry::no,
             "send {\"siteUrl\": \"https://example.com/page\"}"},
    ErrorRow{"missing_url", 400, Retry::no, "name the page: url=https://example.com/page"},
    ErrorRow{"bad_id", 400, Retry::no, "an id has 16 to 64 bytes"},
    ErrorRow{"bad_secret_hash", 400, Retry::no, "a secret_hash has 16 bytes"},
    ErrorRow{"text_too_long", 400, Retry::no, "a field is too long"},
    ErrorRow{"bad_time", 400, Retry::no, "a time is milliseconds since 1970 or an RFC 3339 date"},
    ErrorRow{"bad_ip", 400, Retry::no, "an ip is an IPv4 or IPv6 address"},
    ErrorRow{"bad_props", 400, Retry::no, "props are pairs of text"},
    ErrorRow{"empty_array", 400, Retry::no, "send at least one hit"},
    ErrorRow{"too_many_hits", 400, Retry::no, "send at most 1,000 hits at once"},
    ErrorRow{"too_many_urls", 400, Retry::no, "ask for at most 100 pages at once"},
    ErrorRow{"bad_escape", 400, Retry::no, "a % must be followed by two hex digits"},
    ErrorRow{"bad_option", 400, Retry::no, "of is page, site or prize"},
    ErrorRow{"bad_url", 400, Retry::no, "send a whole http or https URL: https://example.com/page"},
    ErrorRow{"url_too_long", 400, Retry::no, "a page URL may have at most 4,096 bytes"},
    ErrorRow{"missing_field", 400, Retry::no, "a field that this needs is missing"},
    ErrorRow{"bad_value", 400, Retry::no, "a value is not what this takes"},
    ErrorRow{"bad_receipt", 400, Retry::no, "this is no receipt that was issued here"},
    ErrorRow{
        "no_secret", 400, Retry::no,
        "the hit of this receipt was sent without a secret_hash; nothing can be claimed by it"},
    // Who asks, and for what.
    ErrorRow{"token_needed", 401, Retry::no,
             "send Authorization: Bearer TOKEN (nandolytics token add)"},
    ErrorRow{"log_in_needed", 401, Retry::no, "log in first, or send a token of scope admin"},
    ErrorRow{"not_let_in", 401, Retry::no, "the address or the password is not right"},
    ErrorRow{"foreign_origin", 403, Retry::no, "only a page of this server may ask for this"},
    ErrorRow{"denied", 403, Retry::no, "this is not for this token"},
    ErrorRow{"foreign_host", 403, Retry::no,
             "the page that sends this is not of the site that it names"},
    ErrorRow{"wrong_secret", 403, Retry::no, "this is not the secret that the hit was sent with"},
    ErrorRow{"not_found", 404, Retry::no, "there is nothing at this address"},
    ErrorRow{"unknown_site", 404, Retry::no,
             "no site of this host is counted here (nandolytics site add HOST)"},
    ErrorRow{"unknown_promotion", 404, Retry::no, "there is no promotion of this name"},
    ErrorRow{"method_not_allowed", 405, Retry::no, "this address does not take that method"},
    ErrorRow{"already_there", 409, Retry::no, "it is there already"},
    ErrorRow{"id_reused", 409, Retry::no,
             "this id was counted for another page; every hit has an id of its own"},
    ErrorRow{"former_life", 410, Retry::no,
             "this receipt is of before the server was restored from a backup"},
    // Dropped: nobody is to blame.
    ErrorRow{"excluded", 202, Retry::no,
             "a page that is loaded ahead is not counted before it is seen"},
    ErrorRow{"bot", 202, Retry::no, "a bot's view by script or pixel is kept and has no number"},
    // Refused or unknown.
    ErrorRow{"rate_limited", 429, Retry::later, "too many hits from this address; ask again later"},
    ErrorRow{"too_many_attempts", 429, Retry::later, "too many attempts from this address"},
    ErrorRow{"clerk_busy", 503, Retry::later, "too much of this is asked at once"},
    ErrorRow{"no_code", 503, Retry::later,
             "this has won, and its code is not to be had now; ask again later"},
    ErrorRow{"not_saved", 503, Retry::later, "it could not be written down"},
    ErrorRow{"too_many_listeners", 503, Retry::later,
             "too many watch numbers change; ask for /api/v1/counts now and then"},
    ErrorRow{"site_not_saved", 503, Retry::later,
             "the site of this page could not be saved; nothing was counted, ask again later"},
    ErrorRow{"window_full", 503, Retry::later,
             "no further ids can be remembered now; ask again later"},
    ErrorRow{"disk_full", 503, Retry::later,
             "the server's disk is full; nothing was counted, ask again later"},
    ErrorRow{"queue_full", 503, Retry::later,
             "the server is behind; nothing was counted, ask again later"},
    ErrorRow{"stalled", 503, Retry::later,
             "the server's disk does not answer; nothing was counted, ask again later"},
    ErrorRow{"stopping", 503, Retry::later,
             "the server is stopping; nothing was counted, ask again later"},
    ErrorRow{"outcome_unknown", 503, Retry::later,
             "the write failed: this may be counted; ask again with the same id"},
    ErrorRow{"failed", 503, Retry::later,
             "the server's disk has failed; nothing was counted until it is restarted"},
    ErrorRow{"pages_full", 507, Retry::no,
             "this site has as many pages as it may; this one counts with (other)"},
    // HTTP itself.
    ErrorRow{"bad_request_line", 400, Retry::no, "a request begins METHOD SP TARGET SP HTTP/1.1"},
    ErrorRow{"bad_target", 400, Retry::no, "a target begins with a slash"},
    ErrorRow{"bad_version", 400, Retry::no, "only HTTP/1.1 and HTTP/1.0 are spoken here"},
    ErrorRow{"bad_header", 400, Retry::no, "a header line is Name: value"},
    ErrorRow{"bad_line_ending", 400, Retry::no, "lines end in CR LF"},
    ErrorRow{"obs_fold", 400, Retry::no, "a header may not go on on a second line"},
    ErrorRow{"control_character", 400, Retry::no, "no control characters in the head"},
    ErrorRow{"bad_host", 400, Retry::no, "HTTP/1.1 wants exactly one Host"},
    ErrorRow{"bad_content_length", 400, Retry::no, "at most one Content-Length, digits only"},
    ErrorRow{"bad_transfer_encoding", 400, Retry::no,
             "Transfer-Encoding is chunked or absent, and never beside Content-Length"},
    ErrorRow{"bad_chunk", 400, Retry::no, "the chunks of the body are not well formed"},
    ErrorRow{"request_timeout", 408, Retry::no, "the request was not whole in time"},
    ErrorRow{"body_too_large", 413, Retry::no, "the body is larger than this address takes"},
    ErrorRow{"target_too_long", 414, Retry::no, "a target has at most 16,384 bytes"},
    ErrorRow{"bad_expectation", 417, Retry::no, "Expect may only be 100-continue"},
    ErrorRow{"headers_too_large", 431, Retry::no,
             "a head has at most 32,768 bytes and 100 headers"},
};

// The row's place in kErrors. Nothing for a word that is not in the table.
constexpr std::optional<std::size_t> find_error(std::string_view word) {
  for (std::size_t i = 0; i < kErrors.size(); ++i) {
    if (kErrors[i].word == word) return i;
  }
  return std::nullopt;
}

}  // namespace nando
