"""What rows cannot say: many requests on one connection, the same bytes twice, limits that are
spent, proxies, paths below which the server lives. And the checkers themselves, made to go red."""
import time

from check import (Row, World, answer_problems, id_of, metrics, public_problems)
from server import Server
from wire import Connection, Request, get, post

RECORD, HITS = "/nandolytics/record", "/api/v1/hits"
PAGE = "https://open.example/connections"


def duplicates(report, world):
    """Asked twice: the same receipt, byte for byte, by every door, and after a restart."""
    body = {"siteUrl": f"{PAGE}/twice", "id": id_of("twice"), "secret_hash": "00112233" * 4}
    first = world.server.ask(post(RECORD, body)).json()
    again = world.server.ask(post(RECORD, body)).json()
    native = world.server.ask(post(HITS, {"url": f"{PAGE}/twice", "id": id_of("twice")})).json()
    report.equal("the second answer is the first, and says so", again, {**first, "duplicate": True})
    report.equal("the same receipt by another door", native["receipt"], first["receipt"])
    report.equal("the server stops", world.server.stop(), 0)
    world.server.start()
    later = world.server.ask(post(RECORD, body)).json()
    report.equal("the same after a restart", later, {**first, "duplicate": True})
    other = world.server.ask(post(RECORD, {**body, "id": id_of("another")})).json()
    report.check("another id has another", other["receipt"] != first["receipt"])


def closed_is_unknown(report, world):
    """Nothing tells a closed site from one that does not exist."""
    for target in ("/api/v1/counts?url=", "/nandolytics/"):
        answers = []
        for host in ("closed.example", "absent.example"):
            answer = world.server.ask(get(f"{target}https://{host}/page"))
            headers = [one for one in answer.headers if one[0] != "Date"]
            answers.append((answer.status, headers, answer.body.replace(host.encode(), b"")))
        same = [(status, dict(headers).keys(), body) for status, headers, body in answers]
        report.equal(f"GET {target}", same[0], same[1])


def pipelined(report, world):
    number = 300
    hits = [Request("POST", RECORD, b'{"siteUrl":"https://open.example/pipelined"}', close=False)]
    before = world.counts()
    with Connection(world.server.port) as connection:
        connection.send(*hits * number)
        answers = [connection.read() for _ in range(number)]
        counted = [answer.json()["siteHits"] for answer in answers]
        report.equal("pipelined hits are answered in order", counted,
                     [str(n) for n in range(1, number + 1)])
        connection.send(*hits, get("/nothing"), *hits)
        report.equal("also beside others", [connection.read().status for _ in range(2)], [200, 404])
    report.check("and each is counted once", world.counts().counted - before.counted == number + 1)
    with Connection(world.server.port) as connection:
        body = b'{"siteUrl":"https://open.example/slow"}'
        whole = Request("POST", RECORD, body).bytes("x")
        connection.send(whole[:40])
        connection.send(whole[40:-5])
        connection.send(whole[-5:])
        report.equal("a hit in pieces", connection.read().json()["siteHits"], "1")


def old_http(report, world):
    body = b'{"siteUrl":"https://open.example/old"}'
    with Connection(world.server.port) as connection:
        head = f"POST {RECORD} HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.send(head.encode() + body)
        answer = connection.read()
        report.equal("HTTP/1.0 without Host", (answer.status, answer.json()["siteHits"]),
                     (200, "1"))
        report.equal("is answered and closed", (answer.header("Connection"), connection.more()),
                     ("close", False))
    with Connection(world.server.port) as connection:
        kept = Request("POST", RECORD, body, (("Connection", "keep-alive"),), "HTTP/1.0")
        for number in (2, 3):
            answer = connection.ask(kept)
            report.equal(f"HTTP/1.0 that stays, {number}",
                         (answer.header("Connection"), answer.json()["siteHits"]),
                         ("keep-alive", str(number)))
    absolute = Request("POST", f"http://127.0.0.1:{world.server.port}{RECORD}", body)
    report.equal("a target in absolute form", world.server.ask(absolute).json()["siteHits"], "4")
    with Connection(world.server.port) as connection:
        head = Request("POST", RECORD, body, (("Expect", "100-continue"),)).bytes("x")[:-len(body)]
        connection.send(head)
        report.equal("Expect: 100-continue", connection.read().status, 100)
        connection.send(body)
        report.equal("and then the answer", connection.read().json()["siteHits"], "5")


def controls(report, world):
    """The checkers go red when they should."""
    hit = post(RECORD, {"siteUrl": f"{PAGE}/control"})
    moved = world.problems(Row("a count that moves", hit, 200))
    report.check("a count that moves is seen", any("counts moved by 1" in one for one in moved)
                 and any("something was written" in one for one in moved))
    still = world.problems(Row("a count that does not", get("/nothing"), 404, moves=1))
    report.check("a count that does not is seen", any("moved by 0" in one for one in still))
    event = world.problems(Row("an event", post(HITS, {"url": PAGE, "name": "x"}), 200))
    report.check("a record without a count is seen", any("hits counted" in one for one in event))
    ready = world.server.ask(get("/readyz"))
    report.check("a page without CORS is seen", public_problems(ready) != [])
    wrong = answer_problems(Row("wrong", None, 200, "bad_url", json={"x": 1}, headers={"A": "b"}),
                            world.server.ask(get("/nothing")))
    report.equal("every part of a row is looked at", len(wrong), 4)
    good = answer_problems(Row("good", None, 404, "not_found"), world.server.ask(get("/nothing")))
    report.equal("and a good one is good", good, [])


