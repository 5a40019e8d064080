"""D1, D11, D15: the process dies, by a signal at a random moment or at an exact system call."""
import concurrent.futures
import collections
import contextlib
import json
import pathlib
import random
import subprocess
import time

from harness import (
    Server,
    Shim,
    audit,
    client,
    compare,
    finish,
    load,
    read_log,
    remove,
    scratch,
    write_log,
)

SITES, PAGES = 8, 64
RATE = 4000
SMALL_SEGMENT = 1 << 20
CHAIN = 20
AT_ONCE = 2

# Where an exact kill may strike, and up to which call of that kind: the low numbers are recovery
# and the making of segments, the high ones the hot path.
EXACT = (
    ("pwritev", 160),
    ("fdatasync", 160),
    ("rename,renameat,renameat2", 3),
    ("fsync", 6),
    ("unlink,unlinkat", 2),
    ("fallocate", 3),
    ("ftruncate", 2),
    ("pwritev", 12),
    ("fdatasync", 12),
    ("pwrite64", 12),
)


def strace(inject, paths=(), how=("-D", "-f")):
    """strace that tampers with one call. With -D it is nobody's parent. With --seccomp-bpf, which
    lets other calls run at full speed, strace 6.1 injects errors and delays and no signals."""
    calls = inject.split(":")[0]
    wrapper = [
        "strace",
        *how,
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={calls}",
        "-e",
        f"inject={inject}",
    ]
    for path in paths:
        wrapper += ["-P", str(path)]
    return wrapper


@contextlib.contextmanager
def attached(server, inject, paths=()):
    """strace on a server that runs: `when=` counts from now, in each thread by itself."""
    pid = server.process.pid
    tracer = subprocess.Popen([*strace(inject, paths, ["-f"]), "-p", str(pid)])
    until = time.monotonic() + 10
    while not all_traced(pid) and time.monotonic() < until:
        time.sleep(0.002)
    try:
        yield
    finally:
        tracer.kill()
        tracer.wait()


