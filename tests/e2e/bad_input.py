"""What is refused, each with its word and no count moved; and what is taken though it looks odd."""
import json

from check import Row, id_of
from wire import Request, get, pairs, post

RECORD, HITS = "/nandolytics/record", "/api/v1/hits"
RECORD_BYTES_MAX, HITS_BYTES_MAX = 128 << 10, 2 << 20
URL_BYTES_MAX = 4096
TARGET_BYTES_MAX = 16384
JSON_DEPTH_MAX = 8
OPEN = "https://open.example"
DOORS = (("record", RECORD, "siteUrl"), ("hits", HITS, "url"))


def padded(key, size):
    body = {key: f"{OPEN}/large", "pad": ""}
    body["pad"] = "x" * (size - len(json.dumps(body)))
    return json.dumps(body)


def nested(key, depth):
    return f'{{"{key}": "{OPEN}/deep", "x": {"[" * (depth - 1)}{"]" * (depth - 1)}}}'


def long_url(size):
    return f"{OPEN}/".ljust(size, "p")


def chunked(target, body):
    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return Request("POST", target, framed, pairs({"Transfer-Encoding": "chunked"}))


def bodies(_world):
    for door, target, key in DOORS:
        size = RECORD_BYTES_MAX if target == RECORD else HITS_BYTES_MAX
        full, over = padded(key, size), padded(key, size + 1)
        yield Row(f"{door}: the largest body", post(target, full), 200, moves=1)
        yield Row(f"{door}: one byte more", post(target, over), 413, "body_too_large")
        yield Row(f"{door}: the largest body in chunks", chunked(target, full.encode()), 200,
                  moves=1)
        yield Row(f"{door}: one byte more in chunks", chunked(target, over.encode()), 413,
                  "body_too_large")
        for name, body in (("nothing", ""), ("a form", f"{key}={OPEN}/a"), ("half an object", "{"),
                           ("two objects", f'{{"{key}": "{OPEN}/a"}}{{}}'),
                           ("a comment", f'{{"{key}": "{OPEN}/a"}} // x'),
                           ("single quotes", f"{{'{key}': '{OPEN}/a'}}"),
                           ("half a surrogate", f'{{"{key}": "{OPEN}/\\ud800"}}'),
                           ("a line break in a string", f'{{"{key}": "{OPEN}/\n"}}')):
            yield Row(f"{door}: {name}", post(target, body), 400, "not_json")
        yield Row(f"{door}: as deep as it may be", post(target, nested(key, JSON_DEPTH_MAX)), 200,
                  moves=1)
        yield Row(f"{door}: one level deeper", post(target, nested(key, JSON_DEPTH_MAX + 1)), 400,
                  "too_deep")
        yield Row(f"{door}: very deep", post(target, nested(key, 50_000)), 400, "too_deep")
        for name, octets in (("a stray byte", b"\xff"), ("an overlong slash", b"\xc0\xaf"),
                             ("a surrogate", b"\xed\xa0\x80"), ("half a character", b"\xe2\x82")):
            body = b'{"%s": "%s/%s"}' % (key.encode(), OPEN.encode(), octets)
            yield Row(f"{door}: {name} in UTF-8", post(target, body), 400, "not_utf8")
        for value in (7, None, True, ["https://open.example/"], {"href": "https://open.example/"}):
            yield Row(f"{door}: {key} is {value!r}", post(target, {key: value}), 400, "wrong_type")
        for name, body in (("a string", '"x"'), ("null", "null"), ("a number", "1")):
            yield Row(f"{door}: the body is {name}", post(target, body), 400, "wrong_type")
        word = "missing_site_url" if target == RECORD else "missing_url"
        for name, body in (("{}", {}), ("another key", {key.upper(): f"{OPEN}/a"}),
                           ("a key inside", {"x": {key: f"{OPEN}/a"}})):
            yield Row(f"{door}: {key} is missing, {name}", post(target, body), 400, word)
    yield Row("record: an array", post(RECORD, [{"siteUrl": f"{OPEN}/a"}]), 400, "wrong_type")
    yield Row("record: unknown fields", post(RECORD, {"siteUrl": f"{OPEN}/unknown-fields", "x": [1],
                                                      "y": {"siteUrl": 1}}), 200, moves=1)
    yield Row("hits: unknown fields",
              post(HITS, {"url": f"{OPEN}/unknown-fields", "x": {"y": [1]}}),
              200, moves=1)


