"""Our own pages' addresses: the set-up token, the owner, sites, knocks; and who may not."""
import json
import re

from server import Server
from wire import Request, get, pairs, post

EMAIL, PASSWORD = "ada@example.com", "correct horse battery"
OWN = {"Sec_Fetch_Site": "same-origin"}
LOG_INS_AT_ONCE = 20


class Browser:
    """Keeps the cookie, and says where it comes from as a browser does."""

    def __init__(self, server):
        self.server, self.cookie = server, None

    def ask(self, method, path, body=None, **headers):
        headers = {**(OWN if method != "GET" else {}), **headers}
        if self.cookie:
            headers["Cookie"] = f"theme=dark; {self.cookie}"
        text = json.dumps(body).encode() if body is not None else None
        answer = self.server.ask(Request(method, path, text, pairs(headers)))
        for line in answer.all("Set-Cookie"):
            self.cookie = line.split(";")[0]
        return answer

    def state(self):
        return self.ask("GET", "/api/v1/session").json()["state"]


def set_up_token(server):
    line = server.process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+/#set-up=([\w-]{43})\n", line)
    return found[1] if found else None


def refused(report, name, answer, status, word):
    report.equal(name, (answer.status, answer.json()["error"]), (status, word))


def first_run(report):
    with Server() as server:
        server.start()
        token = set_up_token(server)
        report.check("a start without an owner prints an address", token is not None)
        ada = Browser(server)
        report.equal("nobody is in", ada.state(), "set_up")
        refused(report, "a wrong token", ada.ask("POST", "/api/v1/session",
                                                 {"set_up_token": "A" * 43}), 401, "not_let_in")
        answer = ada.ask("POST", "/api/v1/session", {"set_up_token": token})
        report.equal("the token lets in", (answer.status, ada.state()), (200, "in"))
        line = answer.header("Set-Cookie")
        report.check("by a cookie that scripts and other sites do not get",
                     all(part in line for part in ("; HttpOnly", "; SameSite=Strict", "; Path=/")))
        report.check("no CORS", answer.header("Access-Control-Allow-Origin") is None)
        sites_and_hits(report, server, ada)
        refused(report, "a short password", ada.ask(
            "POST", "/api/v1/owner", {"email": EMAIL, "password": "short"}), 400, "bad_value")
        report.equal("the owner is made", ada.ask(
            "POST", "/api/v1/owner", {"email": EMAIL, "password": PASSWORD}).status, 200)
        report.equal("and is in", ada.ask("GET", "/api/v1/session").json()["email"], EMAIL)
        refused(report, "a second one", ada.ask(
            "POST", "/api/v1/owner", {"email": "eve@example.com", "password": PASSWORD}),
            409, "already_there")
        refused(report, "the token lets nobody in now", Browser(server).ask(
            "POST", "/api/v1/session", {"set_up_token": token}), 401, "not_let_in")
        owner(report, server, ada)


