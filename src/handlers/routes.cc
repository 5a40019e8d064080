#include "handlers/routes.h"

#include <array>

namespace nando {

namespace {

constexpr std::size_t kSmallBody = 128 << 10;
constexpr std::size_t kHitsBody = 2 << 20;
constexpr std::size_t kOwnBody = 8 << 10;
constexpr std::size_t kNoBody = 0;

constexpr std::array kRoutes = {
    // The seed's own two, and below one leading stage segment, as API Gateway has it.
    Route{"POST", "/nandolytics/record", Access::open, kSmallBody, handle_record},
    Route{"GET", "/nandolytics/{...}", Access::open, kNoBody, handle_read},
    Route{"POST", "/{}/nandolytics/record", Access::open, kSmallBody, handle_record},
    Route{"GET", "/{}/nandolytics/{...}", Access::open, kNoBody, handle_read},

    Route{"POST", "/api/v1/hits", Access::open, kHitsBody, handle_hits},
    Route{"GET", "/api/v1/counts", Access::open, kNoBody, handle_counts},
    Route{"GET", "/api/v1/live", Access::open, kNoBody, handle_live},
    Route{"GET", "/hit.gif", Access::open, kNoBody, handle_pixel},
    Route{"GET", "/badge/{...}", Access::open, kNoBody, handle_badge},

    Route{"POST", "/api/v1/claims", Access::open, kOwnBody, handle_claim},
    Route{"GET", "/api/v1/promotions/{...}", Access::open, kNoBody, handle_promotion},

    Route{"GET", "/healthz", Access::open, kNoBody, handle_health},
    Route{"GET", "/api/health", Access::open, kNoBody, handle_health},
    Route{"GET", "/api/heartbeat", Access::open, kNoBody, handle_health},
    Route{"GET", "/readyz", Access::operators, kNoBody, handle_ready},
    Route{"GET", "/metrics", Access::operators, kNoBody, handle_metrics},

    // Of our own pages.
    Route{"GET", "/api/v1/session", Access::own_page, kNoBody, handle_session},
    Route{"POST", "/api/v1/session", Access::own_page, kOwnBody, handle_log_in},
    Route{"DELETE", "/api/v1/session", Access::own_page, kNoBody, handle_log_out},
    Route{"POST", "/api/v1/owner", Access::owner, kOwnBody, handle_owner},
    Route{"GET", "/api/v1/sites", Access::owner, kNoBody, handle_sites},
    Route{"POST", "/api/v1/sites", Access::owner, kOwnBody, handle_add_site},
    Route{"POST", "/api/v1/sites/set", Access::owner, kOwnBody, handle_set_site},
    Route{"POST", "/api/v1/sites/test", Access::owner, kOwnBody, handle_test_hit},
    Route{"GET", "/api/v1/sites/live", Access::owner, kNoBody, handle_site_live},
    Route{"GET", "/api/v1/knocks", Access::owner, kNoBody, handle_knocks},
    Route{"GET", "/", Access::open, kNoBody, handle_asset},
    Route{"GET", "/js/{...}", Access::open, kNoBody, handle_asset},
    Route{"GET", "/assets/{...}", Access::open, kNoBody, handle_asset},
    Route{"POST", "/api/v1/try", Access::trial, kNoBody, handle_try},
    Route{"GET", "/try", Access::trial, kNoBody, handle_asset},
};

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

}  // namespace nando
