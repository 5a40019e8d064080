"""What is counted and read, field by field; who may; and what browsers are told."""
import base64

from check import Row, id_of
from wire import Request, get, pairs, post

RECORD, HITS = "/nandolytics/record", "/api/v1/hits"
OPEN, CLOSED = "https://open.example", "https://closed.example"
SMALL, STRIP = "https://small.example", "https://strip.example"


def is_receipt(text):
    return isinstance(text, str) and len(text) == 192 and len(base64.urlsafe_b64decode(text)) == 144


def is_text(text):
    return isinstance(text, str)


def is_number(value):
    return type(value) is int


def encoded(url):
    return "/nandolytics/" + url.replace("%", "%25").replace(":", "%3A").replace("/", "%2F")


def seed(_world):
    """As the seed had it: a string where it counts, a number where it reads."""
    page = f"{OPEN}/seed"
    yield Row("a page never counted", get(encoded(page)), 404, "not_found",
              json={"siteUrl": page, "siteHits": 0})
    yield Row("its first hit", post(RECORD, {"siteUrl": page}), 200, moves=1,
              json={"siteUrl": page, "siteHits": "1", "receipt": is_receipt},
              without=("duplicate", "error"), headers={"Content-Type": "application/json",
                                                       "Nandolytics-Dropped": None})
    yield Row("its second", post(RECORD, {"siteUrl": page}), 200, moves=1,
              json={"siteUrl": page, "siteHits": "2"},
              headers={"Nandolytics-Hit": lambda text: text and text.startswith("page=2; site=")})
    yield Row("read", get(encoded(page)), 200, json={"siteUrl": page, "siteHits": 2},
              without=("error", "receipt"))
    for name, path in (("slashes left as they are", f"/nandolytics/{page}"),
                       ("merged slashes", "/nandolytics/https:/open.example/seed"),
                       ("an encoded colon", "/nandolytics/https%3A//open.example/seed"),
                       ("encoded, then merged", "/nandolytics/https%3A/open.example/seed"),
                       ("lower case escapes", "/nandolytics/https%3a%2f%2fopen.example%2fseed"),
                       ("everything escaped",
                        "/nandolytics/" + "".join(f"%{ord(c):02X}" for c in page)),
                       ("a stage", f"/dev/nandolytics/{page}"),
                       ("another stage",
                        "/nandolytics/nandolytics/https:%2F%2Fopen.example%2Fseed")):
        wanted = 400 if name == "another stage" else 200
        yield Row(f"read with {name}", get(path), wanted, "bad_url" if wanted == 400 else None,
                  json=None if wanted == 400 else {"siteUrl": page, "siteHits": 2})
    yield Row("below a stage", post(f"/dev{RECORD}", {"siteUrl": page}), 200, moves=1,
              json={"siteUrl": page, "siteHits": "3"})
    odd = "HTTPS://WWW.Open.Example:443/seed?utm_source=x#top"
    yield Row("the URL comes back as it was sent", post(RECORD, {"siteUrl": odd}), 200, moves=1,
              json={"siteUrl": odd, "siteHits": "4"})
    text = "https://open.example/se\u00e9d \"\\\u2028\U0001f600"
    yield Row("whatever it holds", post(RECORD, {"siteUrl": text}), 200, moves=1,
              json={"siteUrl": text, "siteHits": "1"})
    query = f"{OPEN}/seed?b=2&a=1"
    yield Row("a page with a query", post(RECORD, {"siteUrl": query}), 200, moves=1,
              json={"siteHits": "1"})
    yield Row("its query not encoded", get("/nandolytics/https://open.example/seed?a=1&b=2"), 200,
              json={"siteHits": 1})
    yield Row("a plus in a path is a plus", get(encoded(f"{OPEN}/a+b")), 404, "not_found",
              json={"siteUrl": f"{OPEN}/a+b", "siteHits": 0})


FORMS = ("https://open.example/spelled", "http://open.example/spelled",
         "HTTPS://OPEN.EXAMPLE/spelled",
         "https://www.open.example/spelled", "https://open.example./spelled",
         "https://open.example:443/spelled", "https://joe:pw@open.example/spelled",
         "https://open.example/spelled#part", "https://open.example/x/../spelled",
         "https://open.example/%73pelled", "https://open.example/spelled?utm_source=n&fbclid=q",
         "https://open.example/spelled?token=q", "https:/open.example/spelled",
         "  https://open.example/spelled ", "https://open.example\\spelled")