def sites_and_hits(report, server, ada):
    hit = {"url": "https://blog.example/a"}
    report.equal("unknown", server.ask(post("/api/v1/hits", hit)).status, 404)
    server.ask(post("/nandolytics/record", {"siteUrl": "https://other.example/"}))
    server.ask(get("/hit.gif?url=https://blog.example/b"))
    server.ask(post("/api/v1/hits", {"url": "https://<script>/"}))
    knocks = ada.ask("GET", "/api/v1/knocks").json()["knocks"]
    report.equal("who knocked, the latest first", [(k["host"], k["hits"]) for k in knocks],
                 [("blog.example", 2), ("other.example", 1)])
    report.equal("no site yet", ada.ask("GET", "/api/v1/sites").json(), {"sites": []})
    answer = ada.ask("POST", "/api/v1/sites", {"host": "blog.example", "timezone": "Europe/Vienna"})
    report.equal("added", (answer.status, answer.json()),
                 (201, {"host": "blog.example", "hits": 0, "public_counts": False,
                        "timezone": "Europe/Vienna"}))
    knocks = ada.ask("GET", "/api/v1/knocks").json()["knocks"]
    report.equal("it knocks no more", [k["host"] for k in knocks], ["other.example"])
    refused(report, "twice", ada.ask("POST", "/api/v1/sites", {"host": "blog.example"}),
            409, "already_there")
    for host in ("https://x.example/", "a b", "-"):
        refused(report, f"host {host}", ada.ask("POST", "/api/v1/sites", {"host": host}),
                400, "bad_value")
    refused(report, "no host", ada.ask("POST", "/api/v1/sites", {}), 400, "missing_field")
    refused(report, "a number", ada.ask("POST", "/api/v1/sites", {"host": 7}), 400, "wrong_type")
    test = {"host": "blog.example", "id": "test-hit-0123456789"}
    for _ in range(2):
        answer = ada.ask("POST", "/api/v1/sites/test", test)
        report.equal("a test hit is counted once", answer.json(), {"site": 1, "page": 1})
    for size, status, word in ((15, 400, "bad_id"), (16, 404, "unknown_site"),
                               (64, 404, "unknown_site"), (65, 400, "bad_id")):
        refused(report, f"of no site, an id of {size}", ada.ask(
            "POST", "/api/v1/sites/test", {"host": "no.example", "id": "i" * size}), status, word)
    refused(report, "of no site", ada.ask("POST", "/api/v1/sites/test", {"host": "no.example"}),
            404, "unknown_site")
    server.ask(post("/api/v1/hits", hit))
    report.equal("and shown", [site["hits"] for site in
                               ada.ask("GET", "/api/v1/sites").json()["sites"]], [2])
    for is_public, status in ((True, 200), (False, 404)):
        ada.ask("POST", "/api/v1/sites/set", {"host": "blog.example", "public_counts": is_public})
        report.equal("opened and closed", server.ask(
            get("/api/v1/counts?url=https://blog.example/")).status, status)
    refused(report, "of no site", ada.ask(
        "POST", "/api/v1/sites/set", {"host": "no.example", "public_counts": True}),
        404, "not_found")
    refused(report, "nothing to set", ada.ask(
        "POST", "/api/v1/sites/set", {"host": "blog.example"}), 400, "missing_field")
    refused(report, "nobody else sees it live", server.ask(
        get("/api/v1/sites/live?host=blog.example")), 401, "log_in_needed")


def owner(report, server, ada):
    eve = Browser(server)
    refused(report, "a wrong password", eve.ask(
        "POST", "/api/v1/session", {"email": EMAIL, "password": PASSWORD + "!"}), 401, "not_let_in")
    refused(report, "nobody's address", eve.ask(
        "POST", "/api/v1/session", {"email": "eve@example.com", "password": PASSWORD}),
        401, "not_let_in")
    refused(report, "no password", eve.ask("POST", "/api/v1/session", {"email": EMAIL}),
            400, "missing_field")
    again = Browser(server)
    answer = again.ask("POST", "/api/v1/session",
                       {"email": "ADA@Example.com", "password": PASSWORD})
    report.equal("log in", answer.status, 200)
    server.stop()
    server.start()
    report.equal("a restart logs nobody out", (ada.state(), again.state()), ("in", "in"))
    report.equal("log out", again.ask("DELETE", "/api/v1/session").status, 200)
    report.equal("one is out, the other is not", (again.state(), ada.state()), ("log_in", "in"))
    report.check("the cookie is taken away", again.cookie.endswith("="))
    text = server.must("user", "password", EMAIL)
    report.equal("a new password logs out", ada.state(), "log_in")
    report.equal("and lets in", ada.ask("POST", "/api/v1/session",
                                        {"email": EMAIL, "password": text}).status, 200)
    report.equal("by an address as people type it", server.command(
        "user", "password", EMAIL.upper()).returncode, 0)
    report.check("users are listed", EMAIL in server.must("user", "list"))


