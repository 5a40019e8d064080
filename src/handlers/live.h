// What watches a page's numbers, once it is known that it may.
#pragma once

#include "api/loop.h"

namespace nando {

// Answers with server-sent events: docs/reference/api.md.
void stream_live(Loop& loop, const Listeners::WatchedPage& page, http::Responder responder,
                 Audience audience = Audience::everybody);

}  // namespace nando
