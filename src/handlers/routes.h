// Routes: every address of this server, one row each. No two rows match one request (routes_test.cc
// proves it).
#pragma once

#include "api/route.h"

namespace nando {

std::span<const Route> routes();

// Handlers, a file each.
void handle_record(Loop& loop, const Call& call, http::Responder responder);
void handle_read(Loop& loop, const Call& call, http::Responder responder);
void handle_hits(Loop& loop, const Call& call, http::Responder responder);
void handle_counts(Loop& loop, const Call& call, http::Responder responder);
void handle_live(Loop& loop, const Call& call, http::Responder responder);
void handle_pixel(Loop& loop, const Call& call, http::Responder responder);
void handle_claim(Loop& loop, const Call& call, http::Responder responder);
void handle_promotion(Loop& loop, const Call& call, http::Responder responder);
void handle_badge(Loop& loop, const Call& call, http::Responder responder);
void handle_health(Loop& loop, const Call& call, http::Responder responder);
void handle_ready(Loop& loop, const Call& call, http::Responder responder);
void handle_metrics(Loop& loop, const Call& call, http::Responder responder);
void handle_session(Loop& loop, const Call& call, http::Responder responder);
void handle_log_in(Loop& loop, const Call& call, http::Responder responder);
void handle_log_out(Loop& loop, const Call& call, http::Responder responder);
void handle_owner(Loop& loop, const Call& call, http::Responder responder);
void handle_sites(Loop& loop, const Call& call, http::Responder responder);
void handle_add_site(Loop& loop, const Call& call, http::Responder responder);
void handle_set_site(Loop& loop, const Call& call, http::Responder responder);
void handle_test_hit(Loop& loop, const Call& call, http::Responder responder);
void handle_site_live(Loop& loop, const Call& call, http::Responder responder);
void handle_knocks(Loop& loop, const Call& call, http::Responder responder);
void handle_try(Loop& loop, const Call& call, http::Responder responder);
void handle_asset(Loop& loop, const Call& call, http::Responder responder);

}  // namespace nando