def spelling(_world):
    """One page has one count, whichever of its forms is counted or read."""
    for number, form in enumerate(FORMS, 1):
        yield Row(f"count {form!r}", post(RECORD, {"siteUrl": form}), 200, moves=1,
                  json={"siteHits": str(number)})
    count = len(FORMS)
    for form in FORMS:
        escaped = "".join(f"%{byte:02x}" for byte in form.encode())
        yield Row(f"read {form!r}", get(f"/api/v1/counts?url={escaped}"), 200,
                  json={"counts": lambda all: [one["page"] for one in all] == [count]})
        if not form.startswith(" "):
            yield Row(f"read {form!r} as the seed", get(f"/nandolytics/{escaped}"), 200,
                      json={"siteHits": count})
    for other in ("/spelled/", "/Spelled", "/spelled?x=1"):
        yield Row(f"{other} is another page", post(RECORD, {"siteUrl": OPEN + other}), 200, moves=1,
                  json={"siteHits": "1"})
    for number, path in enumerate(("/a", "/a/", "/a//"), 1):
        yield Row(f"{path} where slashes are stripped", post(RECORD, {"siteUrl": STRIP + path}),
                  200, moves=1, json={"siteHits": str(number)})


def is_array_of_some(all):
    counted = [one.get("duplicate") for one in all]
    words = [one.get("dropped") or one.get("error") for one in all]
    return (counted == [False, None, None, False, True, None, False]
            and words == [None, "unknown_site", "bad_url", None, None, "id_reused", None]
            and all[0]["page"] == 3 and all[4]["page"] == 1 and is_receipt(all[6]["receipt"]))


def hits(world):
    page, token = f"{OPEN}/hits", world.bearer("hits")
    yield Row("one hit", post(HITS, {"url": page, "id": id_of("hits"), "title": "T", "props": {}}),
              200, moves=1, json={"page": 1, "shown": 1, "site": is_number, "receipt": is_receipt,
                                  "duplicate": False},
              headers={"Nandolytics-Hit": lambda text: text and text.startswith("page=1; ")})
    yield Row("it again", post(HITS, {"url": page, "id": id_of("hits")}), 200,
              json={"page": 1, "duplicate": True})
    yield Row("it again by the seed's door", post(RECORD, {"siteUrl": page, "id": id_of("hits")}),
              200, json={"siteHits": "1", "duplicate": True})
    yield Row("it again by pixel", get(f"/hit.gif?url={page}&id={id_of('hits')}"), 200)
    yield Row("without an id it counts", post(HITS, {"url": page}), 200, moves=1, json={"page": 2})
    some = [{"url": page}, {"url": "https://unknown.example/"}, {"url": "nonsense"},
            {"url": page, "name": "signup"}, {"url": page, "id": id_of("hits")},
            {"url": f"{OPEN}/elsewhere", "id": id_of("hits")}, {"url": f"{CLOSED}/a"}]
    yield Row("an array", post(HITS, some, **token), 200, moves=2, events=1, json=is_array_of_some,
              headers={"Nandolytics-Hit": None})
    yield Row("an array without a token", post(HITS, some), 401, "token_needed",
              headers={"WWW-Authenticate": "Bearer"})
    yield Row("1,000 hits", post(HITS, [{"url": page}] * 1000, **token), 200, moves=1000)
    yield Row("1,001 hits", post(HITS, [{"url": page}] * 1001, **token), 400, "too_many_hits")
    yield Row("no hits", post(HITS, [], **token), 400, "empty_array")
    yield Row("an array of one that is not right", post(HITS, [{"url": page}, {}], **token), 400,
              "missing_url")
    yield Row("an array of URLs", post(HITS, [page], **token), 400, "wrong_type")
    yield Row("an array of an array", post(HITS, [[{"url": page}]], **token), 400, "wrong_type")


