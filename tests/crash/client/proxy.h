// Proxy: the network between client and server on a bad day. It drops some answers on the way
// back and sends some requests twice, at once, over two connections.
//
// It keeps every answer it saw in a log of its own, the dropped ones too, so that the check can
// compare what the client never learned.
#pragma once

#include "client/flags.h"

namespace crash {

// Serves until it is killed.
int run_proxy(Flags& flags);

}  // namespace crash
