"""What every suite here needs: a report, a server to be cruel to, and the client that keeps books.

The programs come from the build folder: NANDO_BUILD, or build/ beside tests/. Scratch data goes
below it, so that it lies on a real disk.
"""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("NANDO_BUILD", ROOT / "build")).resolve()
PROGRAM = pathlib.Path(os.environ.get("NANDO_PROGRAM", BUILD / "nandolytics"))
CLIENT = BUILD / "crash_client"
SHIM = BUILD / "crash_shim.so"

READY_SECONDS_MAX = 20
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
BOT = "Googlebot/2.1"
STOP_SECONDS_MAX = 20
UNLIMITED = "1000000000"
FAULTS = (
    "lost",
    "changed",
    "answers_differ",
    "ids_twice",
    "ordinals_twice",
    "holes",
    "out_of_order",
    "refused_counted",
    "strangers",
    "inversions",
    "aggregates_off",
)


class Report:
    """Counts what held and what did not, and prints each with its figure as it comes."""

    def __init__(self):
        self.passed, self.failed, self.lock = 0, 0, threading.Lock()

    def check(self, name, good, figure=""):
        with self.lock:
            self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
            print(
                f"  {'ok  ' if good else 'FAIL'} {name}{': ' if figure else ''}{figure}", flush=True
            )
        return bool(good)

    @contextlib.contextmanager
    def suite(self, name, promise, budget):
        print(f"{name} {promise} (budget {budget} s)", flush=True)
        began = time.monotonic()
        try:
            yield
        except Exception as error:  # A suite that breaks is red, and the others still run.
            self.check(f"{name} ran to its end", False, f"{type(error).__name__}: {error}")
        seconds = time.monotonic() - began
        self.check(f"{name} kept its budget", seconds <= budget, f"{seconds:.1f} of {budget} s")

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def scratch(name):
    """A new folder on the disk of the build."""
    base = BUILD / "crash-scratch"
    base.mkdir(parents=True, exist_ok=True)
    return pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=base))


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Shim:
    """The control file of crash_shim.so; its words can be changed while the server runs."""

    DELAY_MICROSECONDS, DROP_WRITES, FORGIVE, CLOCK_SECONDS, SYNCS, SKIP_SYNCS = range(6)

    def __init__(self, folder):
        self.path = folder / "shim"
        self.path.write_bytes(bytes(48))

    def set(self, word, value):
        with self.path.open("r+b") as file:
            file.seek(word * 8)
            file.write(struct.pack("=q", value))

    def get(self, word):
        return struct.unpack_from("=q", self.path.read_bytes(), word * 8)[0]


