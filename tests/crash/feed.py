"""W1: the warehouse holds each record once, wherever the process dies and whatever its file is."""
import collections
import concurrent.futures
import time

from harness import Server, load, remove, scratch
from kills import SMALL_SEGMENT, strace

SITES, PAGES = 4, 50
HITS = 1500
# What the engine does to its two files: a transaction is one write and one sync of the log, a new
# file some more of all.
CALLS = "pwrite64,write,fsync,ftruncate"
DIES_WITHIN = 4.0
AT_ONCE = 2


def files_of(server):
    path = server.data / "warehouse.duckdb"
    return [path, path.with_name(path.name + ".wal")]


def moments(kills):
    """(whether the file is new, the call to die at): transactions, and the making of a file."""
    for number in range(kills):
        yield (True, number // 2 % 9 + 1) if number % 2 else (False, number // 2 % 2 + 1)


class Rounds:
    """One server, killed again and again."""

    def __init__(self, name):
        self.server = Server(scratch(f"feed-{name}"), SMALL_SEGMENT)
        self.died, self.counted, self.wrong = 0, 0, []
        self.server.start()
        self.token = self.server.token()
        self.server.term()

    def run(self, chosen):
        try:
            for is_new, when in chosen:
                self.one(is_new, when)
        finally:
            self.server.close()
            remove(self.server.folder)
        return self

    def one(self, is_new, when):
        server = self.server
        if is_new:
            for path in files_of(server):
                path.unlink(missing_ok=True)
        server.launch(strace(f"{CALLS}:signal=SIGKILL:when={when}", files_of(server)))
        server.wait_ready()
        told = load(
            server,
            connections=2,
            count=HITS,
            doors="array",
            array_hits=500,
            token=self.token,
            sites=SITES,
            pages=PAGES,
            ids="none",
            drain_ms=500,
        )
        self.counted += told["acknowledged"]
        until = time.monotonic() + DIES_WITHIN
        while server.process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        self.died += server.process.poll() is not None
        server.kill()
        server.start()
        good, said = server.verify()
        if not good:
            self.wrong.append(f"{'new file, ' if is_new else ''}call {when}: {said}")
        server.term()


def killed_feed(report, kills, budget):
    with report.suite("W1", f"kill -9 at every write of the feed: {kills} kills", budget):
        chosen = list(moments(kills))
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            futures = [
                pool.submit(
                    lambda i: Rounds(i).run(
                        chosen[i * kills // AT_ONCE : (i + 1) * kills // AT_ONCE]
                    ),
                    i,
                )
                for i in range(AT_ONCE)
            ]
            rounds = [future.result() for future in futures]
        died, counted = sum(r.died for r in rounds), sum(r.counted for r in rounds)
        wrong = [text for r in rounds for text in r.wrong]
        report.check("it died in most rounds", died * 10 >= kills * 8, f"{died} of {kills}")
        report.check(
            "counters, journal and warehouse agree after each",
            not wrong and counted > 0,
            f"{counted} hits; " + "; ".join(wrong[:3]),
        )


def spoiled_files(report, budget):
    """A file that is damaged, foreign, gone or read-only costs time and no number."""
    with report.suite("W2", "the warehouse's file is spoiled", budget):
        folder = scratch("spoiled")
        server = Server(folder)
        path = files_of(server)[0]
        seen = collections.Counter()

        def agree(what):
            good, said = server.verify()
            report.check(f"{what}: verify agrees", good, said)
            seen["agreed"] += good

        def hits():
            load(server, connections=8, count=2000, sites=SITES, pages=PAGES, ids="none")

        try:
            server.start()
            hits()
            agree("a new one")
            path.unlink()
            hits()
            agree("deleted under the running server")
            server.term()
            whole = path.read_bytes()
            spoilt = {
                "truncated": whole[: len(whole) // 2],
                "emptied": b"",
                "overwritten": b"no database at all" * 1000,
                "one bit in its header": bytes([*whole[:40], whole[40] ^ 4, *whole[41:]]),
            }
            for what, content in spoilt.items():
                path.write_bytes(content)
                server.start()
                agree(what)
                server.term()
            other = Server(scratch("other"))
            try:
                other.start()
                load(other, connections=8, count=3000, sites=SITES, pages=PAGES, ids="none")
                other.verify()
                other.term()
                path.write_bytes(files_of(other)[0].read_bytes())
                log = files_of(other)[1]
                if log.exists():
                    files_of(server)[1].write_bytes(log.read_bytes())
            finally:
                other.close()
                remove(other.folder)
            server.start()
            agree("another store's")
            server.term()
            said = server.log.read_text()
            report.check("the log says why", "the warehouse is filled anew" in said)
            report.check("each was filled anew", seen["agreed"] >= 7, str(seen))
        finally:
            server.close()
            remove(folder)
