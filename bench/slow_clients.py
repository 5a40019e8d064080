#!/usr/bin/env python3
"""What do those who dawdle cost those who do not, and how long do they stay?

Half of them send the head of a request byte by byte, half the body, and a few ask for more than a
socket holds and read nothing. Whoever is closed comes again at once.
"""
import collections
import select
import socket
import statistics
import sys
import threading
import time

sys.dont_write_bytecode = True
from rig import Server, load, note, row, workshop  # noqa: E402

SLOW, READING = 1_500, 20
STAY_SECONDS_MAX = 15
RATE, SECONDS, ROUNDS, WARM_UP_MS = 10_000, 10, 3, 1000
BYTE_EVERY_SECONDS = 3
HEAD = b"POST /nandolytics/record HTTP/1.1\r\nHost: bench\r\nContent-Length: 1000\r\nX: "
ASK = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n" * 800
SENT = {"head": HEAD, "body": HEAD + b"y\r\n\r\n{", "reading": ASK}


def kind_of(number):
    return "reading" if number < READING else "head" if number % 2 else "body"


class SlowClients:
    """All of them in one thread, begun one after the other over a few seconds."""

    def __init__(self, port):
        self.port, self.poll, self.open = port, select.epoll(), {}
        self.due = collections.deque()  # Whose next byte is due when, soonest first.
        self.stays = collections.defaultdict(list)
        self.stopping = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def begin(self, kind):
        one = socket.socket()
        if kind == "reading":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", self.port))
        one.setblocking(False)
        one.send(SENT[kind])
        # Of one that reads nothing, no end of a stream is seen behind what it has not read.
        self.poll.register(one, select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR)
        now = time.monotonic()
        self.open[one.fileno()] = (one, kind, now)
        if kind != "reading":
            self.due.append((now + BYTE_EVERY_SECONDS, one))

    def end(self, number):
        one, kind, began = self.open.pop(number)
        self.stays[kind].append(time.monotonic() - began)
        self.poll.unregister(number)
        one.close()
        self.begin(kind)

    def run(self):
        while not self.stopping:
            for number in range(len(self.open), min(len(self.open) + 10, SLOW)):
                self.begin(kind_of(number))
            for number, _ in self.poll.poll(0.02):
                self.end(number)
            self.dawdle()

    def dawdle(self):
        now = time.monotonic()
        while self.due and self.due[0][0] <= now:
            _, one = self.due.popleft()
            if one.fileno() not in self.open:
                continue
            try:
                one.send(b"x")
            except OSError:
                self.end(one.fileno())
            else:
                self.due.append((now + BYTE_EVERY_SECONDS, one))

    def longest(self):
        """Those that are still there count as well."""
        now = time.monotonic()
        return max(
            [stay for stays in self.stays.values() for stay in stays]
            + [now - began for _, _, began in self.open.values()]
        )

    def stop(self):
        self.stopping = True
        self.thread.join()
        for one, *_ in self.open.values():
            one.close()


def p99(server, seed):
    told = load(server, connections=64, rate=RATE, seconds=SECONDS, warm_up_ms=WARM_UP_MS,
                sites=1, pages=100, seed=seed)
    return told["p99_us"] / 1000


def one_round(server, seed):
    alone = p99(server, seed)
    slow = SlowClients(server.port)
    try:
        # Until those that were closed first have come again.
        time.sleep(STAY_SECONDS_MAX)
        beside = p99(server, seed + 1)
        stayed = slow.longest()
        gone = ", ".join(f"{len(stays)} {kind}" for kind, stays in sorted(slow.stays.items()))
        if len(slow.stays) < len(SENT):
            note(f"NOT EVERY KIND WAS CLOSED: {gone}")
    finally:
        slow.stop()
    note(f"p99 {alone:.2f} ms alone, {beside:.2f} ms beside them; closed meanwhile: {gone}")
    return alone, beside, stayed


def main():
    with workshop("slow") as folder:
        server = Server(folder)
        try:
            server.start()
            rounds = [one_round(server, 2 * number + 1) for number in range(ROUNDS)]
        finally:
            server.close()
    ratio = statistics.median(beside / alone for alone, beside, _ in rounds)
    row(f"p99 of a hit beside {SLOW:,} slow clients, of the p99 without", f"{ratio:.2f}x", "1.1x",
        ratio <= 1.1)
    stayed = max(longest for *_, longest in rounds)
    row("the longest that a slow client stayed", f"{stayed:.1f} s", f"{STAY_SECONDS_MAX} s",
        stayed <= STAY_SECONDS_MAX)


if __name__ == "__main__":
    main()