def trust(world):
    page = f"{OPEN}/trust"
    claims = {"time": 1700000000000, "ip": "192.0.2.1", "user_agent": "x/1"}
    for key, value in claims.items():
        hit = {"url": page, key: value}
        yield Row(f"{key} without a token", post(HITS, hit), 401, "token_needed")
        yield Row(f"{key} with one", post(HITS, hit, **world.bearer("hits")), 200, moves=1)
        yield Row(f"{key} that is null is absent", post(HITS, {"url": page, key: None}), 200,
                  moves=1)
        yield Row(f"{key} on the seed's door is no field of it",
                  post(RECORD, {"siteUrl": page, key: value}), 200, moves=1)
    for key, value, word in (("time", "yesterday", "bad_time"), ("time", -1, "bad_time"),
                             ("time", 1.5, "bad_time"), ("ip", "1.2.3", "bad_ip"),
                             ("ip", "host.example", "bad_ip"), ("ip", 1, "wrong_type"),
                             ("user_agent", 1, "wrong_type")):
        yield Row(f"{key} {value!r}", post(HITS, {"url": page, key: value}, **world.bearer("hits")),
                  400, word)
    for name in ("revoked", "stats", "bound_stats"):
        status, word = (401, "token_needed") if name == "revoked" else (403, "denied")
        for body in ({"url": page}, [{"url": page}]):
            kind = "an array" if isinstance(body, list) else "a hit"
            yield Row(f"{kind} with the {name} token", post(HITS, body, **world.bearer(name)),
                      status, word)
    for text in ("Bearer", "Bearer x", "Bearer " + "x" * 5000, "Basic eDp5", "nando_hits_x", ""):
        yield Row(f"Authorization: {text[:20]}", post(HITS, {"url": page}, Authorization=text), 401,
                  "token_needed")
    good = world.tokens["hits"]
    for name, text in (("one letter less", good[:-1]), ("one more", good + "A"),
                       ("another case", good.swapcase())):
        yield Row(f"a token with {name}",
                  post(HITS, [{"url": page}], Authorization=f"Bearer {text}"),
                  401, "token_needed")
    yield Row("bearer has no case", post(HITS, {"url": page}, Authorization=f"bEARER {good}"), 200,
              moves=1)
    bound = world.bearer("bound")
    yield Row("a token of a site", post(HITS, [{"url": page}], **bound), 200, moves=1)
    yield Row("on another site", post(HITS, {"url": "https://other.example/"}, **bound), 403,
              "denied")
    yield Row("on another site in an array",
              post(HITS, [{"url": "https://other.example/"}], **bound),
              200, body=b'[{"dropped":"unknown_site"}]\n')
    yield Row("the admin token", post(HITS, [{"url": page}], **world.bearer("admin")), 200, moves=1)


PREFETCH = (("Sec-Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"),
            ("Sec-Purpose", "prefetch;anonymous-client-ip"), ("Purpose", "prefetch"),
            ("X-Purpose", "preview"), ("X-Moz", "prefetch"), ("PURPOSE", "PREFETCH"))


def unseen(_world):
    for name, value in PREFETCH:
        headers = {name: value}
        for door, request in (("record", post(RECORD, {"siteUrl": f"{OPEN}/p"}, **headers)),
                              ("hits", post(HITS, {"url": f"{OPEN}/p"}, **headers)),
                              ("pixel", get(f"/hit.gif?url={OPEN}/p", **headers))):
            yield Row(f"{door}: {name}: {value}", request, 202, "excluded",
                      headers={"Nandolytics-Dropped": "excluded"})
    yield Row("another purpose", post(RECORD, {"siteUrl": f"{OPEN}/p"}, Purpose="view"), 200,
              moves=1)


BOTS = ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.5.0",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0 Safari/537.36",
        None, "", "x" * 1025)
PROXIES = ("github-camo (c006e452)",
           "Mozilla/5.0 Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)")


