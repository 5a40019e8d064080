"""Each line of the page that has a reason, taken away: what it was for is then seen to go wrong."""
import contextlib
import socket
import threading
import time

from check import metrics
from checks import (HITS, LATE_SECONDS_MAX, RECORD, connections_for, encoded, escapes, url_of)
from fronts import HOST, Caddy, Events, Nginx
from page import replaced, without
from wire import get, post

TIMEOUT, BUFFERING = r"proxy_read_timeout 1h;", r"proxy_buffering off;"
RETRIES = r"proxy_next_upstream off;"


def add(text, line):
    """At the level of the server, where every location inherits it."""
    return replaced(text, r"(?m)^(\s*)(proxy_http_version 1\.1;)$", rf"\1\2\n\1{line}")


def streams(report, program, pem):
    """A stream outlives what other requests may take because of its line."""
    def cut(front):
        with Events(front, url_of("/live")) as events:
            return events.next(LATE_SECONDS_MAX) == 0 and events.next(2.5) is None

    with Nginx("host", program.port, pem, lambda text: without(text, TIMEOUT)) as front:
        report.check("nginx without proxy_read_timeout cuts it", cut(front))
    short = lambda text: replaced(text, "keepalive 60s", "read_timeout 1s")  # noqa: E731
    with Caddy("host", program.port, pem, short) as front:
        report.check("Caddy with a read_timeout cuts it", cut(front))


def buffers(report, program, pem):
    """Either of header and line keeps nginx from holding events back; without both it does."""
    ignore = "proxy_ignore_headers X-Accel-Buffering;"
    changes = (("only the header", lambda text: without(text, BUFFERING), 0),
               ("only the line", lambda text: add(text, ignore), 0),
               ("neither", lambda text: add(without(text, BUFFERING), ignore), ""))
    for name, change, wanted in changes:
        with Nginx("host", program.port, pem, change) as front:
            # Buffered, not even the answer's head comes: that is as good as no event.
            got = []
            thread = threading.Thread(target=first_event, args=(front, got), daemon=True)
            thread.start()
            thread.join(LATE_SECONDS_MAX)
            report.equal(f"{name}: the first event", (got or [""])[0], wanted)


def first_event(front, got):
    with contextlib.suppress(OSError), Events(front, url_of("/buffered")) as events:
        got.append(events.next(LATE_SECONDS_MAX / 2))  # Else nginx has ended before it said a word.


def decoding(text):
    """In the first location, which has all but the streams; nginx takes none in theirs."""
    return replaced(text, r"(?s)^(.*?proxy_pass http://nandolytics);", r"\1/;")


def stripping(text):
    text = replaced(text, r"reverse_proxy @stats", "handle_path /stats/* {\n\treverse_proxy")
    return replaced(text, r"\}\n$", "}\n}\n")


def paths(report, program, pem):
    """A path behind proxy_pass: pages are read, but for those with // in a path of their own."""
    for where in ("host", "path"):
        with Nginx(where, program.port, pem, decoding) as front:
            read = {}
            for page in ("/decoded", "/decoded?a=b", "/decoded//twice"):
                front.ask(front.post(RECORD, {"siteUrl": url_of(page)}))
                answer = front.ask(front.get(encoded(url_of(page)))).json()
                read[page] = answer["siteUrl"], answer["siteHits"] > 0
            report.equal(f"{where}: what nginx makes of pages", list(read.values()),
                         [(url_of("/decoded"), True), (url_of("/decoded?a=b"), True),
                          (url_of("/decoded/twice"), False)])
    with Caddy("path", program.port, pem, stripping) as front:
        escapes(report, front, program)


def exposed(report, program, pem):
    """Why /metrics is blocked: the header is all that tells the proxy's clients from loopback."""
    def open_up(text):
        return without(text, r"location = /(?:metrics|readyz) \{ return 404; \}")

    def bare(text):
        return without(open_up(text), r"proxy_set_header X-Forwarded-For \S+;")

    for target in ("/metrics", "/readyz"):
        with Nginx("host", program.port, pem, open_up) as front:
            report.equal(f"{target} with the header wants a token",
                         front.ask(front.get(target)).status, 401)
        with Nginx("host", program.port, pem, bare) as front:
            report.equal(f"{target} behind a bare proxy is everybody's",
                         front.ask(front.get(target)).status, 200)


