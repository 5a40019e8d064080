"""D7: a start after kill -9 is killed itself, at each of its writes, and the next one is well."""
import collections
import concurrent.futures
import contextlib
import random
import re
import shutil
import time

from feed import files_of
from harness import Server, client, compare, finish, load, remove, scratch
from kills import SMALL_SEGMENT, attached, strace
from warehouse import caught_up, wait_for

SITES, PAGES = 4, 64
HITS = 3000
RATE = 6000
FLIGHT_SECONDS = 1.2
TORN_BYTES, CUT_BYTES = 3000, 64 << 10
CALLS = (
    "write,pwrite64,pwritev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,"
    "ftruncate,fallocate"
)
THROUGH_WITHIN = 10.0
# The last call may be what told that it is through.
LAST_CALL_SECONDS = 0.1
LEVELS = 3
AT_ONCE = 4
BLOCK = 4096
# A server at rest has a segment that it writes and one that is ready.
STEADY_LIVE = 2


class Store:
    """A store that was killed, kept as it was, to be started again and again from there."""

    def __init__(self, name):
        self.folder = scratch(f"recovery-{name}")
        self.server = Server(self.folder, SMALL_SEGMENT)
        self.log = self.folder / "answers"
        self.log.touch()
        self.kept = self.folder / "kept"
        self.shape = {"sites": SITES, "pages": PAGES, "log": self.log, "ids": "varied"}
        self.kills, self.chains, self.deepest, self.wrong = 0, 0, 0, []

    def live(self):
        return sorted((self.server.data / "journal").glob("*.live"))

    def begin(self):
        """Hits that are in journal and warehouse, before those of the moment it is killed."""
        self.server.start()
        load(self.server, connections=16, count=HITS, seed=1, **self.shape)
        wait_for(lambda: caught_up(self.server), 5)

    def start_load(self):
        return client(
            "load",
            port=self.server.port,
            connections=64,
            seconds=5,
            rate=RATE,
            seed=2,
            doors="record,hits",
            drain_ms=200,
            **self.shape,
        )

    def written(self):
        """The live file that was written last, and where its batches end, as they are aligned."""
        path = max(p for p in self.live() if p.read_bytes()[BLOCK:].strip(b"\0"))
        size = len(path.read_bytes().rstrip(b"\0"))
        return path, -(-size // BLOCK) * BLOCK

    def keep(self):
        with contextlib.suppress(FileNotFoundError):
            (self.server.data / "control.sock").unlink()
        shutil.copytree(self.server.data, self.kept)

    def restore(self):
        remove(self.server.data)
        shutil.copytree(self.kept, self.server.data)

    def start_under(self, wrapper):
        """Starts it. Whether it died; if not, it came through: it says so, the warehouse holds all
        of the journal, nothing is left to be sealed."""
        server = self.server
        said = server.log.stat().st_size
        server.launch(wrapper)

        def is_dead():
            return server.process.poll() is not None

        def is_through():
            counting = b"counting on" in server.log.read_bytes()[said:]
            return counting and caught_up(server) and len(self.live()) <= STEADY_LIVE

        if not wait_for(lambda: is_dead() or is_through(), THROUGH_WITHIN):
            raise RuntimeError(f"neither dead nor through: {server.tail()}")
        time.sleep(0 if is_dead() else LAST_CALL_SECONDS)
        died = is_dead()
        server.kill()
        return died

    def moments(self, paths):
        """Each call that a start makes which is let through, as strace counts them: by name, in
        each thread by itself."""
        made = self.folder / "calls"
        filters = [word for path in paths for word in ("-P", str(path))]
        trace = ["strace", "-D", "-f", "-qq", "-o", made, "-e", f"trace={CALLS}", *filters]
        self.restore()
        if self.start_under(trace):
            raise RuntimeError(f"it died by itself: {self.server.tail()}")
        calls = re.findall(r"^(\d+) +(\w+)\(", made.read_text(errors="replace"), re.MULTILINE)
        last = collections.Counter()
        for (_, call), count in collections.Counter(calls).items():
            last[call] = max(last[call], count)
        return [(call, when) for call in sorted(last) for when in range(1, last[call] + 1)]

    def killed_at(self, moment, paths):
        call, when = moment
        return self.start_under(strace(f"{call}:signal=SIGKILL:when={when}", paths))

    def problem(self):
        """A clean start after all of that: what is wrong; empty if nothing is."""
        self.server.start()
        _, wrong = compare([self.log], self.server.export(), SITES, self.server.port)
        good, said = self.server.verify()
        self.server.kill()
        return ", ".join(wrong) or ("" if good else said)

    def sweep(self, paths, each, offset):
        """Kills a start at one call in `each`, and every second of those again and again, `LEVELS`
        starts in all, each at another call."""
        moments = self.moments(paths)
        for number, moment in enumerate(moments[offset % each :: each]):
            chance = random.Random(number)
            chain = [moment, *chance.choices(moments, k=LEVELS - 1)] if number % 2 else [moment]
            self.restore()
            kills = sum([self.killed_at(one, paths) for one in chain])
            self.chains, self.kills = self.chains + 1, self.kills + kills
            self.deepest = max(self.deepest, kills)
            if wrong := self.problem():
                self.wrong.append(f"after {chain}: {wrong}")

    def close(self):
        self.server.close()
        remove(self.folder)


def in_full_flight(store):
    """At no special moment, with hits that the warehouse lacks, and the last batch torn."""
    store.begin()
    running = store.start_load()
    time.sleep(FLIGHT_SECONDS)

    def enough_to_cut():
        with contextlib.suppress(FileNotFoundError):  # It was sealed meanwhile.
            return store.written()[1] > 2 * CUT_BYTES

    if not wait_for(enough_to_cut, 2):
        raise RuntimeError("too little was written")
    store.server.kill()
    finish(running)
    path, end = store.written()
    with path.open("r+b") as file:
        file.seek(end)
        file.write(random.Random(7).randbytes(TORN_BYTES))


def in_a_seal(store):
    """While a full segment is compressed."""
    store.begin()
    tmp = store.live()[0].with_suffix(".sealed.tmp")
    killed_by(store, "pwritev:signal=SIGKILL:when=1", [tmp])


def in_a_transaction(store):
    """While a transaction goes to the warehouse's log."""
    store.begin()
    killed_by(store, "write:signal=SIGKILL:when=2", files_of(store.server))


def with_a_spoiled_warehouse(store):
    """At no special moment, and the warehouse is to be made anew."""
    in_full_flight(store)
    path = files_of(store.server)[0]
    path.write_bytes(path.read_bytes()[: BLOCK // 2])


def killed_by(store, injection, paths):
    with attached(store.server, injection, paths):
        running = store.start_load()
        if not wait_for(lambda: store.server.process.poll() is not None, 5):
            raise RuntimeError(f"it was not killed by {injection}")
    finish(running)


def no_paths(store):
    return ()


def of_the_warehouse(store):
    return [*files_of(store.server), *(f"{path}.aside" for path in files_of(store.server))]


def of_the_seal(store):
    """The file that is made, by its path and by its name in a folder that is open, and the one
    that goes."""
    live = store.live()[0]
    names = [live.name, live.with_suffix(".sealed.tmp").name]
    return [live.with_suffix(".sealed.tmp"), *names]


# How the store was killed; whose calls the start is killed at. With no paths it is those of the
# recovery: what the threads after it do comes later, and counts by itself only on paths of theirs.
SWEEPS = (
    ("in full flight", in_full_flight, (no_paths, of_the_warehouse)),
    ("as it sealed", in_a_seal, (no_paths, of_the_seal)),
    ("in a transaction of the warehouse", in_a_transaction, (no_paths, of_the_warehouse)),
    ("its warehouse spoiled", with_a_spoiled_warehouse, (of_the_warehouse,)),
)


def lost_tail(report, store):
    """A recovery that cuts acknowledged batches."""
    store.restore()
    path, end = store.written()
    with path.open("r+b") as file:
        file.seek(end - CUT_BYTES)
        file.write(bytes(CUT_BYTES))
    wrong = store.problem()
    report.check("control, a start that cuts acknowledged batches: red", "lost" in wrong, wrong)


def swept(report, number, each):
    name, kill, sweeps = SWEEPS[number]
    store = Store(number)
    try:
        kill(store)
        store.keep()
        for paths in sweeps:
            store.sweep(paths(store), each, number)
        of = "each" if each == 1 else f"one in {each}"
        report.check(
            f"killed {name}, then at {of} of its start's calls",
            not store.wrong and store.kills > 0,
            f"{store.chains} times, {store.kills} kills, up to {store.deepest} deep"
            + "".join(f"; {one}" for one in store.wrong[:3]),
        )
        if number == 0:
            lost_tail(report, store)
    except Exception as error:  # The others still run.
        report.check(f"killed {name}", False, f"{type(error).__name__}: {error}")
    finally:
        store.close()
    return store


def killed_recovery(report, each, budget):
    with report.suite("D7", "recovery survives itself, and the warehouse with it", budget):
        numbers = range(len(SWEEPS))
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            stores = list(pool.map(lambda number: swept(report, number, each), numbers))
        kills, chains = (sum(getattr(one, of) for one in stores) for of in ("kills", "chains"))
        report.check("more kills than chains of them", kills > chains, f"{kills} in {chains}")