def books(report, world):
    """After all of it the numbers still agree with the journal, and refusals have their metric."""
    done = world.server.command("verify")
    # On a slow machine it shows how far it is.
    said = [line for line in done.stderr.splitlines() if "records" not in line]
    report.equal("verify", (done.returncode, said), (0, []))
    numbers = metrics(world.server.ask(get("/metrics")).body)
    report.equal("no refusal without its word", numbers['nandolytics_refusals_total'] > 0, True)


def spend(server, hits):
    """Pipelined, so that all of it comes within one moment: the statuses."""
    with Connection(server.port) as connection:
        connection.send(*[Request(hit.method, hit.target, hit.body, hit.headers, close=False)
                          for hit in hits])
        return [connection.read() for _ in hits]


def statuses(server, hits):
    return [answer.status for answer in spend(server, hits)]


def hit_of(site="one", **headers):
    return post(RECORD, {"siteUrl": f"http://{site}.example/"}, **headers)


LIMITED = ("--auto-sites", "--rate-limit-hits-per-second", "1", "--rate-limit-burst", "5")


def rate_limit(report):
    """H13: a bucket for each address prefix and site. And H9: no header moves the address."""
    with Server(*LIMITED) as server:
        token = server.must("token", "add", "x", "--scope", "hits")
        world = World(server.start())
        answers = spend(server, [hit_of()] * 6)
        report.equal("the burst, and one past it", [answer.status for answer in answers],
                     [200] * 5 + [429])
        refused = answers[-1]
        report.equal("429 says when to come again", refused.header("Retry-After"), "1")
        report.equal("and why", refused.json()["error"], "rate_limited")
        report.check("in public", public_problems(refused))
        report.equal("what was refused was not counted", world.counts().counted, 5)
        pixel = get("/hit.gif?url=http://two.example/")
        *others, answer = spend(server, [hit_of("two")] * 6 + [pixel])
        report.equal("another site has its own", [one.status for one in others], [200] * 5 + [429])
        report.equal("a pixel is limited too", (answer.status, answer.header("Retry-After"),
                                                answer.header("Nandolytics-Dropped")),
                     (429, "1", "rate_limited"))
        native = post(HITS, {"url": "http://one.example/"}, Authorization=f"Bearer {token}")
        report.equal("tokens are exempt", statuses(server, [native] * 20), [200] * 20)
        claims = [hit_of("three", X_Forwarded_For=f"192.0.2.{n}", Forwarded=f"for=192.0.2.{n}",
                         X_Real_IP=f"192.0.2.{n}") for n in range(6)]
        report.equal("no header moves the address", statuses(server, claims), [200] * 5 + [429])
        tries = statuses(server, [Request("POST", "/api/v1/try", b"")] * 6)
        report.equal("what waits for the clerk is limited too", tries, [200] * 5 + [429])
        time.sleep(1.1)
        report.equal("who comes again when told to is taken", statuses(server, [hit_of()]), [200])


def proxies(report):
    """H9: behind trusted proxies the right-most hop that is none of them counts."""
    with Server(*LIMITED, "--trusted-proxies", "127.0.0.0/8,10.0.0.0/8") as server:
        server.start()
        told = [hit_of(X_Forwarded_For=f"203.0.113.{n}, 192.0.2.1, 10.1.2.3") for n in range(6)]
        lines = hit_of(X_Forwarded_For=["203.0.113.9", "192.0.2.1", "10.0.0.1"])
        report.equal("what the client claims does not move it, and header lines are one list",
                     statuses(server, [*told, lines]), [200] * 5 + [429] * 2)
        others = [hit_of(X_Forwarded_For=f"192.0.2.{n}") for n in range(2, 12)]
        report.equal("another client has its own", statuses(server, others), [200] * 10)
        v6 = [hit_of(X_Forwarded_For=f"2001:db8::{n}") for n in range(1, 7)]
        report.equal("an IPv6 /64 is one client", statuses(server, v6), [200] * 5 + [429])
        rfc = [hit_of("two", Forwarded="for=192.0.2.1;proto=https") for _ in range(6)]
        report.equal("Forwarded is believed as well", statuses(server, rfc), [200] * 5 + [429])
        mine = server.ask(get("/metrics", X_Forwarded_For="127.0.0.1"))
        report.equal("who claims to be loopback is not", mine.status, 401)


FORGOTTEN = 'trusted_proxies = ["10.0.0.0/8", "127.0.0.1/32"]'


