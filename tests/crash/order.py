"""D8, D9, D10, P8: one count and one order, on a bad network, in a crowd, by a wrong clock."""
import datetime
import itertools
import json
import random
import threading
import time

from harness import (
    ACKNOWLEDGED,
    BOT,
    ENTRY,
    Server,
    Shim,
    audit,
    client,
    compare,
    finish,
    free_port,
    load,
    read_log,
    remove,
    rss_bytes,
    scratch,
    write_log,
)
from kills import SMALL_SEGMENT

SITES, PAGES = 8, 64
DAY = 86_400


def retries(report, hits, kills, budget):
    with report.suite("D8", f"retries count once: {hits:,} hits, {kills} kills", budget):
        folder = scratch("retry")
        server, log, seen = Server(folder, SMALL_SEGMENT), folder / "answers", folder / "seen"
        port = free_port()
        proxy = client("proxy", listen=port, to=server.port, drop=0.1, repeat=0.2, log=seen)
        try:
            server.start()
            running = client(
                "load",
                port=port,
                connections=64,
                count=hits,
                retry=1,
                reconnect=1,
                sites=SITES,
                pages=PAGES,
                ids="varied",
                doors="record,hits",
                log=log,
            )
            killed = 0
            pause = random.Random(8)
            while running.poll() is None:
                time.sleep(pause.uniform(0.5, 1.0))
                if killed < kills and running.poll() is None:
                    server.kill()
                    server.start()
                    killed += 1
            told = finish(running)
            proxy.terminate()
            bad = finish(proxy)
            report.check("killed as often as was meant", killed == kills, f"{killed} of {kills}")
            report.check(
                "the network was bad",
                bad["dropped"] and bad["repeated"],
                f"{bad['requests']} requests, {bad['dropped']} answers dropped, "
                f"{bad['repeated']} requests repeated",
            )
            report.check(
                "both answers to a repeated request were the same",
                bad["pairs_differ"] == 0,
                str(bad["pairs_differ"]),
            )
            result = audit(report, "after it", server, [log, seen], SITES)
            report.check(
                "each hit counted once",
                result["records"] == hits == told["acknowledged"],
                f"{result['records']} in the journal of {hits} sent, {told['sent']} sendings",
            )
            retry_control(report)
        finally:
            proxy.kill()
            server.close()
            remove(folder)


def retry_control(report):
    """The same network, and hits without ids: nothing can tell a repetition from a second hit."""
    folder = scratch("retry-control")
    server, port = Server(folder), free_port()
    proxy = client("proxy", listen=port, to=server.port, drop=0.1, repeat=0.2)
    try:
        server.start()
        load(
            server_at(port),
            connections=16,
            count=2000,
            retry=1,
            reconnect=1,
            sites=SITES,
            pages=PAGES,
            ids="none",
        )
        result, _ = compare([], server.export(), SITES)
        report.check(
            "control, hits without ids: counted more than once",
            result["records"] > 2000,
            f"{result['records']} in the journal of 2000 sent",
        )
    finally:
        proxy.kill()
        proxy.wait()
        server.close()
        remove(folder)


class server_at:  # pylint: disable=invalid-name
    """A stand-in for a Server where only the port matters."""

    def __init__(self, port):
        self.port = port


def one_order(report, hits, seconds, budget):
    """As many of the hits as the disk takes in the time given, and a tenth of them at the least."""
    with report.suite(
        "D9", f"one order for all: 64 connections, {hits:,} hits on one page or {seconds} s", budget
    ):
        folder = scratch("order")
        server, log = Server(folder), folder / "answers"
        try:
            server.start()
            told = load(server, connections=64, count=hits, seconds=seconds, log=log)
            count = told["acknowledged"]
            report.check(
                "all acknowledged, a tenth of the hits at least",
                told["sent"] == count >= hits // 10,
                f"{count:,}, {count / told['seconds']:.0f} hits/s",
            )
            audit(report, f"ordinals are 1 to {count:,}, no inversion", server, [log], 1)
            first, second = swapped(read_log(log))
            write_log(folder / "tampered", [first, second])
            _, wrong = compare([folder / "tampered"], folder / "export.ndjson", 1)
            report.check(
                "control, two answers exchanged: red",
                any("inversions" in one for one in wrong),
                ", ".join(wrong),
            )
        finally:
            server.close()
            remove(folder)


def swapped(entries):
    """An early and a late answer, each with the other's numbers."""
    counted = [entry for entry in entries if entry[3] == ACKNOWLEDGED]
    early, late = counted[0], counted[-1]
    return (*early[:5], *late[5:7], *early[7:9], *late[9:]), (
        *late[:5],
        *early[5:7],
        *late[7:9],
        *early[9:],
    )


