"""D4, D5, D14 and the stalled half of D10: the disk fails, fills up, or stands still."""
import contextlib
import os
import subprocess
import threading
import time

from harness import (
    ACKNOWLEDGED,
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
)
from kills import SMALL_SEGMENT, attached, strace

SITES, PAGES = 4, 16
IMAGE_BYTES = 16 << 20
EIO_LAST = 20

# Beside EIO: what the disk may answer, and how strace says it. A short write is one of 512 bytes.
OTHER_FAULTS = (
    ("pwritev", "error=EIO"),
    ("pwritev", "error=ENOSPC"),
    ("pwritev", "error=EINTR"),
    ("pwritev", "retval=512"),
    ("fdatasync", "error=EINTR"),
    ("fdatasync", "error=ENOSPC"),
)


def prepare(server, log):
    """Makes the segments of a store, so that the next syncs of live files are those of batches."""
    server.start()
    load(server, connections=4, count=200, sites=SITES, pages=PAGES, seed=99, log=log)
    server.term()


def live_files(server):
    return sorted((server.data / "journal").glob("*.live"))


class Fault:
    """A server whose `when`-th write or sync of a live file fails, under load."""

    def __init__(self):
        self.folder = scratch("fault")
        self.log = self.folder / "answers"
        self.server = Server(self.folder, 8 << 20)

    def run(self, call, how, when, shim=None):
        control = shim(self.folder) if shim else None
        prepare(self.server, self.log)
        before = len(read_log(self.log))
        self.server.start(shim=control)
        with attached(self.server, f"{call}:{how}:when={when}", live_files(self.server)):
            running = client(
                "load",
                port=self.server.port,
                connections=16,
                seconds=5,
                rate=3000,
                sites=SITES,
                pages=PAGES,
                log=self.log,
            )
            self.wait_for_failure(5)
            time.sleep(0.15)
            self.server_alive = self.server.process.poll() is None
            self.healthz = self.server.get("/healthz")[0]
            self.server.kill()
        self.told = finish(running)
        self.entries = read_log(self.log)[before:]
        self.server.launch()
        self.started = self.server.wait_ready(5)
        if self.started:
            _, self.wrong = compare([self.log], self.server.export(), SITES, self.server.port)
            self.verified, _ = self.server.verify()

    def wait_for_failure(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.server.process.poll() is None:
            if self.server.get("/healthz", 1.0)[0] not in (200, 0):
                return
            time.sleep(0.02)

    def failed_at(self):
        """When the first 503 was back; None if there was none. The failed commit may have been a
        probe of health, so it need not have been the answer to a hit."""
        return min((e[8] for e in self.entries if e[2] == 503), default=None)

    def problems(self):
        """What is wrong, as text; empty when the promise was kept."""
        failed = self.failed_at()
        if failed is None and self.started and not self.wrong:
            return "the failure was not told"
        late = sum(1 for e in self.entries if failed and e[3] == ACKNOWLEDGED and e[7] > failed)
        if late:
            return f"{late} acknowledged after the failure"
        if self.server_alive and self.healthz == 200:
            return "healthz is still green"
        if not self.started:
            return f"no start: {self.server.tail()[-120:]}"
        return ", ".join(self.wrong) or ("" if self.verified else "verify disagrees")

    def close(self):
        self.server.close()
        remove(self.folder)


def try_fault(*arguments, **named):
    fault = Fault()
    try:
        fault.run(*arguments, **named)
        return fault.problems(), fault.told
    finally:
        fault.close()


def forgiving(folder):
    shim = Shim(folder)
    shim.set(Shim.FORGIVE, 1)
    return shim


def refused_start(report):
    """A sync that fails before the first hit: no start, the file is named, the next is well."""
    folder = scratch("refused")
    server = Server(folder, 8 << 20)
    try:
        prepare(server, folder / "answers")
        server.launch(strace("fdatasync:error=EIO:when=1", live_files(server)))
        ready = server.wait_ready(10)
        said = server.tail()
        server.kill()
        server.start()
        _, wrong = compare([folder / "answers"], server.export(), SITES, server.port)
        report.check(
            "EIO at the first sync of a start: refused, naming the file; nothing lost",
            not ready and ".live" in said and not wrong,
            ", ".join(wrong) or said[-120:],
        )
    finally:
        server.close()
        remove(folder)


def failed_disk(report, last, budget):
    with report.suite("D4", f"a failed write or sync is final: EIO at sync 1 to {last}", budget):
        wrong = []
        for when in range(1, last + 1):
            problem, _ = try_fault("fdatasync", "error=EIO", when)
            wrong += [f"sync {when}: {problem}"] if problem else []
        report.check(f"EIO at the k-th sync, k = 1..{last}", not wrong, "; ".join(wrong[:3]))
        for call, how in OTHER_FAULTS:
            problem, told = try_fault(call, how, 7)
            report.check(
                f"{how} at the 7th {call}",
                not problem,
                problem
                or f"{told['acknowledged']} acknowledged, then {told['unknown']} unknown "
                f"and {told['refused']} refused, 0 lost",
            )
        refused_start(report)
        problem, _ = try_fault("pwritev", "error=EIO", 7, shim=forgiving)
        report.check("control, a failed write taken for a good one: red", problem, problem)


@contextlib.contextmanager
def small_disk(folder):
    """A 16 MiB ext4 in a loop mount; tmpfs where loop devices are not to be had."""
    image, mount = folder / "image", folder / "mount"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=1", str(image)], check=True)
    kind = "ext4 in a loop mount"
    if (
        subprocess.run(
            ["mount", "-o", "loop", str(image), str(mount)], check=False, capture_output=True
        ).returncode
        != 0
    ):
        kind = "tmpfs: no loop mount here"
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(mount)], check=True)
    try:
        yield mount, kind
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)


