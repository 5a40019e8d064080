"""D3: a power cut at every block. The store lies on a real file system on a disk that logs what is
written to it; each prefix of that log is mounted and opened.

qemu-storage-daemon keeps the log (blklogwrites, in the format of Linux's dm-log-writes) and offers
the disk as a file (FUSE), which is mounted through a loop device.
"""
import contextlib
import http.client
import json
import os
import struct
import subprocess
import time

from harness import BROWSER, READY_SECONDS_MAX, Server, Shim, remove, scratch
from kills import SMALL_SEGMENT

SUPER = struct.Struct("<QQQI")  # Magic, version, entries, sector size.
ENTRY = struct.Struct("<QQQQ")  # Sector, sectors, flags, bytes of data that is not of the disk.
MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
SECTOR, BLOCK = 512, 4096

MAKE = {
    "ext4": (
        64 << 20,
        ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,nodiscard", "-J", "size=4"],
    ),
    "xfs": (320 << 20, ["mkfs.xfs", "-q", "-f", "-K"]),
    "btrfs": (160 << 20, ["mkfs.btrfs", "-q", "-f", "-K", "-M"]),
}
# A prefix is mounted as a kernel would after the cut; two images of one file system are never
# mounted at once, but xfs remembers.
MOUNT = {"ext4": [], "xfs": ["-o", "nouuid"], "btrfs": []}


class DiskLog:
    """The log as it grows: entries(), and the next of them when more has been written."""

    def __init__(self, path):
        self.file = path.open("rb", buffering=0)
        self.offset, self.entries = SECTOR, []

    def grow(self):
        """Reads what is new; how many entries there are."""
        while True:
            head = os.pread(self.file.fileno(), ENTRY.size, self.offset)
            if len(head) < ENTRY.size:
                break
            sector, sectors, flags, extra = ENTRY.unpack(head)
            if sector == sectors == flags == extra == 0:
                break
            self.offset += SECTOR
            bytes_here = 0 if flags & DISCARD else sectors * SECTOR
            self.entries.append((sector, sectors, flags, self.offset, bytes_here))
            self.offset += bytes_here
        return len(self.entries)

    def steps(self, entry, disk):
        """Does to the image `disk` what the entry says, a block at a time; yields after each."""
        sector, sectors, flags, offset, size = entry
        if flags & MARK or not sectors:
            return
        if flags & DISCARD:
            os.pwrite(disk, bytes(sectors * SECTOR), sector * SECTOR)
            yield
            return
        content = os.pread(self.file.fileno(), size, offset)
        for at in range(0, size, BLOCK):
            block = content[at : at + BLOCK]
            if os.pread(disk, len(block), sector * SECTOR + at) != block:
                os.pwrite(disk, block, sector * SECTOR + at)
                yield


def run(*command):
    done = subprocess.run(
        [str(part) for part in command], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}".strip())


