"""What browsers on other origins are told (H11), and who sees what is for operators."""
from check import Row
from wire import Request, get, pairs, post

OPEN = "https://open.example"
PUBLIC = (("POST", "/nandolytics/record"), ("GET", "/nandolytics/https:%2F%2Fopen.example%2Fa"),
          ("POST", "/dev/nandolytics/record"), ("GET", "/dev/nandolytics/x"),
          ("POST", "/api/v1/hits"), ("GET", "/api/v1/counts"), ("GET", "/api/v1/live"),
          ("GET", "/hit.gif"),
          ("GET", "/badge/open.example/a.svg"),
          ("GET", "/healthz"), ("GET", "/api/health"), ("GET", "/api/heartbeat"))
ASKED = "content-type, x-anything, authorization"


def options(target, **headers):
    return Request("OPTIONS", target, None, pairs(headers))


def preflights(_world):
    for method, target in PUBLIC:
        yield Row(f"preflight for {method} {target}",
                  options(target, Origin="https://evil.example",
                          Access_Control_Request_Method=method,
                          Access_Control_Request_Headers=ASKED), 204,
                  headers={"Access-Control-Allow-Headers": ASKED,
                           "Access-Control-Allow-Methods": lambda text, m=method: m in text,
                           "Access-Control-Max-Age": "86400", "Content-Length": None,
                           "Vary": "Access-Control-Request-Headers"}, body=b"")
    yield Row("preflight without headers asked for", options("/api/v1/hits"), 204,
              headers={"Access-Control-Allow-Headers": None, "Allow": "POST, OPTIONS"})
    yield Row("preflight for nothing", options("/nothing"), 404, "not_found")
    for target in ("/metrics", "/readyz", "/try"):
        yield Row(f"OPTIONS {target}", options(target, Origin="https://evil.example"), 204,
                  headers={"Access-Control-Allow-Origin": None, "Allow": "GET, HEAD, OPTIONS"},
                  public=False)


def cookies(_world):
    """A cookie changes nothing, and none is set: `public` holds every row to that."""
    sent = {"Cookie": "session=1; nandolytics=1", "Origin": OPEN}
    yield Row("record with a cookie", post("/nandolytics/record", {"siteUrl": f"{OPEN}/c"}, **sent),
              200, moves=1)
    for target, status in (("/nothing", 404), ("/api/v1/counts", 400), ("/nandolytics/%", 400),
                           ("/api/v1/counts?url=https://unknown.example/", 404),
                           (f"/hit.gif?url={OPEN}/c", 200)):
        yield Row(f"GET {target} with a cookie", get(target, **sent), status,
                  moves=1 if status == 200 else 0)
    yield Row("what breaks HTTP", Request("GET", "nothing"), 400, "bad_target")


def heads(_world):
    for target, status in ((f"/api/v1/counts?url={OPEN}/a", 200), ("/nothing", 404),
                           (f"/nandolytics/{OPEN}/never", 404), ("/hit.gif", 200)):
        yield Row(f"HEAD {target}", Request("HEAD", target), status, body=b"",
                  headers={"Content-Length": lambda size: int(size) > 0})


PROXIED = (("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("X-Real-IP", "::1"),
           ("X-Forwarded-Host", "stats.example"), ("Forwarded", "for=127.0.0.1"), ("Via", "1.1 x"),
           ("CF-Connecting-IP", "127.0.0.1"))


def operators(world):
    for target in ("/metrics", "/readyz"):
        mine = {"public": False, "headers": {"Access-Control-Allow-Origin": None,
                                             "Cache-Control": "no-store"}}
        yield Row(f"{target} from loopback", get(target), 200, **mine)
        for name, value in PROXIED:
            yield Row(f"{target} with {name}", get(target, **{name: value}), 401, "token_needed",
                      headers={"WWW-Authenticate": "Bearer"})
        far = {"X-Forwarded-For": "192.0.2.1"}
        for name in ("stats", "admin"):
            yield Row(f"{target} from afar with the {name} token",
                      get(target, **far, **world.bearer(name)), 200, **mine)
        for name in ("hits", "bound", "bound_stats", "revoked"):
            yield Row(f"{target} from afar with the {name} token",
                      get(target, **far, **world.bearer(name)), 401, "token_needed")
    yield Row("/readyz says where the journal stands", get("/readyz"), 200, public=False,
              json={"ready": True, "sequence": lambda n: n > 1000, "failure": "", "warnings": "",
                    "warehouse": lambda copy: copy["problem"] == "" and not copy["filling"],
                    "scrub": lambda scrub: scrub["damage"] == ""})


ALL = (preflights, cookies, heads, operators)