class Ballast(threading.Thread):
    """Takes all the space there is, and what is given back, until it is lifted."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.lifted, self.full = path, threading.Event(), threading.Event()

    def run(self):
        with self.path.open("wb", buffering=0) as file:
            while not self.lifted.is_set():
                for size in (1 << 16, 4096, 512):
                    with contextlib.suppress(OSError):
                        while True:
                            file.write(bytes(size))
                self.full.set()
                self.lifted.wait(0.01)

    def lift(self, room=None):
        """Gives all of it back, or `room` bytes."""
        self.lifted.set()
        self.join()
        if room is None:
            self.path.unlink()
        else:
            os.truncate(self.path, max(0, self.path.stat().st_size - room))


def fill_once(server, mount, number, log, room=None):
    """Fill the disk, count until refused, free it; how long until it counts again, the load."""
    ballast = Ballast(mount / "ballast")
    ballast.start()
    ballast.full.wait()
    told = load(
        server,
        connections=8,
        seconds=8,
        sites=SITES,
        pages=PAGES,
        seed=number * 2 + 1,
        log=log,
        stop_refused=1,
        doors="record,hits",
    )
    ballast.lift(room)
    began = time.monotonic()
    back = load(
        server,
        connections=1,
        count=1,
        retry=1,
        seconds=10,
        sites=SITES,
        pages=PAGES,
        seed=number * 2 + 2,
        log=log,
    )
    return time.monotonic() - began if back["acknowledged"] else 99.0, told


def full_disk(report, times, budget):
    with report.suite("D5", f"a full disk is an ordinary day: {times} times", budget):
        folder = scratch("full")
        with small_disk(folder) as (mount, kind):
            # The copy has another disk: on one of 16 MiB there is no room for both.
            elsewhere = {"NANDOLYTICS_WAREHOUSE_PATH": str(folder / "warehouse.duckdb")}
            server = Server(folder, SMALL_SEGMENT, data=mount / "data", env=elsewhere)
            log = folder / "answers"
            try:
                server.start()
                pid = server.process.pid
                roomy = load(
                    server,
                    connections=8,
                    seconds=0.3,
                    sites=SITES,
                    pages=PAGES,
                    seed=1000,
                    log=log,
                    stop_refused=1,
                )
                report.check(
                    "control, room on the disk: no refusal to be seen", roomy["refused"] == 0
                )
                rounds = [fill_once(server, mount, number, log) for number in range(times)]
                refused = sum(1 for _, told in rounds if told["refused"])
                bare = sum(told["refused_without_retry_after"] for _, told in rounds)
                statuses = {status for _, told in rounds for status in told["statuses"]}
                slowest = max(seconds for seconds, _ in rounds)
                report.check(
                    f"refused in each round, on {kind}",
                    refused == times,
                    f"{refused} of {times}; statuses {sorted(statuses)}",
                )
                report.check("each refusal has Retry-After", bare == 0)
                report.check(
                    "counting again within 1 s of space returning",
                    slowest <= 1,
                    f"slowest {slowest:.2f} s",
                )
                seconds, told = fill_once(server, mount, times, log, SMALL_SEGMENT // 2)
                report.check(
                    "room for half a segment: full ones are compressed, and it counts again",
                    told["refused"] and seconds <= 8,
                    f"{seconds:.2f} s",
                )
                (mount / "ballast").unlink()
                report.check(
                    "without a restart", server.process.poll() is None and server.process.pid == pid
                )
                audit(report, "after them", server, [log], SITES)
                server.kill()
                server.start()
                audit(report, "after them and kill -9", server, [log], SITES)
            finally:
                server.close()
        remove(folder)


def wait_red(server, seconds):
    """Seconds until /healthz is not 200; None if it stays green."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if server.get("/healthz", 3.0)[0] != 200:
            return time.monotonic() - began
        time.sleep(0.02)
    return None


