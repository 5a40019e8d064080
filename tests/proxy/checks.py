"""What must hold in front of the program and behind whatever stands there."""
import collections
import re
import subprocess
import threading
import time
import urllib.parse

from check import id_of, metrics, public_problems
from fronts import HOST, SITE, Plain
from wire import Request, get, post

RECORD, HITS = "/nandolytics/record", "/api/v1/hits"
BODY_BYTES_MAX = 2 << 20
LATE_SECONDS_MAX = 1.0
WAIT_SECONDS_MAX = 5
BURST = 5
LIMITED = ["--rate-limit-hits-per-second", "1", "--rate-limit-burst", str(BURST)]
LOST = (502, 503, 504)  # What proxies say while the program is away; the last one when it hangs.


def url_of(where):
    return f"https://{SITE}{where}"


def encoded(url):
    return "/nandolytics/" + urllib.parse.quote(url, safe="")


def counts(report, front, program):
    """By every door, and read back."""
    where = url_of("/counts")
    first = front.ask(front.post(RECORD, {"siteUrl": where}))
    report.equal("record counts", (first.status, first.json()["siteHits"]), (200, "1"))
    report.check("and answers any origin", public_problems(first))
    second = front.ask(front.post(HITS, {"url": where, "id": id_of("counts")})).json()
    report.equal("hits counts", (second["page"], second["duplicate"]), (2, False))
    again = front.ask(front.post(HITS, {"url": where, "id": id_of("counts")})).json()
    report.equal("once", (again["page"], again["duplicate"], again["receipt"]),
                 (2, True, second["receipt"]))
    pixel = front.ask(front.get(f"/hit.gif?url={where}"))
    report.equal("a pixel counts", (pixel.status, pixel.body[:3]), (200, b"GIF"))
    read = front.ask(front.get(f"/api/v1/counts?url={where}")).json()["counts"][0]["page"]
    report.equal("it reads back", (read, front.ask(front.get(encoded(where))).json()["siteHits"]),
                 (3, 3))
    report.equal("and is what the program has", program.count("/counts"), 3)


# Each is a page of its own, and its URL must come through as it was sent.
PAGES = ("/plain", "/a/b/", "/two//slashes", "/slash%2Fescaped", "/twice%252Fescaped", "/a%20b",
         "/%C3%BCber", "/q?x=1&y=a/b//c", "/semi;colon", "/plus+plus", "/percent%25", "/dot.")


def escapes(report, front, _program):
    """The seed's address holds a whole URL in its path, and proxies like to tidy paths."""
    for where in PAGES:
        front.ask(front.post(RECORD, {"siteUrl": url_of(where)}))
    for where in PAGES:
        answer = front.ask(front.get(encoded(url_of(where)))).json()
        report.equal(f"{where} comes through", (answer["siteUrl"], answer["siteHits"]),
                     (url_of(where), 1))
    for name, target in (("not escaped", f"/nandolytics/https://{SITE}/plain"),
                         ("merged", f"/nandolytics/https:/{SITE}/plain"),
                         ("below a stage", "/dev" + encoded(url_of("/plain")))):
        read = front.ask(front.get(target)).json()
        report.equal(f"{name} it reads the same", read["siteHits"], 1)


def pages(report, front, _program):
    """Their parts are named relative to them, so a browser finds them below the path."""
    report.equal("/try is shown behind a proxy, and off where the page says so",
                 front.ask(front.get("/try")).status, 404 if isinstance(front, Plain) else 200)
    for target in ("/",) if isinstance(front, Plain) else ("/", "/try"):
        # Caddy unpacks for clients that do not say what they take, and then tells no length.
        answer = front.ask(front.get(target, Accept_Encoding="identity"))
        report.equal(target, (answer.status, answer.header("Content-Type")),
                     (200, "text/html; charset=utf-8"))
        parts = re.findall(r'(?:href|src)="([^"#]+)"', answer.body.decode())
        report.check(f"{target} has a script and a style",
                     {"js", "css"} <= {part.rsplit(".", 1)[-1] for part in parts})
        for part in parts:
            there = front.ask(get(urllib.parse.urljoin(front.base + target, part),
                                  Accept_Encoding="identity"))
            wanted = 400 if part == "hit.gif" else 200  # A pixel wants a Referer.
            report.equal(f"{target}: {part}", there.status, wanted)
    if front.base:
        answer = front.ask(get(front.base))
        report.check("the path without its slash leads on",
                     answer.status in (301, 308) and answer.header("Location").endswith("/stats/"))


