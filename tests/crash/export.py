"""W5: exports to a full disk, and two at once."""
import contextlib
import os
import pathlib
import subprocess

from disk import Ballast
from harness import PROGRAM, Server, audit, client, finish, load, remove, scratch
from kills import SMALL_SEGMENT, attached
from warehouse import caught_up, copy_of_one_site, tmpfs, wait_for

SITES, PAGES = 4, 16
HITS = 20_000
MANY_HITS = 40_000
RATE = 50
COUNTING_SECONDS = 2.5
SPARE = 1 << 20
DISK, TARGET = "100m", "16k"
FORMATS = ("csv", "parquet", "duckdb", "ndjson")
# What the data directory's disk has left, where the named format wants more. A DuckDB file fails
# as it is made, in its transaction, and as its log is written into it.
ROOMS = (
    ("csv", 256 << 10),
    ("parquet", 32 << 10),
    ("duckdb", 0),
    ("duckdb", 64 << 10),
    ("duckdb", 640 << 10),
    ("duckdb", 2 << 20),
)
# The same for a DuckDB file wherever its rooms fall: its first write, one of the log, and those of
# the log into it.
WRITES = (("pwrite64", 1), ("write", 1), ("pwrite64", 4), ("pwrite64", 5))
# A full disk may be told, or foreseen as the feed does.
WHY = ("No space left", "is for counting")
MARK = ".export-"


def start_export(server, form, out):
    return subprocess.Popen(
        [PROGRAM, "export", "--format", form, "--data", server.data],
        env=server.env,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        cwd=server.folder,
    )


def export(server, form, path):
    """Its exit code, and what it says on standard error."""
    with open(path, "wb") as out:
        process = start_export(server, form, out)
        said = process.communicate(timeout=60)[1]
    return process.returncode, said.strip()


def file_of(server, number):
    """What this server's export of that number is written to before it is handed over."""
    return server.data / f"warehouse.duckdb{MARK}{server.process.pid}-{number}"


def left_over(server):
    """Files of exports in the data directory, and those without a name that the server holds."""
    names = [name for name in os.listdir(server.data) if MARK in name]
    if server.process.poll() is not None:
        return names
    for file in pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            name = pathlib.Path(os.readlink(file)).name
            names += [f"held: {name}"] if MARK in name else []
    return names


def refused_well(report, name, code, said):
    one_line = said.startswith("nandolytics:") and "\n" not in said
    report.check(
        f"{name}: exit code 1, and one line that says why",
        code == 1 and one_line and any(why in said for why in WHY),
        f"{code}, '{said[-150:]}'",
    )


def with_room(mount, room):
    """The disk full but for `room` bytes."""
    ballast = Ballast(mount / "ballast")
    ballast.start()
    ballast.full.wait()
    ballast.lift(room)
    return mount / "ballast"


def manner(server):
    return "the server runs" if server.process.poll() is None else "no server runs"


def no_room_for_the_file(report, server, mount, form, room):
    """The file that is written before it is handed over does not fit in the data directory."""
    name = f"{form}, the data directory has {room >> 10} KiB, {manner(server)}"
    out = server.folder / "out"
    before = left_over(server)
    ballast = with_room(mount, room)
    code, said = export(server, form, out)
    refused_well(report, name, code, said)
    left = [one for one in left_over(server) if one not in before]
    report.check(f"{name}: nothing is left", not left and out.stat().st_size == 0, ", ".join(left))
    ballast.unlink()


def no_room_for_the_target(report, server, mount, form):
    """What is handed over does not fit where standard output goes."""
    name = f"{form}, the target has {TARGET}, {manner(server)}"
    before = left_over(server)
    code, said = export(server, form, mount / "out")
    refused_well(report, name, code, said)
    left = [one for one in left_over(server) if one not in before]
    report.check(f"{name}: nothing is left", not left, ", ".join(left))
    (mount / "out").unlink()


def no_room_in_the_middle(report, server):
    """Space is gone at a write of the file, or of its log, and from there on."""
    for number, (call, when) in enumerate(WRITES, 1):
        path = file_of(server, number)
        files = [path, path.with_name(path.name + ".wal")]
        with attached(server, f"{call}:error=ENOSPC:when={when}+", files):
            code, said = export(server, "duckdb", server.folder / "out")
        name = f"duckdb, no room at {call} {when}"
        refused_well(report, name, code, said)
        left = [one for one in left_over(server) if path.name in one]
        report.check(f"{name}: nothing is left", not left, ", ".join(left))
    return len(WRITES)


def no_hit_refused(report, server, name, seed):
    """Under a load that takes several segments. It has no ids, so its answers are not kept."""
    told = load(
        server,
        connections=4,
        seconds=1,
        rate=10_000,
        sites=SITES,
        pages=PAGES,
        seed=seed,
        ids="none",
    )
    report.check(
        f"{name}: no hit is refused",
        told["acknowledged"] > 0 and told["refused"] == 0,
        f"{told['acknowledged']} acknowledged, {told['refused']} refused",
    )


def room_for_an_export(server, mount):
    """The disk full but for what the export of this moment takes, and a little."""
    export(server, "csv", server.folder / "out")
    return with_room(mount, (server.folder / "out").stat().st_size + SPARE)