def ask_storm(report, server, shim, when):
    before = shim.get(Shim.SYNCS)
    storm = finish(
        client("ask", port=server.port, path="/healthz", count=10_000, seconds=1, connections=16)
    )
    syncs, allowed = shim.get(Shim.SYNCS) - before, int(storm["seconds"]) + 1
    report.check(
        f"asked 10,000 times in a second{when}: a sync a second, and every answer 200",
        1 <= syncs <= allowed and storm["statuses"] == {"200": 10_000},
        f"{syncs} syncs in {storm['seconds']:.2f} s, answers {storm['statuses']}",
    )


def health(report, budget):
    with report.suite("D14", "health means counting", budget):
        folder = scratch("health")
        server, shim = Server(folder), Shim(folder)
        try:
            server.start(shim=shim)
            report.check(
                "control, a disk that works: healthz stays green", wait_red(server, 2.5) is None
            )
            time.sleep(1.1)
            ask_storm(report, server, shim, "")
            shim.set(Shim.CLOCK_SECONDS, -86_400)
            ask_storm(report, server, shim, ", the wall clock a day back")
            shim.set(Shim.CLOCK_SECONDS, 0)
            before = shim.get(Shim.SYNCS)
            load(server, connections=1, count=100)
            report.check(
                "control, 100 hits one by one: a sync each is seen",
                shim.get(Shim.SYNCS) - before >= 100,
                str(shim.get(Shim.SYNCS) - before),
            )
            shim.set(Shim.DELAY_MICROSECONDS, 60_000_000)
            red = wait_red(server, 6)
            report.check(
                "red within 2 s of a stalled journal",
                red is not None and red <= 2,
                "stayed green" if red is None else f"{red:.2f} s",
            )
            shim.set(Shim.DELAY_MICROSECONDS, 0)
            report.check("green again when the disk is back", wait_green(server, 3))
        finally:
            server.close()
            remove(folder)


def wait_green(server, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if server.get("/healthz", 1.0)[0] == 200:
            return True
        time.sleep(0.02)
    return False


def stopped_disk(report, budget):
    with report.suite("D10b", "with the disk stopped, refusals begin within 1 s", budget):
        folder = scratch("stopped")
        server, shim, log = Server(folder), Shim(folder), folder / "answers"
        try:
            server.start(shim=shim)
            steady = load(
                server, connections=256, seconds=1, rate=1000, sites=SITES, pages=PAGES, log=log
            )
            report.check(
                "control, a disk that works: no refusal to be seen", steady["refused"] == 0
            )
            shim.set(Shim.DELAY_MICROSECONDS, 60_000_000)
            running = client(
                "load",
                port=server.port,
                connections=4096,
                seconds=3,
                rate=1000,
                sites=SITES,
                pages=PAGES,
                seed=2,
                log=log,
                drain_ms=8000,
            )
            time.sleep(3)
            shim.set(Shim.DELAY_MICROSECONDS, 0)
            told = finish(running)
            report.check(
                "refusals began within 1 s",
                0 <= told["first_refused_ms"] <= 1000,
                f"{told['first_refused_ms']:.0f} ms, {told['refused']} refused, "
                f"{told['acknowledged']} acknowledged when it was back",
            )
            report.check("each refusal has Retry-After", told["refused_without_retry_after"] == 0)
            audit(report, "after it", server, [log], SITES)
        finally:
            server.close()
            remove(folder)