def fields(_world):
    texts = (("referrer", 2048), ("title", 512), ("screen", 16), ("language", 35))
    for key, size in texts:
        body = {"url": f"{OPEN}/fields"}
        yield Row(f"hits: {key} of {size}", post(HITS, {**body, key: "x" * size}), 200, moves=1)
        yield Row(f"hits: {key} of {size + 1}", post(HITS, {**body, key: "x" * (size + 1)}), 400,
                  "text_too_long")
        yield Row(f"hits: {key} is a number", post(HITS, {**body, key: 1}), 400, "wrong_type")
        yield Row(f"hits: {key} is null", post(HITS, {**body, key: None}), 200, moves=1)
    event = {"url": f"{OPEN}/fields", "name": "signup"}
    yield Row("hits: an event moves no count", post(HITS, event), 200, events=1)
    yield Row("hits: a name of 120", post(HITS, {**event, "name": "x" * 120}), 200, events=1)
    yield Row("hits: a name of 121", post(HITS, {**event, "name": "x" * 121}), 400, "text_too_long")
    pairs_30 = {f"k{i}": i for i in range(30)}
    yield Row("hits: 30 props", post(HITS, {**event, "props": pairs_30}), 200, events=1)
    yield Row("hits: 31 props", post(HITS, {**event, "props": {**pairs_30, "more": True}}), 400,
              "bad_props")
    yield Row("hits: a prop of a prop", post(HITS, {**event, "props": {"a": {"b": 1}}}), 400,
              "bad_props")
    yield Row("hits: props are a string", post(HITS, {**event, "props": "a=b"}), 400, "wrong_type")
    for door, target, key in DOORS:
        page = {key: f"{OPEN}/ids"}
        for size, status, word in ((15, 400, "bad_id"), (16, 200, None), (64, 200, None),
                                   (65, 400, "bad_id"), (0, 400, "bad_id")):
            yield Row(f"{door}: an id of {size}", post(target, {**page, "id": f"{key}-{size}".ljust(
                size, "i")[:size]}), status, word, moves=1 if status == 200 else 0)
        yield Row(f"{door}: an id that is a number",
                  post(target, {**page, "id": 12345678901234567}),
                  400, "wrong_type")
        for secret, status, word in (("0" * 32, 200, None), ("A" * 22, 200, None),
                                     ("0" * 31, 400, "bad_secret_hash"),
                                     ("g" * 32, 400, "bad_secret_hash"),
                                     (1, 400, "wrong_type")):
            yield Row(f"{door}: secret_hash {secret}",
                      post(target, {**page, "secret_hash": secret}),
                      status, word, moves=1 if status == 200 else 0)


BAD_URLS = ("", " ", "/a", "open.example/a", "//open.example/a", "https://", "https:///",
            "https://./", "https://open..example/", "https://open.example:65536/", "https://[::g]/",
            "data:text/html,<script>alert(1)</script>", "javascript:alert(document.domain)",
            "JavaScript://open.example/%0Aalert(1)", "ftp://open.example/a", "file:///etc/passwd",
            "about:blank", "blob:https://open.example/x", "https://exa mple.com/",
            "https://open.example/\u0000", "https://open.example/a\nb")


def urls(_world):
    for door, target, key in DOORS:
        for url in BAD_URLS:
            yield Row(f"{door}: {url!r}", post(target, {key: url}), 400, "bad_url")
        yield Row(f"{door}: a URL of {URL_BYTES_MAX}", post(target, {key: long_url(URL_BYTES_MAX)}),
                  200, moves=1)
        yield Row(f"{door}: one byte more", post(target, {key: long_url(URL_BYTES_MAX + 1)}), 400,
                  "url_too_long")
        yield Row(f"{door}: 64 KiB of path", post(target, {key: long_url(64 << 10)}), 400,
                  "url_too_long")
        spelled_long = f"{OPEN}/" + "\u00fc" * 2000  # 4,020 bytes as sent, 12,020 as spelled.
        yield Row(f"{door}: too long once it is spelled", post(target, {key: spelled_long}), 400,
                  "url_too_long")
        for url in ("https://unknown.example/", "https://sub.open.example/", "https://example/",
                    "http://127.0.0.1/", "https://open.example.evil.example/"):
            yield Row(f"{door}: {url} is of no site", post(target, {key: url}), 404, "unknown_site",
                      headers={"Nandolytics-Dropped": "unknown_site"})