def bots(world):
    """docs/reference/bots.md, row by row; `trust` has people."""
    page, dropped = f"{OPEN}/bots", {"Nandolytics-Dropped": "bot", "Nandolytics-Hit": None}
    token = world.bearer("hits")

    def asked(agent, **headers):
        headers = {"User_Agent": agent, **headers}
        return (("record", post(RECORD, {"siteUrl": page}, **headers)),
                ("hits", post(HITS, {"url": page}, **headers)),
                ("pixel", get(f"/hit.gif?url={page}", **headers)),
                ("hits with a token", post(HITS, {"url": page}, **headers, **token)),
                ("an array", post(HITS, [{"url": page}], **headers, **token)))

    for agent in BOTS:
        for door, request in asked(agent):
            name = f"{door}: {str(agent)[:40]}"
            if door in ("hits", "pixel"):
                yield Row(name, request, 202, "bot", kept=1, headers=dropped)
            else:
                yield Row(name, request, 200, moves=1)
    for agent in PROXIES:
        for door, request in asked(agent):
            yield Row(f"{door}: {agent[:40]}", request, 200, moves=1)
    hidden = {"User_Agent": BOTS[0]}
    yield Row("a body's agent is the one that counts, a bot's", post(
        HITS, {"url": page, "user_agent": BOTS[0]}, **token), 200, moves=1)
    yield Row("an event of a bot", post(HITS, {"url": page, "name": "signup"}, **hidden), 202,
              "bot", kept=1, headers=dropped)
    once = {"url": page, "id": id_of("bots")}
    yield Row("with an id", post(HITS, once, **hidden), 202, "bot", kept=1, headers=dropped)
    yield Row("whose answer was lost", post(HITS, once, **hidden), 202, "bot", kept=1,
              again=True, headers=dropped)
    yield Row("on a page that nobody saw", post(HITS, {"url": f"{OPEN}/unseen"}, **hidden), 202,
              "bot", kept=1, headers=dropped)
    yield Row("which has no count", get(encoded(f"{OPEN}/unseen")), 404, "not_found")
    yield Row("and no number", get(f"/api/v1/counts?url={OPEN}/unseen"), 200,
              json={"counts": lambda all: (all[0]["page"], all[0]["shown"]) == (0, 0)})
    yield Row("until somebody does", post(HITS, {"url": f"{OPEN}/unseen"}), 200, moves=1,
              json={"page": 1})
    yield Row("on a closed site", post(HITS, {"url": f"{CLOSED}/bots"}, **hidden), 202, "bot",
              kept=1, headers=dropped)
    yield Row("of no site", post(HITS, {"url": "https://unknown.example/"}, **hidden), 404,
              "unknown_site")
    yield Row("loaded ahead", post(HITS, {"url": page}, Sec_Purpose="prefetch", **hidden), 202,
              "excluded")


ORIGINS = (
    ({"Origin": OPEN}, True), ({"Origin": "https://www.open.example"}, True),
    ({"Origin": "http://open.example:8080"}, True), ({"Referer": f"{OPEN}/x?y"}, True),
    ({"Origin": OPEN, "Referer": f"{OPEN}/"}, True),
    ({"Origin": "null", "Referer": f"{OPEN}/"}, True),
    ({"Origin": "https://evil.example"}, False), ({"Referer": "https://evil.example/"}, False),
    ({"Origin": OPEN, "Referer": "https://evil.example/"}, False),
    ({"Origin": "https://evil.example", "Referer": f"{OPEN}/"}, False),
    ({"Origin": "https://other.example"}, False), ({"Origin": "https://sub.open.example"}, False),
    ({"Origin": "https://open.example.evil.example"}, False), ({"Origin": "null"}, False),
    ({"Origin": "open.example"}, False), ({"Referer": "about:blank"}, False))


def origins(world):
    for headers, good in ORIGINS:
        status, word = (200, None) if good else (403, "foreign_host")
        for door, request in (("record", post(RECORD, {"siteUrl": f"{OPEN}/o"}, **headers)),
                              ("hits", post(HITS, {"url": f"{OPEN}/o"}, **headers)),
                              ("pixel", get(f"/hit.gif?url={OPEN}/o", **headers))):
            yield Row(f"{door}: {headers}", request, status, word, moves=1 if good else 0)
    foreign = {"Origin": "https://evil.example", **world.bearer("hits")}
    yield Row("with a token", post(HITS, {"url": f"{OPEN}/o"}, **foreign), 200, moves=1)
    yield Row("reading is for everybody", get(f"/api/v1/counts?url={OPEN}/o",
                                              Origin="https://evil.example"), 200)


def closed(world):
    page, unknown = f"{CLOSED}/page", "https://unknown.example/page"
    yield Row("record", post(RECORD, {"siteUrl": page}), 202, moves=1, json={"siteUrl": page},
              without=("siteHits", "receipt"), headers={"Nandolytics-Hit": None})
    yield Row("record twice", post(RECORD, {"siteUrl": page, "id": id_of("closed")}), 202, moves=1,
              without=("siteHits", "receipt", "duplicate"), json={})
    yield Row("and again", post(RECORD, {"siteUrl": page, "id": id_of("closed")}), 202,
              without=("siteHits", "receipt", "duplicate"), json={})
    yield Row("hits", post(HITS, {"url": page}), 202, moves=1, body=b'{"counted":true}\n',
              headers={"Nandolytics-Hit": None})
    yield Row("pixel", get(f"/hit.gif?url={page}"), 200, moves=1, headers={"Nandolytics-Hit": None})
    yield Row("hits with a token", post(HITS, {"url": page}, **world.bearer("hits")), 200, moves=1,
              json={"page": 5, "receipt": is_receipt})
    for url in (page, unknown):
        yield Row(f"read {url}", get(encoded(url)), 404,
                  json={"siteUrl": url, "siteHits": 0, "error": "not_found"})
        yield Row(f"counts {url}", get(f"/api/v1/counts?url={url}"), 404, "unknown_site")
        yield Row(f"counts {url} beside another", get(f"/api/v1/counts?url={OPEN}/&url={url}"), 200,
                  json={"counts": lambda all: all[1].get("error") == "unknown_site" and
                        "page" not in all[1]})
    for name in ("stats", "bound_stats", "admin"):
        yield Row(f"counts with the {name} token",
                  get(f"/api/v1/counts?url={page}", **world.bearer(name)), 200,
                  json={"counts": lambda all: all[0]["page"] == 5})
        yield Row(f"read with the {name} token", get(encoded(page), **world.bearer(name)), 200,
                  json={"siteHits": 5})
    for name in ("hits", "bound", "revoked"):
        yield Row(f"counts with the {name} token",
                  get(f"/api/v1/counts?url={page}", **world.bearer(name)), 404, "unknown_site")