def bodies(report, program, pem):
    """Without its two lines nginx refuses large arrays in its own words and writes them down."""
    body = b"[" + b" " * (2 << 20) + b"]"
    with Nginx("host", program.port, pem, lambda text: without(text, r"client_max_\S+ 3m;")) as one:
        answer = one.ask(one.post(HITS, body))
        report.equal("413 of nginx has no CORS", (answer.status, answer.all(
            "Access-Control-Allow-Origin"), answer.header("Content-Type")), (413, [], "text/html"))
    told = "buffered to a temporary file"
    for name, change, wanted in (("as the page has it", lambda text: text, False),
                                 ("without the line",
                                  lambda text: without(text, r"client_body_\S+ 3m;"), True)):
        with Nginx("host", program.port, pem, change) as front:
            front.ask(front.post(HITS, b"[" + b" " * (1 << 20) + b"]"))
            log = (front.folder / "error.log").read_text()
            report.equal(f"{name}: a body on disk", told in log, wanted)


def unpooled(report, program, pem):
    for line in (r"keepalive 32;", r'proxy_set_header Connection "";'):
        with Nginx("host", program.port, pem, lambda text, one=line: without(text, one)) as front:
            accepted, hits = connections_for(front, program)
            report.equal(f"without {line} a connection a hit", accepted, hits)


def idle(report, program, pem):
    """Caddy's line is what closes idle connections before the program does."""
    for name, change, wanted in (
            ("a line of 1 s", lambda text: replaced(text, "keepalive 60s", "keepalive 1s"), 1),
            ("none", lambda text: without(text, "keepalive 60s"), 2)):
        with Caddy("host", program.port, pem, change) as front:
            front.ask(front.post(RECORD, {"siteUrl": url_of("/idle")}))
            deadline = time.monotonic() + 2
            while open_connections(program) > 1 and time.monotonic() < deadline:
                time.sleep(0.05)
            report.equal(f"{name}: connections left, ours among them", open_connections(program),
                         wanted)


def open_connections(program):
    return int(metrics(program.ask(get("/metrics")).body)["nandolytics_http_connections"])


class Mortal:
    """In the program's place: answers the first request of a connection, and dies in the second,
    having read it. What it read it keeps."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def __enter__(self):
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.read = []
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(one,), daemon=True).start()

    def serve(self, one):
        with one:
            for number in range(2):
                head = one.recv(65536)
                if not head:
                    return
                while b"Content-Length: 2" in head and not head.endswith(b"{}"):
                    head += one.recv(65536)
                self.read.append(head.split(b" HTTP/")[0].decode())
                if number == 0:
                    one.sendall(self.ANSWER)


def asked_again(kind, pem, change, request):
    """How often the program was asked for what was asked once, and what was said in the end."""
    with Mortal() as mortal, kind("host", mortal.port, pem, change) as front:
        front.ask(front.get("/first"))
        status = front.ask(request).status
        return mortal.read.count(f"{request.method} {request.target}"), status


def repeats(report, _program, pem):
    """A request whose answer was lost is the client's to repeat, who has its id."""
    pixel, hit = get("/hit.gif?url=x"), post(HITS, b"{}")
    for name, request in (("GET", pixel), ("POST", hit)):
        report.equal(f"nginx asks once, {name}",
                     asked_again(Nginx, pem, lambda text: text, request), (1, 502))
    report.equal("without its line it asks again",
                 asked_again(Nginx, pem, lambda text: without(text, RETRIES), pixel), (2, 200))
    report.equal("Caddy asks once, POST", asked_again(Caddy, pem, lambda text: text, hit), (1, 502))
    report.equal("but again, GET, as the page says",
                 asked_again(Caddy, pem, lambda text: text, pixel), (2, 200))


ALL = (streams, buffers, paths, exposed, bodies, unpooled, idle, repeats)
