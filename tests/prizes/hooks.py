"""Webhooks of prizes that are won: signed, once each, in order, over kill -9 and over a restore."""
import hashlib
import hmac
import http.server
import json
import shutil
import threading
import time

from draws import Draws
from wire import get

SECRET = "a secret of the operator's"
EVERY = {"rule": "every", "every": 1}
SECONDS_MAX = 15


class Target:
    """A program of the operator's: keeps what comes, and answers as `status` says."""

    def __init__(self):
        self.came, self.status = [], 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.came.append((dict(handler.headers), body, self.status))
                handler.send_response(self.status)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def taken(self):
        return [json.loads(body) for _, body, status in self.came if status == 200]

    def wait(self, count):
        """What it took, once there are so many; then a moment for one that should not come."""
        taken, ends = 0, time.monotonic() + SECONDS_MAX
        while taken < count and time.monotonic() < ends:
            time.sleep(0.05)
            if len(self.taken()) > taken:  # As long as they keep coming.
                taken, ends = len(self.taken()), time.monotonic() + SECONDS_MAX
        time.sleep(1.5)
        return self.taken()

    def wait_for_attempt(self):
        ends = time.monotonic() + SECONDS_MAX
        while not self.came and time.monotonic() < ends:
            time.sleep(0.02)


def is_signed(headers, body):
    t, v1 = (part.split("=", 1)[1] for part in headers["Nandolytics-Signature"].split(","))
    good = hmac.new(SECRET.encode(), t.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(good, v1) and abs(time.time() - int(t)) < 300


def flags(*targets):
    return ("--webhooks-url", ",".join(target.url for target in targets), "--webhooks-secret",
            SECRET, "--webhooks-allow-private")


def numbers(events):
    return [(event["promotion"], event["prize"]) for event in events]


def told(report):
    """Once, signed, and with nothing of who won; each repeat of a claim says nothing new."""
    with Target() as target, Draws(*flags(target)) as server:
        server.run()
        server.open("launch", EVERY, prize={"says": "A mug for the winner"})
        ticket = server.enter()
        answer = server.claim(ticket)
        server.claim(ticket)
        report.equal("one event", len(target.wait(1)), 1)
        headers, body, _ = target.came[0]
        report.check("it is signed", is_signed(headers, body))
        report.check("the control: another body is not", not is_signed(headers, body + b" "))
        event = json.loads(body)
        report.equal("in full", event, {
            "event": "prize.won", "id": event["id"], "promotion": "launch",
            "site": "prize.example", "window": 1, "entry": 1, "prize": 1,
            "claimed": answer["claimed"]})
        report.equal("its id in the head", headers["Nandolytics-Event"], event["id"])
        none = server.claim(server.enter(secret="")._replace(secret="x" * 16))
        report.equal("a claim that is refused", none["error"], "no_secret")
        report.equal("nothing more came", len(target.wait(1)), 1)


def killed(report):
    """Between the claim and its delivery; and again, so that one that was taken is not told."""
    with Target() as target, Draws(*flags(target)) as server:
        server.run()
        server.open("launch", EVERY)
        server.claim(server.enter())
        target.wait(1)
        target.status = 503
        server.claim(server.enter())
        server.claim(server.enter())
        target.came = [one for one in target.came if one[2] == 200]
        target.wait_for_attempt()
        server.kill()
        target.status = 200
        server.run()
        events = target.wait(3)
        report.equal("all are told, in order", numbers(events),
                     [("launch", 1), ("launch", 2), ("launch", 3)])
        server.kill()
        server.run()
        report.equal("and not again", len(target.wait(3)), 3)
        report.equal("ids are of one event each", len({event["id"] for event in events}), 3)


def later(report):
    """A target that is new is told of what is won from then on; one that was away of all."""
    with Target() as first, Target() as second, Draws(*flags(first)) as server:
        server.run()
        server.open("launch", EVERY)
        server.claim(server.enter())
        first.wait(1)
        server.stop()
        server.flags[:len(flags(first))] = flags(first, second)
        server.run()
        time.sleep(1)
        second.status = 500
        server.claim(server.enter())
        report.equal("one that is away holds up no other", numbers(first.wait(2)),
                     [("launch", 1), ("launch", 2)])
        report.check("it is warned of",
                     "answered 500" in server.ask(get("/readyz")).json()["warnings"])
        server.stop()
        server.flags[:len(flags(first))] = flags(second)
        second.status = 200
        server.run()
        report.equal("the new one is told of what came after it", numbers(second.wait(1)),
                     [("launch", 2)])
        report.equal("and the first not twice", len(first.taken()), 2)


def crowd(report):
    """More than are taken from the ledger at once, of many promotions: in the order of claims."""
    with Target() as target, Draws(*flags(target)) as server:
        target.status = 503
        server.run()
        many = {"rule": "every", "every": 1, "windows": 5000}
        server.open("old", many, pages=["/old"])
        server.open("zen", many, pages=["/zen"])
        old = server.enter_many(1200, page="https://prize.example/old")
        zen = server.enter_many(30, page="https://prize.example/zen")
        order = []
        for number, ticket in enumerate(old):
            order.append(("old", server.claim(ticket)["prize"]["number"]))
            if number % 40 == 0:
                order.append(("zen", server.claim(zen[number // 40])["prize"]["number"]))
        server.kill()
        server.run()
        target.status = 200
        events = target.wait(len(order))
        report.equal("all of them", len(events), len(order))
        report.equal("each once", len({event["id"] for event in events}), len(order))
        moments = [event["claimed"] for event in events]
        report.check("in the order of their moments", moments == sorted(moments))


def restored(report):
    """The marks of a backup may be ahead of its journal: what is won anew is told."""
    with Target() as target, Draws(*flags(target)) as server, Draws(*flags(target)) as other:
        server.run()
        server.open("launch", EVERY)
        copy = server.folder / "backup"
        server.must("backup", "--with-keys", str(copy))
        for _ in range(3):
            server.claim(server.enter())
        target.wait(3)
        server.stop()
        shutil.copy(server.data / "registry.db", copy / "registry.db")
        shutil.rmtree(other.data)
        other.must("restore", str(copy))
        other.run()
        time.sleep(1)
        other.claim(other.enter())
        report.equal("told of a win after the restore", numbers(target.wait(4))[3:],
                     [("launch", 1)])


ALL = (told, killed, later, crowd, restored)
