"""W3, W4: the warehouse's disk takes nothing, or is full. Counting goes on, and it catches up."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import platform
import subprocess
import threading
import time

from disk import Ballast
from feed import CALLS
from harness import PROGRAM, Server, audit, load, remove, scratch
from kills import attached, strace

SITES, PAGES = 4, 16
HITS = 2000
# A transaction of more rows than a row group writes blocks of the file before it is committed.
MANY_HITS = 150_000
DISK = "100m"
# The feed tries again 5 s after an error.
CAUGHT_UP_WITHIN = 8.0
TOLD_WITHIN = 8.0
HELD_MICROSECONDS = 700_000
# write, pwrite64 and fsync, as /proc/PID/task/TID/syscall numbers them.
NUMBERS = {"x86_64": {1, 18, 74}, "aarch64": {64, 68, 82}}


@contextlib.contextmanager
def tmpfs(mount, options):
    mount.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(mount)], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)


def remount(mount, how):
    """Read-only ("ro") or not ("rw"). A file that is open for writing is in the way of "ro"."""
    subprocess.run(["mount", "-o", f"remount,{how},size={DISK}", str(mount)], check=True)


def wait_for(what, seconds):
    """What `what()` says, once it says something; else what it said last."""
    until = time.monotonic() + seconds
    while not (said := what()) and time.monotonic() < until:
        time.sleep(0.01)
    return said


def ready(server):
    """The status of /readyz, and what it says of the warehouse."""
    status, body = server.get("/readyz")
    said = json.loads(body) if status else {}
    return status, said.get("warehouse", {"lag": -1, "problem": "no answer"})


def caught_up(server):
    _, copy = ready(server)
    return copy["lag"] == 0 and not copy["problem"]


def held(server, paths):
    """Whether one of its threads stands in a write or sync of one of these files."""
    process = pathlib.Path(f"/proc/{server.process.pid}")
    for task in process.glob("task/*/syscall"):
        with contextlib.suppress(OSError, ValueError):
            number, file = task.read_text(encoding="ascii").split()[:2]
            if int(number) in NUMBERS[platform.machine()]:
                if os.readlink(process / "fd" / str(int(file, 16))) in map(str, paths):
                    return True
    return False


class Case:
    """A server whose warehouse has a tmpfs of its own, and what is promised of the two."""

    def __init__(self, report, name, folder, mount):
        self.report, self.name, self.mount = report, name, mount
        self.path = mount / "warehouse.duckdb"
        elsewhere = {"NANDOLYTICS_WAREHOUSE_PATH": str(self.path)}
        self.server = Server(folder, env=elsewhere)
        self.log, self.loads = folder / "answers", 0
        self.log.touch()

    def check(self, what, good, figure=""):
        return self.report.check(f"{self.name}: {what}", good, figure)

    def files(self):
        return [self.path, self.path.with_name(self.path.name + ".wal")]

    def count(self):
        """Hits, each of which must be acknowledged."""
        self.loads += 1
        told = load(
            self.server,
            connections=8,
            count=HITS,
            sites=SITES,
            pages=PAGES,
            seed=self.loads,
            log=self.log,
        )
        return told["acknowledged"] == HITS

    def count_many(self):
        """As many as fill a row group; they carry no ids, so the answers are not kept."""
        told = load(
            self.server,
            connections=2,
            count=MANY_HITS,
            doors="array",
            token=self.server.token(),
            sites=SITES,
            pages=PAGES,
            ids="none",
        )
        return told["acknowledged"] == MANY_HITS

    def fill(self):
        """Before the fault: hits that reach the warehouse, on a disk where nothing is wrong."""
        self.server.start()
        counted = self.count()
        well = wait_for(lambda: caught_up(self.server), TOLD_WITHIN)
        self.check("control, nothing wrong yet: no lag and no problem", counted and well)

    def told(self, problem):
        """Whether /readyz tells of a lag and of this problem; it is ready all the same."""

        def tells():
            status, copy = ready(self.server)
            return status == 200 and copy["lag"] > 0 and problem in copy["problem"]

        good = wait_for(tells, TOLD_WITHIN)
        _, copy = ready(self.server)
        return self.check(
            f"/readyz tells of the lag and '{problem}'",
            good,
            "" if good else f"lag {copy['lag']}, problem '{copy['problem']}'",
        )

    def counts_on(self):
        good = self.count()
        green = self.server.get("/healthz")[0] == 200
        self.check(f"counting goes on: {HITS} hits acknowledged, healthz green", good and green)

    def catches_up(self, *, kept=True):
        began = time.monotonic()
        good = wait_for(lambda: caught_up(self.server), CAUGHT_UP_WITHIN)
        seconds = time.monotonic() - began
        self.check("then it catches up by itself", good, f"{seconds:.1f} s")
        audit(self.report, self.name, self.server, [self.log], SITES)
        if kept:
            anew = "the warehouse is filled anew" in self.server.log.read_text()
            aside = self.path.with_name(self.path.name + ".aside").exists()
            self.check("the file was kept, not filled anew", not anew and not aside)


def in_parallel(report, cases):
    """Each case on a tmpfs of its own; most of their time is the feed's pause."""

    def run(name, case):
        folder = scratch("warehouse")
        try:
            with tmpfs(folder / "mount", f"size={DISK}") as mount:
                one = Case(report, name, folder, mount)
                try:
                    case(one)
                except Exception as error:  # The others still run.
                    one.check("ran to its end", False, f"{type(error).__name__}: {error}")
                finally:
                    one.server.close()
        finally:
            remove(folder)

    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for future in [pool.submit(run, name, case) for name, case in cases.items()]:
            future.result()


