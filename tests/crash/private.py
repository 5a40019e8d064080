"""V1: no address and no raw agent on disk, whatever becomes of the process."""
import base64
import ctypes
import ctypes.util
import ipaddress
import pathlib
import re
import secrets
import signal
import subprocess
import time

from harness import Server, audit, load, remove, scratch
from kills import SMALL_SEGMENT

SITES, PAGES = 4, 16
PREFIX6, PREFIX4 = "2001:db8:5afe:c0de:", "198.51.100."
VISITORS = 4  # Few, so that four raw bytes are not met by chance.
ZSTD_MAGIC = bytes.fromhex("28b52ffd")


def base64_forms(mark):
    """What `mark` looks like inside base64 text, at each of the three ways it may fall."""
    for shift in range(3):
        text = base64.b64encode(bytes(shift) + mark + bytes(-(shift + len(mark)) % 3)).decode()
        part = text[-(-shift * 8 // 6) : (shift + len(mark)) * 8 // 6]
        yield part.encode()
        yield part.replace("+", "-").replace("/", "_").encode()


def forms(mark):
    """Text or bytes, their hex in both cases, their base64."""
    yield mark
    yield mark.hex().encode()
    yield mark.hex().upper().encode()
    yield from base64_forms(mark)


def patterns(agent, raw_four_bytes):
    """Each form of each mark, with its name. Four raw bytes are too few to be sought in a core."""
    found = {}
    for text in (agent, PREFIX6, PREFIX4, PREFIX6.upper()):
        found.update({form: text for form in forms(text.encode())})
    six = ipaddress.ip_address(PREFIX6 + ":0").packed[:8]
    for raw in (six, six[::-1]):
        found.update({form: "the IPv6 prefix, raw" for form in forms(raw)})
    for last in range(VISITORS if raw_four_bytes else 0):
        four = ipaddress.ip_address(PREFIX4 + str(last)).packed
        found.update({raw: "an IPv4 address, raw" for raw in (four, four[::-1])})
        found.update({raw.hex().encode(): "an IPv4 address, hex" for raw in (four, four[::-1])})
    return found


def zstd_frames(content):
    """What the zstd frames inside a file unpack to."""
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    for name in ("ZSTD_findFrameCompressedSize", "ZSTD_decompress", "ZSTD_decompressBound"):
        getattr(library, name).restype = ctypes.c_size_t
    library.ZSTD_decompressBound.restype = ctypes.c_ulonglong
    for match in re.finditer(re.escape(ZSTD_MAGIC), content):
        rest = content[match.start() :]
        size = library.ZSTD_findFrameCompressedSize(rest, ctypes.c_size_t(len(rest)))
        if size > len(rest):
            continue  # Not a frame: errors are huge numbers.
        bound = library.ZSTD_decompressBound(rest, ctypes.c_size_t(size))
        if bound > 1 << 28:
            continue
        into = ctypes.create_string_buffer(bound)
        done = library.ZSTD_decompress(into, ctypes.c_size_t(bound), rest, ctypes.c_size_t(size))
        if done <= bound:
            yield into.raw[:done]


def search(places, marks):
    """'file: mark' for each mark found in a file, or in what its zstd frames unpack to."""
    found, files, frames = [], 0, 0
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if not path.is_file():
                continue
            files += 1
            content = path.read_bytes()
            unpacked = list(zstd_frames(content))
            frames += len(unpacked)
            for content in (content, *unpacked):
                found += [f"{path.name}: {name}" for form, name in marks.items() if form in content]
    return found, f"{files} files, {frames} compressed frames"


def core_files(folder):
    return [path for path in folder.glob("core*") if path.is_file()]


def marked_hits(server, agent, hits):
    token = server.token()
    shape = {
        "connections": 16,
        "sites": SITES,
        "pages": PAGES,
        "agent": agent,
        "visitors": VISITORS,
        "token": token,
        "array_hits": 100,
        "log": server.folder / "answers",
    }
    told = [
        load(server, count=hits // 4, seed=seed, addresses=start, doors=doors, **shape)
        for seed, (start, doors) in enumerate(
            (
                (PREFIX6, "record,hits,pixel"),
                (PREFIX6, "array"),
                (PREFIX4, "record,hits,pixel"),
                (PREFIX4, "array"),
            ),
            1,
        )
    ]
    return sum(one["acknowledged"] for one in told)


def wait_sealed(server, seconds):
    """Whether a segment was compressed: marks must be sought there, too."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if any(path.suffix == ".sealed" for path in (server.data / "journal").iterdir()):
            return True
        time.sleep(0.05)
    return False


def no_traces(report, hits, budget):
    with report.suite("V1", f"no address and no agent on disk: {hits:,} marked hits", budget):
        folder = scratch("private")
        agent = f"markagent-{secrets.token_hex(8)}"
        server = Server(folder, SMALL_SEGMENT, env={"NANDOLYTICS_TRUSTED_PROXIES": "127.0.0.0/8"})
        everywhere = [server.data, server.run_dir, server.log]
        marks = patterns(agent, True)
        try:
            for ending in ("kill -9", "SIGTERM"):
                server.start()
                counted = marked_hits(server, agent + ending[0], hits)
                if ending == "kill -9":
                    audit(report, "they were counted", server, [folder / "answers"], SITES)
                wait_sealed(server, 2)
                server.kill() if ending == "kill -9" else server.term()
                found, where = search(everywhere, marks)
                report.check(
                    f"after {ending}: 0 found",
                    counted and not found,
                    "; ".join(sorted(set(found))[:5]) or f"{counted} counted; {where}",
                )
            found, _ = search(
                everywhere, dict.fromkeys(forms(b"s1.crash.example/p"), "a page's URL")
            )
            report.check("control, what a record does hold is found", found, "; ".join(found[:2]))
            planted = folder / "data" / "planted"
            for mark in (agent.encode(), ipaddress.ip_address(PREFIX6 + ":0").packed):
                for form in forms(mark):
                    planted.write_bytes(b"x" + form + b"y")
                    if not search([planted], marks)[0]:
                        report.check("control, a planted mark is found", False, repr(form))
            planted.unlink()
            core_dump(report, server, agent, hits)
        finally:
            server.close()
            remove(folder)


def core_dump(report, server, agent, hits):
    """Cores are allowed by the shell here, so that only the server can forbid them."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="ascii").strip()
    if "/" in pattern or pattern.startswith("|"):
        print(
            f"  --   cores go to {pattern!r} here: what the server allows is read off its limits",
            flush=True,
        )
    allowed = folder_of_a_core(server.folder / "control")
    print(
        f"  --   a program that allows it {'leaves' if allowed else 'does not leave'} a core here",
        flush=True,
    )
    server.start(["bash", "-c", 'ulimit -c unlimited; exec "$@"', "--"])
    limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text(encoding="ascii")
    forbidden = re.search(r"Max core file size\s+0\s", limits) is not None
    marked_hits(server, agent, hits // 10)
    server.process.send_signal(signal.SIGABRT)
    server.process.wait()
    cores = core_files(server.folder)
    found, where = search(cores, patterns(agent, False))
    report.check(
        "core file after SIGABRT: none, or without a mark",
        not found and (cores or forbidden or allowed),
        "; ".join(sorted(set(found))) or (where if cores else "no core was written"),
    )


def folder_of_a_core(folder):
    """Whether a program that dies in this folder leaves its core there."""
    folder.mkdir()
    subprocess.run(
        ["bash", "-c", "ulimit -c unlimited; kill -ABRT $$"],
        check=False,
        cwd=folder,
        stderr=subprocess.DEVNULL,
    )
    return bool(core_files(folder))