def forgotten_proxy(report):
    """A proxy of ours that is not trusted is told of, once, with the setting that names it."""
    with Server("--auto-sites", "--trusted-proxies", "10.0.0.0/8") as server:
        server.start()

        def warnings():
            return server.ask(get("/readyz")).json()["warnings"]

        server.ask(hit_of())
        server.ask(get("/healthz", X_Forwarded_For="192.0.2.1"))
        report.equal("a direct hit is none, nor is what is no hit", warnings(), "")
        for headers in ({"X_Forwarded_For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"},
                        {"X_Real_IP": "192.0.2.1"}):
            server.ask(hit_of(**headers))
            server.ask(get("/hit.gif?url=http://one.example/", **headers))
        report.check("the setting is named", FORGOTTEN in warnings())
        report.equal("once in the log", (server.folder / "log").read_text().count(FORGOTTEN), 1)
        numbers = metrics(server.ask(get("/metrics")).body)
        report.equal("all are counted", numbers["nandolytics_untrusted_proxy_hits_total"], 6)
        token = server.must("token", "add", "x", "--scope", "hits")
        claim = {"url": "http://one.example/", "ip": "192.0.2.1"}
        server.ask(post(HITS, claim, Authorization=f"Bearer {token}", X_Forwarded_For="192.0.2.9"))
        numbers = metrics(server.ask(get("/metrics")).body)
        report.equal("but one that brings its address",
                     numbers["nandolytics_untrusted_proxy_hits_total"], 6)
    with Server("--auto-sites", "--trusted-proxies", "127.0.0.1") as server:
        server.start()
        server.ask(hit_of(X_Forwarded_For="192.0.2.1"))
        server.ask(hit_of(X_Forwarded_For="127.0.0.1"))
        report.equal("one that is trusted is not told of",
                     server.ask(get("/readyz")).json()["warnings"], "")


def base_path(report):
    with Server("--auto-sites", "--public-url", "https://example.com/stats") as server:
        server.start()
        world = World(server)
        page = {"siteUrl": "http://one.example/"}
        world.run(report, (
            Row("below the base path", post(f"/stats{RECORD}", page), 200, moves=0, events=1),
            Row("and without it", post(RECORD, page), 200, events=1, json={"siteHits": "2"}),
            Row("read below it", get("/stats/nandolytics/http://one.example/"), 200,
                json={"siteHits": 2}),
            Row("the trial page below it", get("/stats/try"), 200, public=False,
                headers={"Content-Type": "text/html; charset=utf-8"}),
            Row("below it twice", get("/stats/stats/healthz"), 404, "not_found"),
            Row("beside it", get("/statshealthz"), 404, "not_found"),
            Row("it alone", get("/stats"), 308, public=False, headers={"Location": "/stats/"}),
            Row("the owner's page", get("/stats/"), 200, public=False,
                headers={"Content-Type": "text/html; charset=utf-8"}),
        ))


def trial_page(report):
    for setting, shown in (("auto", True), ("on", True), ("off", False)):
        with Server("--try-page", setting) as server:
            server.start()
            for path in ("/try",):
                report.equal(f"GET {path}, try_page = {setting}", server.ask(get(path)).status,
                             200 if shown else 404)
            for method in ("OPTIONS", "POST"):
                wanted = (204 if method == "OPTIONS" else 405) if shown else 404
                report.equal(f"{method} /try, try_page = {setting}",
                             server.ask(Request(method, "/try", b"")).status, wanted)


def trial_draw(report):
    """A stranger behind a proxy of this machine finds the trial's draw, and opens none."""
    stranger = (("X-Forwarded-For", "203.0.113.9"),)
    with Server() as server:
        server.must("site", "add", "127.0.0.1", "--public-counts")
        server.start()
        ask = lambda *headers: server.ask(Request("POST", "/api/v1/try", b"", headers)).status
        report.equal("passed on, before there is one", ask(*stranger), 404)
        report.equal("and none was opened", server.must("promotion", "list", "--json"), "[]")
        report.equal("from this machine", ask(), 200)
        report.equal("passed on, now that there is one", ask(*stranger), 200)


def old_kernel(report):
    """Where there is no epoll_pwait2 (before Linux 5.11), or a sandbox forbids it."""
    call = "epoll_pwait2"
    for error in ("ENOSYS", "EPERM"):
        with Server("--auto-sites") as server:
            server.start(["strace", "-D", "-f", "-qq", "-o", server.folder / "calls", "-e",
                          f"trace={call}", "-e", f"inject={call}:error={error}"])
            for number in ("1", "2"):
                answer = server.ask(post(RECORD, {"siteUrl": "http://old.example/"}))
                report.equal(f"{call} says {error}, hit {number}", answer.json()["siteHits"],
                             number)
            report.equal("it stops", server.stop(), 0)
            calls = (server.folder / "calls").read_text().count("INJECTED")
            report.check(f"control, it did say {error}, once a loop", 1 <= calls <= 64)


ON_ONE_SERVER = (duplicates, closed_is_unknown, pipelined, old_http, controls, books)
ALL = (rate_limit, proxies, forgotten_proxy, base_path, trial_page, trial_draw, old_kernel)