def targets(_world):
    for garbage in ("%", "%z", "%zz", "%1", "https%3A%2F%2Fopen.example%2F%", "%%%"):
        yield Row(f"read: {garbage}", get(f"/nandolytics/{garbage}"), 400, "bad_escape")
        yield Row(f"counts: {garbage}", get(f"/api/v1/counts?url={garbage}"), 400, "bad_escape")
        yield Row(f"pixel: {garbage}", get(f"/hit.gif?url={garbage}"), 400, "bad_escape")
    for garbage in ("", "%00", "%FF%FE", "nothing", "%E2%82", "..%2F..%2Fetc%2Fpasswd", "%20"):
        yield Row(f"read: {garbage!r} is no URL", get(f"/nandolytics/{garbage}"), 400, "bad_url")
    yield Row("read: bytes that are no UTF-8", get("/nandolytics/https%3A%2F%2Fopen.example%2F%FF"),
              404, "not_found", json={"siteHits": 0, "siteUrl": "https://open.example/\ufffd"})
    yield Row("counts: bytes that are no UTF-8", get("/api/v1/counts?url=https://open.example/%FF"),
              200, json={"counts": lambda all: all[0]["url"] == "https://open.example/\ufffd"})
    yield Row("counts: no url", get("/api/v1/counts"), 400, "missing_url")
    yield Row("counts: another name", get(f"/api/v1/counts?u={OPEN}/a"), 400, "missing_url")
    many = "&".join(f"url={OPEN}/{i}" for i in range(100))
    yield Row("counts: 100 pages", get(f"/api/v1/counts?{many}"), 200,
              json={"counts": lambda all: len(all) == 100})
    yield Row("counts: 101 pages", get(f"/api/v1/counts?{many}&url={OPEN}/a"), 400, "too_many_urls")
    longest = f"/nandolytics/{OPEN}/".ljust(TARGET_BYTES_MAX, "p")
    yield Row("a target of 16 KiB", get(longest), 400, "url_too_long")
    yield Row("one byte more", get(longest + "p"), 414, "target_too_long")
    some = f"/api/v1/counts?url={OPEN}/a"
    yield Row("100 headers", get(some, User_Agent=None, **{f"x-{i}": "1" for i in range(98)}), 200)
    yield Row("101 headers", get(some, User_Agent=None, **{f"x-{i}": "1" for i in range(99)}), 431,
              "headers_too_large")
    for path in ("/nandolytics", "/nandolytics/record/", "/api/v1/hits/", "/hit.gif/x",
                 "/a/b/nandolytics/record", "//nandolytics/record", "/API/v1/hits", "/favicon.ico",
                 "/api/v1/counts%3Furl=x", "/healthz/", "/nandolytics%2Frecord"):
        yield Row(f"POST {path}", post(path, {"siteUrl": f"{OPEN}/a", "url": f"{OPEN}/a"}),
                  405 if path == "/nandolytics/record/" else 404,
                  "method_not_allowed" if path == "/nandolytics/record/" else "not_found")


METHODS = (
    ("/nandolytics/record", "POST, GET, HEAD",
     ("PUT", "DELETE", "PATCH", "TRACE", "post", "POSTS")),
    ("/nandolytics/https:%2F%2Fopen.example%2Fa", "GET, HEAD", ("POST", "PUT", "get")),
    ("/api/v1/hits", "POST", ("GET", "HEAD", "PUT", "PATCH", "M-SEARCH", "!#$%&'*+-.^_`|~")),
    ("/api/v1/counts?url=https://open.example/a", "GET, HEAD", ("POST", "DELETE", "PROPFIND")),
    ("/hit.gif?url=https://open.example/a", "GET, HEAD", ("POST", "PUT")),
    ("/healthz", "GET, HEAD", ("POST", "BREW")),
)


def methods(_world):
    for target, allow, wrong in METHODS:
        for method in wrong:
            for body in (None, b"{}"):
                yield Row(f"{method} {target}{' with a body' if body else ''}",
                          Request(method, target, body), 405,
                          None if method == "HEAD" else "method_not_allowed",
                          headers={"Allow": f"{allow}, OPTIONS"})
    yield Row("a method that is none", Request("GE(T", "/healthz"), 400, "bad_request_line")


def content_types(_world):
    body = json.dumps({"siteUrl": f"{OPEN}/types", "url": f"{OPEN}/types"})
    for kind in ("text/plain", "text/plain;charset=UTF-8", "application/json", "text/html",
                 "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                 "application/octet-stream", "image/gif", "nonsense", "a/b; c=\"", "", None):
        headers = {} if kind is None else {"Content-Type": kind}
        for door, target, _ in DOORS:
            yield Row(f"{door}: Content-Type {kind!r}", post(target, body, **headers), 200, moves=1,
                      headers={"Content-Type": "application/json"})


def reused(_world):
    name = id_of("reused")
    yield Row("an id", post(RECORD, {"siteUrl": f"{OPEN}/one", "id": name}), 200, moves=1,
              without=("duplicate",), json={})
    for door, target, key in DOORS:
        yield Row(f"{door}: it again for another page",
                  post(target, {key: f"{OPEN}/other", "id": name}), 409, "id_reused")
        yield Row(f"{door}: it again for its page", post(target, {key: f"{OPEN}/one", "id": name}),
                  200, json={"duplicate": True})
    yield Row("pixel: it again for another page", get(f"/hit.gif?url={OPEN}/other&id={name}"), 409,
              "id_reused")
    yield Row("it again for an event", post(HITS, {"url": f"{OPEN}/one", "id": name, "name": "x"}),
              409, "id_reused")
    yield Row("it again for another site", post(RECORD, {"siteUrl": "https://other.example/one",
                                                         "id": name}), 200, moves=1)


ALL = (bodies, fields, urls, targets, methods, content_types, reused)