def log_in(report, front, _program):
    """Only our own page may: its Origin is that of public_url, or what the proxy leaves in Host."""
    scheme, port = ("http", ":8000") if isinstance(front, Plain) else ("https", "")
    for origin, wanted in ((f"{scheme}://{front.host}{port}", 400), ("https://evil.example", 403)):
        answer = front.ask(front.post("/api/v1/session", {"token": "x"}, Origin=origin))
        report.equal(f"from {origin}", answer.status, wanted)


def live(report, front, _program):
    """Each event by itself, within a second of its hit, and longer than requests may take."""
    hit = front.post(RECORD, {"siteUrl": url_of("/live")})
    with front.listen("/live") as events:
        report.equal("as events", (events.answer.status, events.answer.headers["Content-Type"]),
                     (200, "text/event-stream"))
        report.equal("what is there at once", events.next(LATE_SECONDS_MAX), 0)
        for number in range(1, 4):
            front.ask(hit)
            report.equal(f"hit {number} is told", events.next(LATE_SECONDS_MAX), number)
        report.equal("it stays open while nothing happens", events.next(1.5), "")
        front.ask(hit)
        report.equal("and then goes on", events.next(LATE_SECONDS_MAX), 4)


def bodies(report, front, program):
    """The largest array is taken, a larger one meets the program's own answer."""
    token = {"Authorization": f"Bearer {program.token}"}
    thousand = front.ask(front.post(HITS, [{"url": url_of("/array")}] * 1000, **token))
    ordinals = [one["page"] for one in thousand.json()]
    report.equal("1,000 hits", ordinals, list(range(1, 1001)))
    hits = b'[{"url":"' + url_of("/large").encode() + b'"}'
    for more, wanted in ((0, 200), (1, 413)):
        body = hits + b" " * (BODY_BYTES_MAX + more - len(hits) - 1) + b"]"
        answer = front.ask(front.post(HITS, body, **token))
        report.equal(f"{len(body)} bytes", answer.status, wanted)
        if wanted == 413:
            report.equal("in the program's words", answer.json()["error"], "body_too_large")
            report.check("for any origin", public_problems(answer))
    report.equal("and only the first was counted", program.count("/large"), 1)


def heads(report, front, program):
    for target, status in ((f"/api/v1/counts?url={url_of('/counts')}", 200),
                           (f"/hit.gif?url={url_of('/head')}", 200),
                           (encoded(url_of("/never")), 404)):
        answer = front.ask(Request("HEAD", front.base + target))
        size = int(answer.header("Content-Length") or 0)
        report.equal(f"HEAD {target}", (answer.status, size > 0), (status, True))
    report.equal("counts nothing", program.count("/head"), 0)


def restarted(report, front, program):
    """kill -9 while hits go: they wait, come again with their ids, and each is counted once."""
    answers, ids, enough = collections.Counter(), [], threading.Event()

    def send(thread):
        for number in range(100000):
            if enough.is_set():
                return
            name = id_of(f"restarted-{thread}-{number}")
            ids.append(name)
            hit = front.post(HITS, {"url": url_of("/restarted"), "id": name})
            deadline = time.monotonic() + WAIT_SECONDS_MAX
            while (status := status_of(front, hit)) != 200 and time.monotonic() < deadline:
                answers[status] += 1
                time.sleep(0.01)
            answers[status] += 1

    threads = [threading.Thread(target=send, args=(n,), daemon=True) for n in range(3)]
    for thread in threads:
        thread.start()
    wait_for(answers, 200, 15)
    program.kill()
    wait_for(answers, None, 3)
    program.start()
    wait_for(answers, 200, answers[200] + 15)
    enough.set()
    for thread in threads:
        thread.join()
    said = set(answers) - {200}
    report.check("what was asked meanwhile was refused",
                 [] if said and said <= ({0} if isinstance(front, Plain) else set(LOST)) else
                 [f"answered {dict(answers)}"])
    report.equal("each counted once", program.count("/restarted"), len(ids))


def status_of(front, request):
    try:
        return front.ask(request).status
    except (OSError, EOFError):
        return 0


