"""Badges: which page each address shows, what is refused, and that none of them counts."""
from check import Row
from wire import Request, get, post

OPEN, CLOSED = "https://open.example", "https://closed.example"
LABEL_BYTES_MAX = 256
URL_BYTES_MAX = 4096
HEADERS = {"Content-Type": "image/svg+xml; charset=utf-8",
           "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate",
           "Content-Security-Policy": "default-src 'none'; sandbox",
           "Cross-Origin-Resource-Policy": "cross-origin"}


def badge(name, path, message=None, status=200, label="hits", headers=None, **request_headers):
    """A row; `message` is what the badge says beside its label."""
    said = f"{label}: {message}" if label else message

    def says(body):
        return body.startswith(b"<svg ") and f"<title>{said}</title>".encode() in body

    return Row(name, get(f"/badge/{path}", **request_headers), status, body=says,
               headers={**HEADERS, **(headers or {})})


def shows(world):
    page = f"{OPEN}/badge/a"
    for number in range(3):
        yield Row(f"hit {number}", post("/nandolytics/record", {"siteUrl": page}), 200, moves=1)
    for name, path in (("the page", "open.example/badge/a.svg"),
                       ("with www.", "www.open.example/badge/a.svg"),
                       ("in capitals", "OPEN.example/badge/a.svg"),
                       ("with a port that does not count", "open.example:443/badge/a.svg"),
                       ("with an escaped letter", "open.example/badge/%61.svg"),
                       ("with dot segments", "open.example/badge/x/../a.svg"),
                       ("with options of others", "open.example/badge/a.svg?cacheSeconds=9&logo=x"),
                       ("with tracking", "open.example/badge/a.svg?query=utm_source%3Dx")):
        yield badge(name, path, "3")
    for name, path in (("a slash more", "open.example/badge/a/.svg"),
                       ("an escaped slash", "open.example/badge%2Fa.svg"),
                       ("an escaped zero", "open.example/badge/a%00.svg"),
                       ("an ending of its own", "open.example/badge/a.svg.svg"),
                       ("another case", "open.example/badge/A.svg"),
                       ("a query of its own", "open.example/badge/a.svg?query=p%3D7")):
        yield badge(f"{name} is another page", path, "0")
    for url, path in ((f"{OPEN}/badge/a%2Fb", "open.example/badge/a%2Fb.svg"),
                      (f"{OPEN}/badge/logo.svg", "open.example/badge/logo.svg.svg"),
                      (f"{OPEN}/badge/a?p=7", "open.example/badge/a.svg?query=p%3D7"),
                      (f"{OPEN}/badge/s\u00e4", "open.example/badge/s%C3%A4.svg"),
                      ("https://other.example/", "other.example.svg")):
        yield Row(f"{url} is counted", post("/nandolytics/record", {"siteUrl": url}), 200, moves=1)
        yield badge(f"{url} is shown", path, "1")
    yield badge("the front page, with a slash", "other.example/.svg", "1")
    counts = world.server.ask(get("/api/v1/counts?url=https://other.example/")).json()["counts"][0]
    yield Row("another page of that site", post("/nandolytics/record", {
        "siteUrl": "https://other.example/badge"}), 200, moves=1)
    yield badge("the site's count is not the page's", "other.example.svg?of=page", "1")
    yield badge("of the site", "other.example/never.svg?of=site", str(counts["site"] + 1))
    yield Row("HEAD", Request("HEAD", "/badge/open.example/badge/a.svg"), 200, body=b"",
              headers={**HEADERS, "Content-Length": lambda size: int(size) > 500})