@contextlib.contextmanager
def logged_disk(folder, kind):
    """A mounted file system of that kind, and the log of all that is written to it."""
    size, make = MAKE[kind]
    disk, log, shown, mount = (folder / name for name in ("disk", "log", "shown", "mount"))
    for path, length in ((disk, size), (log, 4 << 30), (shown, 0)):
        with path.open("wb") as file:
            file.truncate(length)
    run(*make, disk)
    run("cp", "--sparse=always", disk, folder / "base")
    mount.mkdir()
    daemon = subprocess.Popen(
        [
            "qemu-storage-daemon",
            "--blockdev",
            f"driver=file,filename={disk},node-name=disk",
            "--blockdev",
            f"driver=file,filename={log},node-name=log",
            "--blockdev",
            "driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size=512",
            "--export",
            f"type=fuse,id=shown,node-name=logged,mountpoint={shown},writable=on",
        ],
        stdin=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + READY_SECONDS_MAX
        while shown.stat().st_size != size:
            if daemon.poll() is not None or time.monotonic() > until:
                raise RuntimeError("qemu-storage-daemon does not show the disk")
            time.sleep(0.02)
        run("mount", "-o", "loop", "-t", kind, shown, mount)
        try:
            yield mount, DiskLog(log)
        finally:
            run("umount", mount)
    finally:
        daemon.terminate()
        daemon.wait()


def count_in_step(server, log, hits):
    """One hit after another; for each, how much of the log was there when its answer was."""
    promised = []
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for number in range(hits):
        body = json.dumps({"url": "https://s0.crash.example/p0", "id": f"A{number:015d}"})
        headers = {"Content-Type": "application/json", "User-Agent": BROWSER}
        connection.request("POST", "/api/v1/hits", body, headers)
        answer = json.loads(connection.getresponse().read())
        promised.append((log.grow(), f"A{number:015d}", answer["page"], answer["receipt"]))
    connection.close()
    return promised


def open_prefix(server, image, mount, kind):
    """Starts a server on the store on this image. What it holds, as (id, ordinal, receipt) of each
    record; or why it does not start."""
    run("mount", "-o", "loop", "-t", kind, *MOUNT[kind], image, mount)
    try:
        server.launch()
        if not server.wait_ready():
            return set(), server.tail()
        agree, said = server.verify()
        with server.export().open(encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines]
        held = {
            (r.get("id"), r.get("page"), r.get("receipt"))
            for r in records
            if r.get("kind") == "page_view"
        }
        return held, "" if agree else said
    finally:
        server.kill()
        run("umount", mount)


class Trials:
    """Prefixes that were mounted and opened, and what was wrong with them."""

    def __init__(self, folder, kind, server, promised):
        self.folder, self.kind, self.server, self.promised = folder, kind, server, promised
        self.tried, self.missing, self.refusals, self.example = 0, 0, 0, ""

    def open(self, number):
        """Opens what the image `prefix` is now; `number` entries of the log are wholly in it."""
        trial = self.folder / "trial"
        run("cp", "--sparse=always", "--reflink=auto", self.folder / "prefix", trial)
        held, refusal = open_prefix(self.server, trial, self.folder / "mount", self.kind)
        owed = {(id_, page, receipt) for at, id_, page, receipt in self.promised if at <= number}
        self.tried += 1
        self.refusals += bool(refusal)
        self.missing += len(owed - held)
        if (refusal or owed - held) and not self.example:
            self.example = f"at entry {number}: {refusal or sorted(owed - held)[0]}"


def try_prefixes(folder, log, trials, only=None):
    """Opens the image after each block that changes it; or at the entry `only` alone."""
    prefix = folder / "prefix"
    run("cp", "--sparse=always", folder / "base", prefix)
    disk = os.open(prefix, os.O_RDWR)
    for number, entry in enumerate(log.entries):
        for _ in log.steps(entry, disk):
            if only is None:
                trials.open(
                    number
                )  # The entry is not whole before its last block; nothing waits for it.
        if only == number + 1:
            trials.open(only)
    os.close(disk)
    if only is None:
        trials.open(len(log.entries))
    return trials


def one_run(kind, hits, shim_word=None):
    """A run of `hits` commits on that file system, and what its prefixes hold."""
    folder = scratch(f"blocks-{kind}")
    try:
        with logged_disk(folder, kind) as (mount, log):
            server = Server(folder, SMALL_SEGMENT, data=mount / "data")
            shim = Shim(folder) if shim_word is not None else None
            try:
                server.start(shim=shim)
                if shim:
                    shim.set(shim_word, 1)
                promised = count_in_step(server, log, hits)
                log.grow()
            finally:
                server.kill()
        trials = Trials(folder, kind, server, promised)
        return try_prefixes(folder, log, trials, promised[-5][0] if shim else None)
    finally:
        server.close()
        remove(folder)


def power_cut(report, kind, commits, budget):
    with report.suite(f"D3 {kind}", f"every block prefix of a {commits}-commit run", budget):
        trials = one_run(kind, commits)
        report.check(
            "acknowledged records missing: 0",
            trials.tried > commits and not trials.missing,
            f"{trials.missing} in {trials.tried} prefixes; {trials.example}",
        )
        report.check(
            "refusals to start: 0",
            not trials.refusals,
            f"{trials.refusals} of {trials.tried}; {trials.example}",
        )
        trials = one_run(kind, 20, Shim.SKIP_SYNCS)
        report.check(
            "control, answers before the sync: red",
            trials.missing,
            f"{trials.missing} missing in {trials.tried} prefixes",
        )