def wait_for(answers, status, number):
    """Until so many came of that status, or of any other than 200; a while at most."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        others = sum(count for key, count in list(answers.items()) if key != 200)
        if (answers[status] if status else others) >= number:
            return
        time.sleep(0.01)


def spent(front, source, number=BURST + 1, **headers):
    """Statuses of so many hits of one client, in one go."""
    page = '{"siteUrl": "%s"}' % url_of("/limited")
    hit = front.post(RECORD, page, **headers)
    with front.connect(source) as connection:
        connection.send(*[Request(hit.method, hit.target, hit.body, hit.headers, close=False)]
                        * number)
        return [connection.read().status for _ in range(number)]


def addresses(report, front, program):
    """H9: the client is who connects to the proxy, and not who it says it is."""
    program.again(LIMITED)
    full = [200] * BURST + [429]
    report.equal("a client has its limit", spent(front, "127.0.0.2"), full)
    report.equal("another has its own", spent(front, "127.0.0.3"), full)
    forged = {"X_Forwarded_For": ["127.0.0.5", "203.0.113.7"], "X_Real_IP": "127.0.0.5",
              "Forwarded": "for=127.0.0.5"}
    report.equal("and none by saying so", spent(front, "127.0.0.2", 1, **forged), [429])
    report.equal("a third spends its own", spent(front, "127.0.0.4", **forged), full)
    report.equal("not that of whom it names", spent(front, "127.0.0.5"), full)
    warned = program.ask(get("/readyz")).json()["warnings"]
    if not isinstance(front, Plain):  # There the liar is on loopback and taken for a proxy.
        report.equal("nothing to warn of", warned, "")
    program.again()


def operators(report, front, program):
    """What is for operators is not for the world, whatever the spelling."""
    for target in ("/metrics", "/readyz", "//metrics", "/%6Detrics", "/metrics?x", "/x/../readyz",
                   "/READYZ", "/readyz/"):
        answer = front.ask(front.get(target))
        report.check(f"{target} is not for the world",
                     [] if answer.status in (308, 401, 404) else [str(answer.status)])
    for target in ("/metrics", "/readyz"):
        report.equal(f"{target} is for the machine", program.ask(get(target)).status, 200)


def pooled(report, front, program):
    """One connection to the program serves many hits."""
    accepted, hits = connections_for(front, program)
    report.check("few connections for many hits",
                 [] if accepted <= 3 else [f"{accepted} for {hits} hits"])


def connections_for(front, program, hits=40):
    def accepted():
        return metrics(program.ask(get("/metrics")).body)["nandolytics_http_connections_total"]
    before = accepted()
    said = {front.ask(front.post(RECORD, {"siteUrl": url_of("/pooled")})).status
            for _ in range(hits)}
    if said != {200}:
        raise RuntimeError(f"the hits were answered {said}")
    return int(accepted() - before - 1), hits  # But the one that asks now.


def forgotten(report, front, program):
    """Without trusted_proxies they are all one client, and the program says so."""
    kept = program.settings
    program.again(LIMITED, re.sub(r"(?m)^trusted_proxies.*\n", "", kept))
    quiet = program.ask(post(RECORD, {"siteUrl": url_of("/direct")}))
    report.equal("a hit without a proxy warns of nothing",
                 (quiet.status, program.ask(get("/readyz")).json()["warnings"]), (200, ""))
    spent(front, "127.0.0.2")
    report.equal("no header moves the address", spent(front, "127.0.0.3", 1), [429])
    missing = re.search(r"(?m)^trusted_proxies.*$", kept)[0]
    warned = program.ask(get("/readyz")).json()["warnings"]
    report.check("the setting that is missing is named", missing in warned)
    log = (program.folder / "log").read_text()
    report.equal("and logged once", log.count(missing), 1)
    report.check("for the proxy's address", HOST in warned)
    program.again(settings=kept)


ALL = (counts, escapes, pages, log_in, live, bodies, heads, restarted, addresses)
def second_http(report, front, _program):
    """Browsers speak HTTP/2 to both; a stream comes through that way too."""
    target = f"https://{front.host}{front.base}/api/v1/live?url={url_of('/second')}"
    with subprocess.Popen(["curl", "-siNk", "--http2", "--connect-to", f"::{HOST}:{front.port}",
                           "--max-time", "9", target], stdout=subprocess.PIPE) as curl:
        lines = iter(curl.stdout.readline, b"")
        report.equal("it is HTTP/2", next(lines, b"").split()[:2], [b"HTTP/2", b"200"])
        for number in range(2):
            came = next((line for line in lines if line.startswith(b"id:")), b"")
            report.equal(f"event {number}", came, b"id: %d\n" % number)
            front.ask(front.post(RECORD, {"siteUrl": url_of("/second")}))
        curl.terminate()


BEHIND_A_PROXY = (operators, pooled, second_http, forgotten)