def all_traced(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/status")
    return all("TracerPid:\t0\n" not in task.read_text(encoding="ascii") for task in tasks)


class Chain:
    """One data directory that is killed again and again; the client remembers all of it."""

    def __init__(self, number):
        self.number, self.random = number, random.Random(number)
        self.folder = scratch("kill")
        self.server = Server(self.folder, SMALL_SEGMENT)
        self.log = self.folder / "answers"
        self.log.touch()
        self.exact, self.acknowledged, self.seconds = collections.Counter(), 0, 0.0

    def cycle(self, number):
        """Start, load, kill; by an exact system call, or else at a random moment."""
        exact = (
            self.exact.total() * 5 <= number * 2
        )  # Not every exact call comes before the time is over.
        calls, last = self.random.choice(EXACT)
        when = self.random.randint(1, last)
        self.server.launch(strace(f"{calls}:signal=SIGKILL:when={when}") if exact else ())
        seed = self.number * 1000 + number + 1
        if self.server.wait_ready():
            running = client(
                "load",
                port=self.server.port,
                connections=64,
                seconds=10,
                rate=RATE,
                sites=SITES,
                pages=PAGES,
                seed=seed,
                ids="varied",
                doors="record,hits",
                again=self.log,
                log=self.log,
            )
            until = time.monotonic() + self.random.uniform(0.03, 0.4) + (1.5 if exact else 0)
            while time.monotonic() < until and self.server.process.poll() is None:
                time.sleep(0.002)
            if self.server.process.poll() is not None:
                self.exact[calls.split(",")[0]] += 1
            self.server.kill()
            told = finish(running)
            self.acknowledged += told["acknowledged"]
            self.seconds += told["seconds"]
        else:
            if not exact or self.server.process.poll() is None:
                raise RuntimeError(f"the server did not start again: {self.server.tail()}")
            self.exact["before it was ready"] += 1
            self.server.kill()

    def run(self, kills):
        for number in range(kills):
            self.cycle(number)
        return self


def run_chain(report, number, kills):
    chain = Chain(number)
    try:
        chain.run(kills)
        chain.server.start()
        audit(report, f"chain {number}, {kills} kills", chain.server, [chain.log], SITES)
    finally:
        chain.server.close()
        remove(chain.folder)
    return chain


def kill_nine(report, kills, budget):
    with report.suite("D1", f"kill -9 loses nothing: {kills} kills", budget):
        lengths = [CHAIN] * (kills // CHAIN) + ([kills % CHAIN] if kills % CHAIN else [])
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            futures = [pool.submit(run_chain, report, i, n) for i, n in enumerate(lengths)]
            chains = [future.result() for future in futures]
        struck = sum((chain.exact for chain in chains), collections.Counter())
        rate = sum(chain.acknowledged for chain in chains) / sum(chain.seconds for chain in chains)
        report.check(
            "a third of the kills at an exact system call",
            struck.total() * 3 >= kills,
            f"{struck.total()} of {kills}: "
            + ", ".join(f"{name} {n}" for name, n in struck.most_common()),
        )
        report.check("at least 1,000 hits/s while it lived", rate >= 1000, f"{rate:.0f} hits/s")
        kill_controls(report)


def kill_controls(report):
    """The same check, shown a server that answers before it writes, and a changed journal."""
    folder = scratch("kill-control")
    server, log, shim = Server(folder, SMALL_SEGMENT), folder / "answers", Shim(folder)
    try:
        server.start(shim=shim)
        load(server, connections=16, count=500, sites=2, pages=4, log=log)
        honest = server.export().read_text().splitlines()
        tampered = {
            "a record removed": without_one(honest),
            "an ordinal repeated": repeated(honest),
        }
        for name, lines in tampered.items():
            path = folder / "tampered"
            path.write_text("\n".join(lines) + "\n")
            _, wrong = compare([log], path, 2)
            report.check(f"control, {name}: red", wrong, ", ".join(wrong))
        shim.set(Shim.DROP_WRITES, 1)
        told = load(server, connections=16, count=500, sites=2, pages=4, seed=2, log=log)
        server.kill()
        shim.set(Shim.DROP_WRITES, 0)
        server.start()
        _, wrong = compare([log], server.export(), 2)
        report.check(
            "control, answers before the write: red",
            told["acknowledged"] and wrong,
            f"{told['acknowledged']} answered; {', '.join(wrong)}",
        )
    finally:
        server.close()
        remove(folder)


def without_one(lines):
    at = max(i for i, line in enumerate(lines) if json.loads(line).get("kind") == "page_view")
    return lines[: at // 2] + lines[at // 2 + 1 :] if at > 1 else lines[:-1]


def repeated(lines):
    views = [i for i, line in enumerate(lines) if json.loads(line).get("kind") == "page_view"]
    first, changed = json.loads(lines[views[0]]), list(lines)
    for i in views[1:]:
        record = json.loads(lines[i])
        if record["url"] == first["url"]:
            record["page"] = first["page"]
            changed[i] = json.dumps(record)
            return changed
    return lines


def sigterm(report, restarts, budget):
    with report.suite("D11", f"SIGTERM under load: {restarts} restarts", budget):
        folder = scratch("term")
        server, log = Server(folder, SMALL_SEGMENT), folder / "answers"
        log.touch()
        slowest, codes = 0.0, set()
        try:
            for number in range(restarts):
                server.start()
                running = client(
                    "load",
                    port=server.port,
                    connections=64,
                    seconds=10,
                    rate=RATE,
                    sites=SITES,
                    pages=PAGES,
                    seed=number + 1,
                    again=log,
                    log=log,
                )
                time.sleep(0.15)
                seconds, code = server.term()
                slowest, codes = max(slowest, seconds), codes | {code}
                finish(running)
            server.start()
            audit(report, "after them", server, [log], SITES)
            report.check("each stopped within 2 s", slowest <= 2, f"slowest {slowest:.2f} s")
            report.check("each exit code was 0", codes == {0}, str(codes))
            entries = read_log(log)
            victim = next(i for i, entry in enumerate(entries) if entry[3] == 0)
            changed = list(entries[victim])
            changed[0] = b"AAAAAA" + changed[0][6:]
            write_log(folder / "tampered", [*entries, tuple(changed)])
            _, wrong = compare([folder / "tampered"], folder / "export.ndjson", SITES)
            report.check(
                "control, an answer that is not in the journal: red", wrong, ", ".join(wrong)
            )
        finally:
            server.close()
            remove(folder)


def start_after_kill(report, hits, seconds_max, budget):
    with report.suite("D15", f"start after kill -9 with {hits:,} hits", budget):
        folder = scratch("start")
        server = Server(folder)
        try:
            server.start()
            told = load(
                server,
                connections=4,
                count=hits,
                doors="array",
                token=server.token(),
                sites=SITES,
                pages=50_000,
                ids="none",
            )
            report.check(
                "all of them counted", told["acknowledged"] == hits, str(told["acknowledged"])
            )
            server.kill()
            seconds = server.start()
            report.check(
                f"ready within {seconds_max} s", seconds <= seconds_max, f"{seconds:.2f} s"
            )
            good, said = server.verify()
            report.check("verify agrees (D13)", good, said)
        finally:
            server.close()
            remove(folder)
