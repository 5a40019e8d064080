"""Scripts, pages and their parts: how they are packed, kept and asked for again."""
import gzip
import re

from check import Row
from wire import Request, get, pairs, post

TRACKER = "/js/nando.js"
FOREVER = "public, max-age=31536000, immutable"
OF_PARTS = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding", "Set-Cookie": None,
            "Access-Control-Allow-Credentials": None}
STRICT = ("default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'",
          "frame-ancestors 'none'")


def row(name, request, status=200, **more):
    return Row(name, request, status, public=False, **more)


def kept(text):
    return re.fullmatch(r"public, max-age=\d{2,3}, stale-while-revalidate=\d+", text or "")


def packing(report, world):
    """The same bytes, gzipped where the client takes that; what it says of gzip counts first."""
    plain = world.server.ask(get(TRACKER))
    for accepts, packed in (("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("", False),
                            ("gzip;q=0, *", False), ("gzip; q=0.000", False), ("*;q=0", False),
                            ("identity", False), ("xgzip", False)):
        answer = world.server.ask(get(TRACKER, Accept_Encoding=accepts))
        name = f"Accept-Encoding: {accepts}"
        report.equal(name, answer.header("Content-Encoding"), "gzip" if packed else None)
        body = gzip.decompress(answer.body) if packed else answer.body
        report.equal(f"{name}: the same bytes", body, plain.body)
    head = world.server.ask(Request("HEAD", TRACKER, None, pairs({"Accept_Encoding": "gzip"})))
    whole = world.server.ask(get(TRACKER, Accept_Encoding="gzip"))
    report.equal("HEAD says how long it is", head.header("Content-Length"), str(len(whole.body)))


def again(report, world):
    tag = world.server.ask(get(TRACKER)).header("ETag")
    report.check("the tag is one", re.fullmatch(r'W/"[0-9a-f]{16}"', tag) is not None)
    for name, asked, status in (("the same", tag, 304), ("not weak", tag[2:], 304),
                                ("any", "*", 304),
                                ("among others", f'"x", {tag}, W/"y"', 304), ("none", '""', 200),
                                ("another", 'W/"0123456789abcdef"', 200),
                                ("a part of it", tag[:-3] + '"', 200)):
        answer = world.server.ask(get(TRACKER, If_None_Match=asked))
        report.equal(f"If-None-Match: {name}", answer.status, status)
        report.equal(f"{name}: the body", bool(answer.body), status == 200)
        report.equal(f"{name}: its tag", answer.header("ETag"), tag)


def elements_of(world):
    """Their addresses: the tracker has one hash for both."""
    found = re.search(rb"-[0-9a-f]{6}\.js", world.server.ask(get(TRACKER)).body)[0].decode()
    return [f"/js/{tag}{found}" for tag in ("hit-count", "hit-winner")]


def keeping(world):
    yield row("the tracker is asked for again", get(TRACKER),
              headers={**OF_PARTS, "Cache-Control": kept})
    for element in elements_of(world):
        yield row(f"what has a hash is not: {element}", get(element),
                  headers={**OF_PARTS, "Cache-Control": FOREVER,
                           "Content-Type": "text/javascript; charset=utf-8"})
        same = world.server.ask(get(element)).body
        older = element[:element.rindex("-")] + "-0.js"
        yield row(f"an older tracker gets that of today, for a while: {older}", get(older),
                  headers={**OF_PARTS, "Cache-Control": kept}, body=same)
    page = world.server.ask(get("/try"))
    for part in sorted(set(re.findall(rb'"(assets/[^"]+)"', page.body))):
        yield row(f"{part.decode()} of a page", get("/" + part.decode()),
                  headers={**OF_PARTS, "Cache-Control": FOREVER})
    yield row("a page is not kept, and strict", get("/try"),
              headers={"Cache-Control": "no-store", "Access-Control-Allow-Origin": None,
                       "Content-Security-Policy": lambda text: all(s in text for s in STRICT)})
    for target in ("/js/", "/js/nando", "/js/nando.js/", "/js/../try", "/assets/", "/assets/try",
                   "/js/try", "/assets/js/nando.js"):
        yield Row(f"GET {target}", get(target), 404, "not_found")
    yield Row("POST to a script", post(TRACKER, {}), 405, "method_not_allowed")


ALL = (keeping,)
ON_ONE_SERVER = (packing, again)