def pages_full(world):
    for number in (1, 2):
        yield Row(f"page {number} of 2", post(RECORD, {"siteUrl": f"{SMALL}/{number}"}), 200,
                  moves=1, json={"siteHits": "1"})
    yield Row("a third by the seed's door", post(RECORD, {"siteUrl": f"{SMALL}/3"}), 507,
              "pages_full", moves=1)
    yield Row("a third", post(HITS, {"url": f"{SMALL}/4"}), 200, moves=1,
              json={"page": None, "site": 4, "receipt": is_receipt, "duplicate": False})
    yield Row("an array of thirds", post(HITS, [{"url": f"{SMALL}/5"}], **world.bearer("hits")),
              200, moves=1)
    yield Row("a third by pixel", get(f"/hit.gif?url={SMALL}/6"), 200, moves=1)
    yield Row("the first counts on", post(RECORD, {"siteUrl": f"{SMALL}/1"}), 200, moves=1,
              json={"siteHits": "2"})
    yield Row("a third has no count of its own", get(f"/api/v1/counts?url={SMALL}/3"), 200,
              json={"counts": lambda all: all[0]["page"] == 0 and all[0]["site"] == 7})


def counts(_world):
    yield Row("a page never seen of a known site", get(f"/api/v1/counts?url={OPEN}/never"), 200,
              json={"counts": lambda all: all == [{"url": f"{OPEN}/never", "page": 0,
                                                   "site": all[0]["site"], "shown": 0}]})
    yield Row("one page thrice", get("/api/v1/counts?" + f"url={OPEN}/never&" * 3), 200,
              json={"counts": lambda all: len(all) == 3})
    yield Row("one that is none among them", get(f"/api/v1/counts?url=x&url={OPEN}/never"), 200,
              json={"counts": lambda all: all[0] == {"url": "x", "error": "bad_url"} and
                    all[1]["shown"] == 0})


GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
PICTURE = {"Content-Type": "image/gif", "Content-Length": "43",
           "Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}


def pixel(_world):
    page = f"{OPEN}/pixel"
    assert len(GIF) == 43
    yield Row("a pixel", get(f"/hit.gif?url={page}"), 200, moves=1, body=GIF,
              headers={**PICTURE, "Nandolytics-Hit": lambda text: text.startswith("page=1; ")})
    yield Row("of the page that Referer names", get("/hit.gif", Referer=page), 200, moves=1,
              body=GIF, headers={"Nandolytics-Hit": lambda text: text.startswith("page=2; ")})
    yield Row("of no page", get("/hit.gif"), 400, "missing_url")
    yield Row("of an unknown one", get("/hit.gif?url=https://unknown.example/"), 404,
              "unknown_site", body=GIF, headers=PICTURE)
    yield Row("of a URL that is none", get("/hit.gif?url=javascript:alert(1)"), 400, "bad_url",
              body=GIF, headers=PICTURE)
    for size, status in ((15, 400), (16, 200), (64, 200), (65, 400)):
        yield Row(f"with an id of {size}", get(f"/hit.gif?url={page}&id=" + "i" * size), status,
                  "bad_id" if status == 400 else None, moves=1 if status == 200 else 0)
    yield Row("with an id that is no text", get(f"/hit.gif?url={page}&id=" + "%FF" * 16), 400,
              "bad_id")
    yield Row("HEAD does not count", Request("HEAD", f"/hit.gif?url={page}"), 200, headers=PICTURE,
              body=b"")


ALL = (seed, spelling, hits, trust, unseen, bots, origins, closed, pages_full, counts, pixel)