def read_only_from_the_start(case):
    remount(case.mount, "ro")
    case.server.start()
    case.counts_on()
    case.told("Read-only file system")
    remount(case.mount, "rw")
    case.catches_up()


def read_only_after_a_restart(case):
    case.fill()
    case.server.term()
    remount(case.mount, "ro")
    case.server.start()
    case.counts_on()
    case.told("Read-only file system")
    remount(case.mount, "rw")
    case.catches_up()
    missing_rows(case)


def copy_of_one_site(server):
    """A warehouse with the mark of all and the rows of one: what `verify` must never agree with."""
    host = json.loads(server.export().read_text().splitlines()[0])["site"]
    copy = server.folder / "one-site"
    with copy.open("wb") as out:
        subprocess.run(
            [PROGRAM, "export", "--format", "duckdb", "--site", host, "--data", server.data],
            env=server.env,
            stdout=out,
            check=True,
        )
    return copy


def missing_rows(case):
    """The control of every 'verify agrees' here."""
    copy = copy_of_one_site(case.server)
    case.server.term()
    case.files()[1].unlink(missing_ok=True)
    case.path.write_bytes(copy.read_bytes())
    good, said = case.server.verify()
    case.check("control, a warehouse with one site's rows alone: red", not good, said)


def turns_read_only(case):
    """As when the kernel gives up on a file system: the writes of an open file fail."""
    case.fill()
    with attached(case.server, f"{CALLS}:error=EROFS", case.files()):
        case.counts_on()
        case.told("Read-only file system")
    case.catches_up()


def made_immutable(case):
    """What chattr +i on ext4 answers to the writes of a file that is open."""
    case.fill()
    with attached(case.server, f"{CALLS}:error=EPERM", case.files()):
        case.counts_on()
        case.told("Operation not permitted")
    case.catches_up()


def read_only(report, budget):
    with report.suite("W3", "a warehouse that cannot be written costs no hit", budget):
        in_parallel(
            report,
            {
                "read-only from the start": read_only_from_the_start,
                "read-only after a restart": read_only_after_a_restart,
                "read-only while it runs": turns_read_only,
                "immutable while it runs": made_immutable,
            },
        )


def fill_disk(case):
    """All of the disk; to be lifted."""
    ballast = Ballast(case.mount / "ballast")
    ballast.start()
    ballast.full.wait()
    return ballast


def nearly_full(case):
    """The feed does not begin."""
    case.fill()
    ballast = fill_disk(case)
    case.counts_on()
    case.told("the warehouse waits: less than 64 MiB are free")
    ballast.lift()
    case.catches_up()


def full_in_the_middle(when, count):
    """The disk was roomy when the feed looked, and is full at its `when`-th write."""

    def run(case):
        case.fill()
        injection = f"pwrite64,write,fsync:delay_enter={HELD_MICROSECONDS}:when={when}"
        with attached(case.server, injection, case.files()):
            counting = threading.Thread(target=count, args=[case])
            counting.start()
            struck = wait_for(lambda: held(case.server, case.files()), TOLD_WITHIN)
            ballast = fill_disk(case)
            counting.join()
            case.check("the disk was filled before the write", struck)
            case.told("No space left")
        case.counts_on()
        ballast.lift()
        case.catches_up()

    return run


def full_when_made(case):
    """The same while the file is made."""
    injection = f"{CALLS}:delay_enter={HELD_MICROSECONDS}:when=2"
    case.server.launch(strace(injection, case.files()))
    struck = wait_for(lambda: held(case.server, case.files()), TOLD_WITHIN)
    ballast = fill_disk(case)
    case.check("the disk was filled before the write", struck)
    case.server.wait_ready()
    case.counts_on()
    case.told("No space left")
    ballast.lift()
    case.catches_up(kept=False)


def only_held(case):
    """The control of the others: to be held is not what makes a write fail."""
    case.fill()
    injection = f"pwrite64,write,fsync:delay_enter={HELD_MICROSECONDS}:when=1"
    with attached(case.server, injection, case.files()):
        case.count()
        struck = wait_for(lambda: held(case.server, case.files()), TOLD_WITHIN)
        well = wait_for(lambda: caught_up(case.server), CAUGHT_UP_WITHIN)
    log = case.server.log.read_text()
    case.check("no problem is told", struck and well and "feed:" not in log)


def full_disk(report, budget):
    with report.suite("W4", "a warehouse on a full disk costs no hit", budget):
        in_parallel(
            report,
            {
                "less than 64 MiB free": nearly_full,
                "full at the 1st write": full_in_the_middle(1, Case.count),
                "full at the 2nd write": full_in_the_middle(2, Case.count),
                "full in a row group": full_in_the_middle(4, Case.count_many),
                "full when it is made": full_when_made,
                "control, a write held on a roomy disk": only_held,
            },
        )