def nobody_reads(report, server, mount):
    """An export whose file is held until it is handed over, however slowly that goes."""
    ballast = room_for_an_export(server, mount)
    no_hit_refused(report, server, "control, that room and no export", 11)
    ballast.unlink()
    ballast = room_for_an_export(server, mount)
    running = start_export(server, "csv", subprocess.PIPE)
    wait_for(lambda: running.poll() is not None or "deleted" in str(left_over(server)), 3)
    no_hit_refused(report, server, "an export that nobody reads fills the disk", 12)
    running.kill()
    running.communicate()
    ballast.unlink()


def killed_exporting(report, server, number):
    """A file that is left is seen, and the next start removes it."""
    path = file_of(server, number)
    with attached(server, "pwrite64:signal=SIGKILL:when=2", [path]):
        export(server, "duckdb", server.folder / "out")
    server.kill()
    left = left_over(server)
    report.check("control, a server killed in an export: its file is seen", left, ", ".join(left))
    server.start()
    left = left_over(server)
    report.check("the next start removes it", not left, ", ".join(left))


def is_whole(server, path):
    """Whether a copy is, as it stands, the warehouse of the store, which no server has open."""
    before = path.read_bytes()
    around = [path.with_name(path.name + suffix) for suffix in (".wal", ".aside")]
    server.env["NANDOLYTICS_WAREHOUSE_PATH"] = str(path)
    good, said = server.verify()
    as_it_stands = path.read_bytes() == before and not any(one.exists() for one in around)
    return good and as_it_stands, said if not good else "" if as_it_stands else "it was filled"


def two_at_once(report, server):
    copies = [server.folder / f"copy-{number}" for number in range(2)]
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(path.open("wb")) for path in copies]
        running = [start_export(server, "duckdb", out) for out in files]
        both = all(process.poll() is None for process in running)
        said = [process.communicate(timeout=60)[1] for process in running]
    codes = [process.returncode for process in running]
    report.check("two of DuckDB at once: both done", both and codes == [0, 0], "".join(said))
    one_site = copy_of_one_site(server)
    server.term()
    for path in copies:
        report.check(f"{path.name}: whole, verify agrees", *is_whole(server, path))
    half = server.folder / "half"
    half.write_bytes(copies[0].read_bytes()[: copies[0].stat().st_size // 2])
    for name, path in (("one site's rows alone", one_site), ("half of its bytes", half)):
        good, said = is_whole(server, path)
        report.check(f"control, a copy with {name}: red", not good, said)


class Exports:
    """A server with a small disk for everything, and a tiny one that exports are sent to."""

    def __init__(self, report, folder, mount, target):
        self.report, self.mount, self.target = report, mount, target
        self.server = Server(folder, SMALL_SEGMENT, data=mount / "data")
        self.log = folder / "answers"
        self.shape = {"sites": SITES, "pages": PAGES, "log": self.log}

    def run(self):
        self.server.start()
        load(self.server, connections=16, count=HITS, seed=1, **self.shape)
        wait_for(lambda: caught_up(self.server), 5)
        codes = [export(self.server, form, self.server.folder / "out")[0] for form in FORMATS]
        self.report.check("control, room for all: each is done", not any(codes), str(codes))
        for form, room in ROOMS:
            no_room_for_the_file(self.report, self.server, self.mount, form, room)
        self.beside_counting()
        wait_for(lambda: caught_up(self.server), 5)
        self.server.term()
        self.without_a_server()
        self.server.start()
        before = no_room_in_the_middle(self.report, self.server)
        killed_exporting(self.report, self.server, before + 1)
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
        self.report.check("more hits", told["acknowledged"] == MANY_HITS)
        nobody_reads(self.report, self.server, self.mount)
        audit(self.report, "after them", self.server, [self.log], SITES)
        two_at_once(self.report, self.server)

    def beside_counting(self):
        running = client(
            "load",
            port=self.server.port,
            connections=2,
            seconds=COUNTING_SECONDS,
            rate=RATE,
            seed=2,
            **self.shape,
        )
        for form in FORMATS:
            no_room_for_the_target(self.report, self.server, self.target, form)
        told = finish(running)
        not_counted = told["made"] - told["acknowledged"]
        self.report.check(
            "beside all of them each hit was counted",
            told["acknowledged"] > 0 and not_counted == 0,
            f"{told['acknowledged']} acknowledged, {not_counted} not",
        )

    def without_a_server(self):
        no_room_for_the_file(self.report, self.server, self.mount, "csv", 256 << 10)
        no_room_for_the_file(self.report, self.server, self.mount, "duckdb", 640 << 10)
        for form in FORMATS:
            no_room_for_the_target(self.report, self.server, self.target, form)


def exports(report, budget):
    with report.suite("W5", "an export to a full disk says so and leaves nothing", budget):
        folder = scratch("export")
        with (
            tmpfs(folder / "mount", f"size={DISK}") as mount,
            tmpfs(folder / "target", f"size={TARGET}") as target,
        ):
            exporting = Exports(report, folder, mount, target)
            try:
                exporting.run()
            finally:
                exporting.server.close()
        remove(folder)
