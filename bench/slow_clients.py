#!/usr/bin/env python3
"""Do slow clients cost honest ones anything, and how soon are they gone? (H3)

Slow ones of three kinds: a head that drips, a body that drips, an answer that nobody reads. Rounds
with and without them take turns, at the same rate by schedule.
"""
import selectors
import socket
import statistics
import sys
import threading
import time

sys.dont_write_bytecode = True
from rig import Server, load, note, row, workshop  # noqa: E402

EACH, RATE, SECONDS, ROUNDS = 500, 5000, 6, 3
GONE_SECONDS = 15
DRIP_SECONDS = 1
PAGE = "https://s0.example/p0"
RECORD = b"POST /nandolytics/record HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: "
UNREAD = f"GET /api/v1/counts?url={PAGE} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 400


class SlowClients(threading.Thread):
    """Opens them, lets them drip, and notes when the server has hung up on each."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.done, self.lived = port, threading.Event(), []

    def run(self):
        watch = selectors.DefaultSelector()
        for number in range(3 * EACH):
            one = socket.create_connection(("127.0.0.1", self.port))
            one.setblocking(False)
            kind = (HEAD, RECORD, UNREAD)[number % 3]
            try:
                one.send(kind)
            except OSError:
                pass
            drips = kind is not UNREAD
            events = selectors.EVENT_READ if drips else 0
            watch.register(one, events or selectors.EVENT_WRITE, (time.monotonic(), drips))
        drip_at = time.monotonic()
        while watch.get_map() and not self.done.is_set():
            for key, _ in watch.select(0.2):
                self.look(watch, key)
            if time.monotonic() >= drip_at:
                drip_at += DRIP_SECONDS
                self.drip(watch)

    def look(self, watch, key):
        """One that drips is gone when there is something to read, the other when it cannot send."""
        began, drips = key.data
        try:
            if drips:
                if key.fileobj.recv(4096):
                    return
            else:
                key.fileobj.send(UNREAD)
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self.lived.append(time.monotonic() - began)
        watch.unregister(key.fileobj)
        key.fileobj.close()

    def drip(self, watch):
        for key in list(watch.get_map().values()):
            if key.data[1]:
                try:
                    key.fileobj.send(b"a")
                except OSError:
                    pass


def p99(server, seed):
    told = load(server, connections=64, seconds=SECONDS, warm_up_ms=500, rate=RATE, seed=seed,
                sites=8, pages=1000)
    return told["p99_us"] / 1000


def main():
    with workshop("slow_clients") as folder:
        server = Server(folder)
        try:
            server.start()
            p99(server, 1)
            beside, alone, lived = [], [], []
            for number in range(ROUNDS):
                alone.append(p99(server, 10 + number))
                slow = SlowClients(server.port)
                slow.start()
                time.sleep(1)
                beside.append(p99(server, 20 + number))
                slow.join(2 * GONE_SECONDS)
                slow.done.set()
                lived += slow.lived
                note(f"p99 {alone[-1]:.2f} ms alone, {beside[-1]:.2f} ms beside {3 * EACH} slow "
                     f"ones; {len(slow.lived)} of them gone")
            ratio = statistics.median(beside) / statistics.median(alone)
            row(f"p99 beside {3 * EACH} slow clients, of without", f"{ratio:.2f}x", "1.5x",
                ratio <= 1.5)
            all_gone = len(lived) == ROUNDS * 3 * EACH
            longest = f"{max(lived):.1f} s" if all_gone else "some stayed"
            row("the last slow client is gone after", longest, f"{GONE_SECONDS} s",
                all_gone and max(lived) <= GONE_SECONDS)
        finally:
            server.close()


if __name__ == "__main__":
    main()
