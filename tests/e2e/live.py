"""Numbers as they change: server-sent events."""
import json
import socket
import time

from wire import get, post

OPEN = "https://open.example"
LATE_SECONDS_MAX = 1.0
WAIT_SECONDS_MAX = 10


class Listener:
    """An EventSource by hand: the answer's head, then (id, data) one after the other."""

    def __init__(self, server, url, **headers):
        self.socket = socket.create_connection(("127.0.0.1", server.port), WAIT_SECONDS_MAX)
        self.socket.sendall(get(f"/api/v1/live?url={url}", **headers).bytes("here"))
        self.bytes = b""
        self.head = self.until(b"\r\n\r\n").decode() + "\r\n"
        self.status = int(self.head.split()[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def until(self, end):
        while end not in self.bytes:
            more = self.socket.recv(4096)
            if not more:
                raise EOFError
            self.bytes += more
        text, self.bytes = self.bytes.split(end, 1)
        return text

    def block(self):
        """The lines up to the next empty one."""
        return dict(line.split(": ", 1) for line in self.until(b"\n\n").decode().splitlines())

    def event(self):
        """The next event; what only says when to come back, or that we are there, is not one."""
        while "data" not in (fields := self.block()):
            pass
        return int(fields["id"]), json.loads(fields["data"])

    def nothing_for(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b"?"
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(WAIT_SECONDS_MAX)


def count(world, page, times=1):
    for _ in range(times):
        world.server.ask(post("/nandolytics/record", {"siteUrl": page}))


def follows(report, world):
    page = f"{OPEN}/live"
    count(world, page, 3)
    with Listener(world.server, page) as one, Listener(world.server, page) as two:
        report.equal("200", one.status, 200)
        report.check("as events", "Content-Type: text/event-stream\r\n" in one.head)
        report.check("nginx passes them on", "X-Accel-Buffering: no\r\n" in one.head)
        report.check("for any origin, kept by nobody",
                     "Access-Control-Allow-Origin: *\r\n" in one.head
                     and "Cache-Control: no-store\r\n" in one.head)
        report.equal("when to come back", one.block(), {"retry": "2000"})
        ordinal, data = one.event()
        report.equal("what is there already", (ordinal, data["page"]), (3, 3))
        report.equal("the same for two", two.event(), (ordinal, data))
        site = data["site"]
        began = time.monotonic()
        count(world, page)
        report.equal("one more", one.event(), (4, {"page": 4, "site": site + 1}))
        late = time.monotonic() - began
        problems = [] if late < LATE_SECONDS_MAX else [str(late)]
        report.check(f"told within {LATE_SECONDS_MAX} s", problems)
        report.equal("one more for two", two.event(), (4, {"page": 4, "site": site + 1}))
        count(world, f"{OPEN}/another")
        report.equal("another page moves the site", one.event(), (4, {"page": 4, "site": site + 2}))
        count(world, "https://other.example/")
        report.check("another site moves nothing", one.nothing_for(0.4))


def at_most_ten_a_second(report, world):
    page = f"{OPEN}/busy"
    with Listener(world.server, page) as one:
        one.event()
        events, began = 0, time.monotonic()
        while time.monotonic() - began < 1.0:
            count(world, page)
        answer = world.server.ask(post("/nandolytics/record", {"siteUrl": page}))
        last = int(answer.json()["siteHits"])
        while True:
            events += 1
            if one.event()[0] == last:
                break
        report.check("the newest comes, at most ten a second and not fewer than five",
                     [] if 5 <= events <= 14 else [f"{events} events for {last} hits"])


def resumes(report, world):
    page = f"{OPEN}/resumed"
    count(world, page, 2)
    count(world, f"{OPEN}/beside")
    with Listener(world.server, page, Last_Event_ID="2") as one:
        known, told = one.event()
        report.equal("the page's number may be known, the site's is not", known, 2)
        report.check("so it is told", told["site"] >= 3)
        count(world, page)
        report.equal("what is new is, too", one.event()[0], 3)
    for known in ("1", "x", "99999999999999999999", ""):
        with Listener(world.server, page, Last_Event_ID=known) as one:
            report.equal(f"from '{known}'", one.event()[0], 3)


def refused(report, world):
    for target, status, word in (
            ("/api/v1/live", 400, "missing_url"), ("/api/v1/live?url=%", 400, "bad_escape"),
            ("/api/v1/live?url=nonsense", 400, "bad_url"),
            ("/api/v1/live?url=https://unknown.example/", 404, "unknown_site"),
            ("/api/v1/live?url=https://closed.example/", 404, "unknown_site")):
        answer = world.server.ask(get(target))
        report.equal(target, (answer.status, answer.json()["error"]), (status, word))
    stats = world.tokens["bound_stats"]
    with Listener(world.server, "https://closed.example/", Authorization=f"Bearer {stats}") as one:
        report.equal("a token that may read", one.status, 200)
    answer = world.server.ask(post("/api/v1/live", {}))
    report.equal("POST", answer.status, 405)


def who_leaves_is_forgotten(report, world):
    def listeners():
        rows = world.server.ask(get("/metrics")).body.decode().splitlines()
        return sum(float(row.split()[-1]) for row in rows
                   if row.startswith("nandolytics_live_listeners{"))

    def wait_for_none():
        until = time.monotonic() + WAIT_SECONDS_MAX
        while listeners() > 0 and time.monotonic() < until:
            time.sleep(0.05)

    wait_for_none()  # Of the other tests.
    several = [Listener(world.server, f"{OPEN}/left") for _ in range(5)]
    report.equal("listeners are counted", listeners(), 5)
    for one in several:
        one.socket.close()
    wait_for_none()
    report.equal("and gone", listeners(), 0)


ON_ONE_SERVER = (follows, at_most_ten_a_second, resumes, refused, who_leaves_is_forgotten)