def proof_of_origin(report):
    """What changes something must come from one of our own pages, whatever cookie comes along."""
    with Server() as server:
        server.must("site", "add", "open.example")
        server.start()
        ada = Browser(server)
        token = {"set_up_token": set_up_token(server)}
        here = f"http://127.0.0.1:{server.port}"
        for name, headers, good in (
                ("cross-site", {"Sec_Fetch_Site": "cross-site"}, False),
                ("same-site", {"Sec_Fetch_Site": "same-site"}, False),
                ("typed", {"Sec_Fetch_Site": "none"}, False),
                ("a foreign origin", {"Origin": "https://evil.example"}, False),
                ("no origin", {"Origin": "null"}, False),
                ("nothing", {}, False),
                ("our own origin, an old browser", {"Origin": here}, True)):
            request = Request("POST", "/api/v1/session", json.dumps(token).encode(), pairs(headers))
            answer = server.ask(request)
            report.equal(name, answer.status, 200 if good else 403)
        ada.ask("POST", "/api/v1/session", token)
        for method, path in (("POST", "/api/v1/sites"), ("POST", "/api/v1/sites/test"),
                             ("POST", "/api/v1/sites/set"),
                             ("POST", "/api/v1/owner"), ("DELETE", "/api/v1/session")):
            answer = ada.ask(method, path, {"host": "x.example"} if method == "POST" else None,
                             Sec_Fetch_Site="cross-site")
            refused(report, f"{method} {path} from elsewhere", answer, 403, "foreign_origin")
        report.equal("nothing has changed", (ada.state(), len(ada.ask(
            "GET", "/api/v1/sites").json()["sites"])), ("in", 1))
        public = ada.ask("GET", "/api/v1/counts?url=https://open.example/")
        report.equal("a public address reads no cookie", public.status, 404)


def roles(report):
    """Address by address who gets in: nobody, a stats token, a bound admin token, an admin's."""
    with Server() as server:
        server.must("site", "add", "open.example")
        tokens = [None] + [server.must("token", "add", "t", "--scope", *scope) for scope in (
            ("stats",), ("admin", "--site", "open.example"), ("admin",))]
        server.start()
        for method, path, statuses in (
                ("GET", "/api/v1/session", (200, 200, 200, 200)),
                ("DELETE", "/api/v1/session", (403, 403, 403, 403)),
                ("POST", "/api/v1/session", (403, 403, 403, 403)),
                ("POST", "/api/v1/owner", (401, 401, 401, 400)),
                ("GET", "/api/v1/sites", (401, 401, 401, 200)),
                ("POST", "/api/v1/sites", (401, 401, 401, 400)),
                ("POST", "/api/v1/sites/set", (401, 401, 401, 400)),
                ("POST", "/api/v1/sites/test", (401, 401, 401, 400)),
                ("GET", "/api/v1/sites/live?host=no.example", (401, 401, 401, 404)),
                ("GET", "/api/v1/knocks", (401, 401, 401, 200)),
                # What the address does not take.
                ("PUT", "/api/v1/session", (405, 405, 405, 405)),
                ("GET", "/api/v1/owner", (405, 405, 405, 405)),
                ("DELETE", "/api/v1/sites", (405, 405, 405, 405)),
                ("GET", "/api/v1/sites/set", (405, 405, 405, 405)),
                ("POST", "/api/v1/knocks", (405, 405, 405, 405))):
            for token, status in zip(tokens, statuses):
                bearer = {"Authorization": f"Bearer {token}"} if token else {}
                body = b"{}" if method == "POST" else None
                answer = server.ask(Request(method, path, body, pairs(bearer)))
                report.equal(f"{method} {path}", answer.status, status)
                report.check(f"{method} {path}: no CORS, not kept",
                             answer.header("Access-Control-Allow-Origin") is None
                             and answer.header("Cache-Control") == "no-store")


def tried_too_often(report):
    with Server() as server:
        server.start()
        eve = Browser(server)
        answers = [eve.ask("POST", "/api/v1/session", {"set_up_token": "no"}).status
                   for _ in range(LOG_INS_AT_ONCE + 1)]
        report.equal("20 tries", set(answers[:LOG_INS_AT_ONCE]), {401})
        report.equal("and one past them", answers[-1], 429)


def on_https(report):
    with Server("--public-url", "https://stats.example/base") as server:
        server.start()
        line = server.process.stdout.readline()
        found = re.search(r"https://stats\.example/base/#set-up=([\w-]{43})\n", line)
        report.check("the address is the public one", found is not None)
        ada = Browser(server)
        answer = ada.ask("POST", "/base/api/v1/session", {"set_up_token": found[1]},
                         Sec_Fetch_Site="same-origin")
        line = answer.header("Set-Cookie") or ""
        report.check("__Host- and Secure", line.startswith("__Host-nandolytics=") and
                     "; Secure" in line and "; Path=/;" in line)
        report.equal("and in", ada.ask("GET", "/base/api/v1/session").json()["state"], "in")
        report.equal("by the public origin", server.ask(Request(
            "POST", "/base/api/v1/session", b"{}",
            pairs({"Origin": "https://stats.example"}))).status, 400)


ALL = (first_run, proof_of_origin, roles, tried_too_often, on_https)
