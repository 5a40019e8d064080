#!/usr/bin/env python3
"""What do ten thousand who watch numbers change cost those who count?

BENCH_LISTENERS sets another number. Listeners are raw sockets here; of each the longest time
between two events is kept, while its page is hit all the time.
"""
import json
import os
import select
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
from rig import (  # noqa: E402
    Server,
    cpu_seconds,
    load,
    note,
    row,
    workshop,
)

LISTENERS = int(os.environ.get("BENCH_LISTENERS", "10000"))
RATE, SECONDS, SITES, PAGES = 20_000, 10, 1, 100
WARM_UP_SECONDS = 2


class Listeners:
    """All of them in one thread."""

    def __init__(self, server, urls):
        self.poll, self.sockets, self.last, self.longest = select.epoll(), {}, {}, 0.0
        self.events, self.stopping, self.measuring = 0, False, False
        for number in range(LISTENERS):
            one = socket.create_connection(("127.0.0.1", server.port))
            target = f"/api/v1/live?url={urls[number % len(urls)]}"
            one.sendall(f"GET {target} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            one.setblocking(False)
            self.poll.register(one, select.EPOLLIN)
            self.sockets[one.fileno()] = one
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping:
            for number, _ in self.poll.poll(0.1):
                text = self.sockets[number].recv(65536)
                if not text:
                    raise RuntimeError("a listener was dropped")
                self.note(number, text.count(b"data:"))

    def note(self, number, events):
        if not self.measuring or not events:
            return
        now = time.monotonic()
        if number in self.last:
            self.longest = max(self.longest, now - self.last[number])
        self.last[number] = now
        self.events += events

    def stop(self):
        self.stopping = True
        self.thread.join()
        for one in self.sockets.values():
            one.close()


def count(server, seed):
    """CPU of the server for each hit, in us."""
    before = cpu_seconds([server.process.pid])
    told = load(server, connections=64, rate=RATE, seconds=SECONDS, sites=SITES, pages=PAGES,
                seed=seed)
    spent = cpu_seconds([server.process.pid]) - before
    return spent / told["acknowledged"] * 1e6, told


def pages_of(server):
    """The pages that the load counts, as it names them."""
    export = server.command("export", "--format", "ndjson").stdout.splitlines()
    return sorted({"https://" + json.loads(line)["url"] for line in export})


def main():
    with workshop("live") as folder:
        server = Server(folder)
        try:
            server.start()
            load(server, connections=4, count=2000, sites=SITES, pages=PAGES, seed=1)
            urls = pages_of(server)
            note(f"{len(urls)} pages, {RATE:,} hits/s for {SECONDS} s, 64 connections")
            without, told = count(server, 2)
            note(f"without: {without:.1f} us a hit, p99 {told['p99_us'] / 1000:.1f} ms")
            listeners = Listeners(server, urls)
            time.sleep(WARM_UP_SECONDS)
            listeners.measuring = True
            beside, told = count(server, 3)
            listeners.measuring = False
            note(f"with: {beside:.1f} us a hit, p99 {told['p99_us'] / 1000:.1f} ms, "
                 f"{listeners.events / SECONDS:,.0f} events/s")
            everybody = len(listeners.last) == LISTENERS
            listeners.stop()
            row(f"{LISTENERS:,} listeners: longest between two events of one",
                f"{listeners.longest:.2f} s{'' if everybody else ', some had none'}", "1 s",
                everybody and listeners.longest <= 1)
            row("CPU per counted hit, of without", f"{beside / without:.2f}x", "1.3x",
                beside <= 1.3 * without)
        finally:
            server.close()


if __name__ == "__main__":
    main()