class Server:
    """One data directory, and the server that is started on it again and again."""

    def __init__(self, folder, segment_bytes=None, flags=(), env=None, data=None):
        self.folder, self.flags = folder, list(flags)
        self.data = data or folder / "data"
        self.port = free_port()
        self.process = None
        self.log = folder / "server.log"
        run_dir = pathlib.Path(tempfile.mkdtemp(prefix="nando-crash-run-", dir="/dev/shm"))
        self.run_dir = run_dir
        self.env = {
            **os.environ,
            "NANDOLYTICS_RATE_LIMIT_HITS_PER_SECOND": UNLIMITED,
            "NANDOLYTICS_RATE_LIMIT_BURST": UNLIMITED,
            "NANDOLYTICS_RUN_DIR": str(run_dir),
            **(env or {}),
        }
        if segment_bytes:
            self.env["NANDOLYTICS_JOURNAL_SEGMENT_BYTES"] = str(segment_bytes)

    def launch(self, wrapper=(), shim=None):
        """Start, and do not wait. `wrapper` is a command that runs the rest of its arguments."""
        env = dict(self.env)
        if shim:
            wrapper = [*wrapper, "env", f"LD_PRELOAD={SHIM}", f"CRASH_SHIM={shim.path}"]
        command = [
            *wrapper,
            PROGRAM,
            "serve",
            "--data",
            self.data,
            "--listen",
            f"127.0.0.1:{self.port}",
            "--auto-sites",
            *self.flags,
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                env=env,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
            )
        return self

    def start(self, wrapper=(), shim=None):
        """Start, and return the seconds until it was ready."""
        began = time.monotonic()
        self.launch(wrapper, shim)
        if not self.wait_ready():
            raise RuntimeError(f"the server did not start; {self.tail()}")
        return time.monotonic() - began

    def wait_ready(self, seconds=READY_SECONDS_MAX):
        """Whether it became ready before it died or the time was over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            if self.get("/readyz", 1.0)[0] == 200:
                return True
            time.sleep(0.003)
        return False

    def get(self, path, timeout=5.0, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def term(self):
        """SIGTERM; the seconds until it was gone, and its exit code."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            code = None
        return time.monotonic() - began, code

    def close(self):
        self.kill()
        remove(self.run_dir)

    def tail(self):
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-5:])

    def command(self, *words, check=True, timeout=600):
        """A command on this store; it works with the server running or not."""
        run = subprocess.run(
            [str(PROGRAM), *[str(word) for word in words], "--data", str(self.data)],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=self.folder,
        )
        if check and run.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: {run.stdout}{run.stderr}")
        return run

    def token(self):
        """A new token that may send arrays of hits."""
        out = self.command("token", "add", f"crash-{time.monotonic_ns()}", "--scope", "hits").stdout
        return max(out.split(), key=len)

    def export(self):
        path = self.folder / "export.ndjson"
        with path.open("wb") as out:
            run = subprocess.run(
                [str(PROGRAM), "export", "--format", "ndjson", "--data", str(self.data)],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                cwd=self.folder,
            )
        if run.returncode != 0:
            raise RuntimeError(f"export: {run.stderr.decode(errors='replace')}")
        return path

    def verify(self):
        run = self.command("verify", check=False)
        return run.returncode == 0, (run.stdout + run.stderr).strip().replace("\n", " | ")[-200:]


def client(mode, **flags):
    """Start crash_client; finish() reads what it says."""
    command = [str(CLIENT), mode]
    for name, value in flags.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)


def finish(process, timeout=900):
    out, _ = process.communicate(timeout=timeout)
    if process.returncode not in (0, 1):
        raise RuntimeError("crash_client failed")
    return json.loads(out)


def load(server, **flags):
    return finish(client("load", port=server.port, **flags))


def compare(logs, exported, sites, port=0):
    """The check's counters, and the names of those that are not 0."""
    flags = {"logs": ",".join(map(str, logs))} if logs else {}
    result = finish(client("check", export=exported, sites=sites, port=port, **flags))
    return result, [f"{name} {result[name]}" for name in FAULTS if result[name]]


def audit(report, name, server, logs, sites):
    """The running server's export, counts and verify against the answer logs."""
    result, wrong = compare(logs, server.export(), sites, server.port)
    report.check(
        f"{name}: nothing lost, doubled, missing or changed",
        not wrong,
        f"{result['acknowledged']} acknowledged, {result['records']} in the journal"
        + (f"; {', '.join(wrong)}; first: {result['first']}" if wrong else ""),
    )
    good, said = server.verify()
    report.check(f"{name}: verify agrees (D13)", good, said)
    return result


ENTRY = struct.Struct("=16sIHBB7Q")
ACKNOWLEDGED, DROPPED, REFUSED, UNKNOWN, FAILED = range(5)


def read_log(path):
    """Entries of an answer log, as client/entry.h lays them out: id, page, status, outcome,
    duplicate, page ordinal, site ordinal, sent, answered, receipt (two words), sequence."""
    return list(ENTRY.iter_unpack(path.read_bytes())) if path.exists() else []


def write_log(path, entries):
    path.write_bytes(b"".join(ENTRY.pack(*entry) for entry in entries))


def rss_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