def options(world):
    for size in (1000, 234):
        hits = [{"url": f"{OPEN}/badge/large"}] * size
        yield Row(f"{size} hits", post("/api/v1/hits", hits, **world.bearer("hits")), 200,
                  moves=size)
    large = "open.example/badge/large.svg"
    yield badge("every digit", large, "1,234")
    yield badge("short", f"{large}?format=short", "1.2k")
    yield badge("a label", f"{large}?label=page+views", "1,234", label="page views")
    yield badge("no label", f"{large}?label=", "1,234", label="")
    yield badge("the last label", f"{large}?label=a&label=b", "1,234", label="b")
    yield badge("a label of 256 bytes", f"{large}?label={'x' * LABEL_BYTES_MAX}", "1,234",
                label="x" * LABEL_BYTES_MAX)
    yield badge("one more", f"{large}?label={'x' * (LABEL_BYTES_MAX + 1)}", "text too long", 400)
    yield badge("no UTF-8", f"{large}?label=%FF", "not utf8", 400)
    yield badge("control characters", f"{large}?label=a%00%0D%0Ab%1B", "1,234", label="ab")
    yield badge("neither page nor site", f"{large}?of=pages", "bad option", 400)
    yield badge("half an escape", f"{large}?label=%2", "bad escape", 400)
    for query, wanted in (("", b'fill="#007ec6"'), ("?color=red", b'fill="#dd4343"'),
                          ("?color=%234C1", b'fill="#4c1"'), ("?color=no", b'fill="#007ec6"'),
                          ("?color=%22/%3E%3Cscript%3E", b'fill="#007ec6"'),
                          ("?label_color=fff", b'fill="#333"'), ("?style=plastic", b'height="18"'),
                          ("?style=flat-square", b"crispEdges"), ("?style=%22x", b'height="20"')):
        yield Row(f"looks: {query or 'none'}", get(f"/badge/{large}{query}"), 200, headers=HEADERS,
                  body=lambda body, part=wanted: part in body and b"script" not in body)


def refusals(world):
    grey = {"Nandolytics-Hit": None, "Nandolytics-Dropped": None, "Retry-After": None}
    for name, path, status, message in (
            ("an unknown site", "unknown.example/a.svg", 404, "unknown site"),
            ("a closed site", "closed.example/a.svg", 404, "unknown site"),
            ("all of a closed site", "closed.example/a.svg?of=site", 404, "unknown site"),
            ("no host", ".svg", 400, "bad url"),
            ("a slash too many", "/a.svg", 404, "unknown site"),
            ("a host and a slash in one", "open.example%2Fa.svg", 400, "bad url"),
            ("a host with a space", "open%20example/a.svg", 400, "bad url"),
            ("a query with a line break", "open.example/a.svg?query=%0A", 400, "bad url"),
            ("a whole URL", "https://open.example/a.svg", 404, "unknown site"),
            ("a port that is none", "open.example:99999/a.svg", 400, "bad url")):
        yield badge(name, path, message, status, headers=grey)
    longest = "open.example/".ljust(URL_BYTES_MAX - len("https://"), "b")
    yield badge("the longest URL", f"{longest}.svg", "0")
    yield badge("one byte more", f"{longest}b.svg", "url too long", 400)
    yield badge("what was refused has its label", "unknown.example/a.svg?label=views",
                "unknown site", 404, label="views")
    for name in ("admin", "stats", "bound_stats"):
        yield badge(f"a closed site with the {name} token", "closed.example/badge.svg", "0",
                    headers=None, **world.bearer(name))
    for name in ("hits", "revoked"):
        yield badge(f"a closed site with the {name} token", "closed.example/badge.svg",
                    "unknown site", 404, **world.bearer(name))
    for path in ("/badge/open.example/a", "/badge/open.example/a.png", "/badge/",
                 "/badge/open.example/a.SVG", "/badge/open.example/a.svg/", "/badge"):
        yield Row(f"{path} is no badge", get(path), 404, "not_found")
    yield Row("POST", post("/badge/open.example/a.svg", "{}"), 405, "method_not_allowed")
    yield Row("another origin", get("/badge/open.example/never.svg", Origin="https://evil.example"),
              200, headers=HEADERS)


def closed_like_unknown(report, world):
    """Byte for byte, so that a badge does not tell which sites are counted here."""
    world.server.ask(post("/nandolytics/record", {"siteUrl": f"{CLOSED}/a"}))
    answers = [world.server.ask(get(f"/badge/{host}/a.svg"))
               for host in ("closed.example", "unknown.example")]
    report.equal("a closed site's badge is an unknown one's",
                 *[(one.status, [pair for pair in one.headers if pair[0] != "Date"], one.body)
                   for one in answers])


ALL = (shows, options, refusals)
ON_ONE_SERVER = (closed_like_unknown,)