class Memory(threading.Thread):
    """Watches the resident memory of a process; `peak` is the most that was seen."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            self.peak = max(self.peak, rss_bytes(self.pid))

    def stop(self):
        self.over.set()
        self.join()
        return self.peak


def without_first_id(entries):
    """The bytes of a log but for its first entry that has an id."""
    at = next(at for at in range(0, len(entries), ENTRY.size) if entries[at])
    return entries[:at] + entries[at + ENTRY.size :]


SLOW_SYNC_MICROSECONDS = 700_000  # Slow, and not yet taken for a disk that stands still.
# Hits a second: four times what such a disk takes, at 16,384 a commit, and no more answers than
# need be.
FLOOD = 100_000


def overload(report, seconds, rss_max, budget):
    """On a slow disk, so that it is the queue that is full and not this machine that is busy."""
    with report.suite("D10", f"nothing disappears in silence: 3x capacity for {seconds} s", budget):
        folder = scratch("overload")
        server, shim, log = Server(folder), Shim(folder), folder / "answers"
        try:
            server.start(shim=shim)
            shape = {
                "sites": SITES,
                "pages": PAGES,
                "token": server.token(),
                "connections": 1024,
                "doors": "array,record,hits,array,pixel",
                "log": log,
                "drain_ms": 20_000,
            }
            load(server, **{**shape, "connections": 8, "count": 20_000, "seed": 1})
            shim.set(Shim.DELAY_MICROSECONDS, SLOW_SYNC_MICROSECONDS)
            full = load(server, seconds=3, rate=FLOOD, seed=2, **shape)
            rate = full["acknowledged"] / full["seconds"]
            memory = Memory(server.process.pid)
            memory.start()
            told = load(server, seconds=seconds, rate=max(3 * rate, FLOOD), seed=3, **shape)
            peak = memory.stop()
            shim.set(Shim.DELAY_MICROSECONDS, 0)
            parts = {name: told[name] for name in ("acknowledged", "dropped", "refused", "unknown")}
            report.check(
                "sent = acknowledged + dropped + refused + unknown",
                told["sent"] == sum(parts.values()) and told["failed"] == 0,
                f"capacity {rate:.0f} hits/s; sent {told['sent']} = "
                + " + ".join(f"{n} {name}" for name, n in parts.items()),
            )
            report.check("it was too much", told["refused"] > 0)
            report.check("each refusal has Retry-After", told["refused_without_retry_after"] == 0)
            report.check(
                f"memory under {rss_max >> 20} MiB", peak <= rss_max, f"peak {peak >> 20} MiB"
            )
            counted = bots(report, server, shape)
            result = audit(report, "after it", server, [log], SITES)
            counted += 20_000 + full["acknowledged"] + told["acknowledged"]
            most = counted + full["unknown"] + told["unknown"]
            report.check(
                "the journal holds what was acknowledged, and at most the unknown beside it",
                counted <= result["records"] <= most,
                f"{counted} <= {result['records']} <= {most}",
            )
            (folder / "fewer").write_bytes(without_first_id(log.read_bytes()))
            _, wrong = compare([folder / "fewer"], folder / "export.ndjson", SITES)
            report.check(
                "control, one hit not accounted for: red",
                any("strangers" in one for one in wrong),
                ", ".join(wrong),
            )
        finally:
            server.close()
            remove(folder)


def bots(report, server, shape):
    """Hits of a bot: by script and pixel dropped, and kept without a number. Returns how many
    counted."""
    shape = {**shape, "connections": 16, "doors": "record,hits,pixel,array", "array_hits": 1}
    told = load(server, count=4_000, seed=4, agent=BOT, **shape)
    report.check(
        "of a bot's 4,000 hits half count, and half are dropped",
        (told["acknowledged"], told["dropped"], told["sent"]) == (2_000, 2_000, 4_000),
        f"{told['acknowledged']} acknowledged, {told['dropped']} dropped of {told['sent']}",
    )
    result, wrong = compare([shape["log"]], server.export(), SITES)
    report.check(
        "those that were dropped are kept, without a number",
        result["kept"] == told["dropped"] and not wrong,
        f"{result['kept']} kept; {', '.join(wrong)}",
    )
    return told["acknowledged"]


def wrong_clock(report, seconds, budget):
    """The wall clock is stepped once a second, back a day or forward up to ten years."""
    steps = itertools.cycle((-DAY, 3600, -DAY // 2, 30 * DAY, -DAY, 365 * DAY, 0, 3650 * DAY, -DAY))
    with report.suite("P8", f"the clock wins nothing: stepped each second for {seconds} s", budget):
        folder = scratch("clock")
        server, shim, log = Server(folder, SMALL_SEGMENT), Shim(folder), folder / "answers"
        try:
            server.start(shim=shim)
            for second in range(seconds):
                shim.set(Shim.CLOCK_SECONDS, next(steps))
                shape = {
                    "port": server.port,
                    "connections": 16,
                    "count": 500,
                    "sites": SITES,
                    "pages": PAGES,
                    "seed": second + 1,
                    "log": log,
                }
                first = finish(client("load", **shape))
                again = finish(client("load", **shape))
                if first["acknowledged"] != 500 or again["duplicates"] != 500:
                    report.check(
                        f"second {second}: 500 counted, the same 500 known again",
                        False,
                        f"{first['acknowledged']} counted, {again['duplicates']} known again",
                    )
                time.sleep(0.7)
                if second == seconds // 2:
                    server.kill()
                    server.start(shim=shim)
            audit(report, "ordinals, receipts and retries", server, [log], SITES)
            stamps = committed_times(server)
            report.check(
                "control, the clock was moved: the server saw another year",
                max(stamps) > time.time() + 300 * DAY,
                f"{(max(stamps) - time.time()) / DAY:.0f} days ahead",
            )
            report.check("the time of commits never falls", stamps == sorted(stamps))
        finally:
            server.close()
            remove(folder)


def committed_times(server):
    """Of each record of the last export, in seconds since 1970."""
    stamps = []
    with (server.folder / "export.ndjson").open(encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line).get("committed")
            if isinstance(text, str):
                stamps.append(
                    datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
                )
            elif text is not None:
                stamps.append(text / 1000)
    return stamps
