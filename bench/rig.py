"""What every question needs: our server, Debian's nginx and Redis, wrk, CPU time from /proc.

The server and its client are those of tests/crash (harness.py). Every figure is printed with its
target beside it, as a row of the table in README.md.
"""
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/crash"))

from harness import (
    Server,
    client,
    finish,
    free_port,
    load,
    remove,
    rss_bytes,
    scratch,
)  # noqa: E402,F401

TICKS = os.sysconf("SC_CLK_TCK")
KEEP_ALIVE = 1_000_000_000


def row(question, figure, target, good):
    """One row of the table; `good` is None where there is no target."""
    verdict = {True: "within", False: "OVER", None: ""}[good]
    print(f"| {question} | {figure} | {target} | {verdict} |", flush=True)


def note(text):
    print(f"    {text}", flush=True)


def cpu_seconds(pids):
    """User and system time of these processes, all threads."""
    total = 0
    for pid in pids:
        fields = (
            pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
        )
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def cpu_by_thread(pid):
    """{thread id and name: seconds}"""
    threads = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            name, fields = (
                (task / "stat").read_text(encoding="ascii").split("(", 1)[1].rsplit(") ", 1)
            )
            fields = fields.split()
            threads[f"{name}/{task.name}"] = (int(fields[11]) + int(fields[12])) / TICKS
    return threads


def median_and_spread(values):
    return (
        statistics.median(values),
        f"{min(values):.3g} to {max(values):.3g} in {len(values)} rounds",
    )


class Nginx:
    """Debian's nginx, one worker; `location` is what it does with each request."""

    def __init__(self, folder, location, modules=(), http=""):
        self.port, self.folder = free_port(), folder
        conf = folder / "nginx.conf"
        lines = (
            ["user root;"] if os.geteuid() == 0 else []
        )  # Its worker must reach the socket of Redis.
        lines += [f"load_module /usr/lib/nginx/modules/{name}.so;" for name in modules]
        conf.write_text(
            "\n".join(lines)
            + f"""
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests {KEEP_ALIVE}; keepalive_timeout 75; default_type text/plain;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi; {http}
  server {{ listen 127.0.0.1:{self.port}; location / {{ {location} }} }}
}}
""",
            encoding="ascii",
        )
        self.process = subprocess.Popen(
            ["nginx", "-c", str(conf), "-p", str(folder)], stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port)

    def pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid, *map(int, children.read_text(encoding="ascii").split())]

    def close(self):
        self.process.terminate()
        self.process.wait()


class Redis:
    """Debian's Redis on a socket in `folder`, every write synced before its answer."""

    def __init__(self, folder):
        self.socket = folder / "redis.sock"
        self.process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                "0",
                "--unixsocket",
                str(self.socket),
                "--dir",
                str(folder),
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--save",
                "",
            ],
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + 10
        while not self.socket.exists() and time.monotonic() < until:
            time.sleep(0.02)

    def pids(self):
        return [self.process.pid]

    def close(self):
        self.process.terminate()
        self.process.wait()


def wait_for_port(port):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError("a server did not start")


REQUESTS = {
    "one page": """
wrk.method = "POST"; wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"siteUrl":"https://s0.crash.example/p0"}'
""",
    # Zipf over 1,000 pages, an id of 16 bytes in every second hit.
    "mix": """
local run, n, weights, sum = %d, 0, {}, 0
for i = 1, 1000 do sum = sum + 1 / i; weights[i] = sum end
local function page()
  local x, low, high = math.random() * sum, 1, 1000
  while low < high do
    local middle = math.floor((low + high) / 2)
    if weights[middle] < x then low = middle + 1 else high = middle end
  end
  return low
end
local pages = {}
for i = 1, 8192 do local p = page(); pages[i] = "https://s" .. p %% 8 .. ".crash.example/p" .. p end
local head = "POST /nandolytics/record HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n" ..
             "Content-Type: application/json\\r\\nContent-Length: "
function request()
  n = n + 1
  local body = '{"siteUrl":"' .. pages[n %% 8192 + 1] .. '"'
  if n %% 2 == 0 then body = body .. ',"id":"' .. string.format("%%06d%%010d", run, n) .. '"' end
  body = body .. '}'
  return head .. #body .. "\\r\\n\\r\\n" .. body
end
""",
}


class Wrk:
    """wrk on one thread; each run() has ids of its own."""

    def __init__(self, folder):
        self.script, self.runs = folder / "wrk.lua", int(time.time()) % 900_000

    def run(self, port, kind, connections, seconds):
        """How many answers came, and what wrk said of failures."""
        self.runs += 1
        text = REQUESTS[kind]
        self.script.write_text(text % self.runs if "%d" in text else text, encoding="ascii")
        out = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{connections}",
                f"-d{seconds}s",
                "-s",
                str(self.script),
                f"http://127.0.0.1:{port}/nandolytics/record",
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        if out.returncode != 0:
            raise RuntimeError(f"wrk: {out.stdout}{out.stderr}")
        out = out.stdout
        bad = re.findall(r"(Non-2xx.*|Socket errors.*)", out)
        return int(re.search(r"(\d+) requests in", out)[1]), "; ".join(bad)


def cpu_per_request(pids, wrk, port, kind, connections, seconds):
    """Microseconds of CPU for each answer; requests a second; what failed."""
    before = cpu_seconds(pids)
    count, bad = wrk.run(port, kind, connections, seconds)
    return (cpu_seconds(pids) - before) / count * 1e6, count / seconds, bad


def wait_caught_up(server):
    """Until every hit is in the warehouse."""
    while True:
        state = json.loads(server.get("/readyz")[1])
        if state["warehouse"]["sequence"] >= state["sequence"]:
            return
        time.sleep(0.02)


@dataclasses.dataclass
class Turn:
    """What a hit cost in a turn of ours, in microseconds of CPU."""

    whole: float  # All threads, until it was in the warehouse: the feed works when others do not.
    counting: float  # The I/O loops and the committer: what it takes to count and to answer.
    by_thread: dict
    hits: int
    bad: str


def our_turn(server, wrk, kind, connections, seconds):
    wait_caught_up(server)
    before = cpu_by_thread(server.process.pid)
    hits, bad = wrk.run(server.port, kind, connections, seconds)
    counted = spent(before, cpu_by_thread(server.process.pid), hits)
    wait_caught_up(server)
    whole = spent(before, cpu_by_thread(server.process.pid), hits)
    io = ("http-", "nandolytics/")  # The committer has the program's name.
    counting = sum(us for name, us in counted.items() if name.startswith(io))
    return Turn(sum(whole.values()), counting, whole, hits, bad)


def spent(before, after, hits):
    """{thread id and name: microseconds a hit}"""
    return {name: (after[name] - before.get(name, 0)) / hits * 1e6 for name in after}


def by_thread(turns):
    """What each thread took of a hit, where that is more than nothing."""
    means = {
        name: statistics.mean(turn.by_thread.get(name, 0) for turn in turns)
        for name in turns[-1].by_thread
    }
    return ", ".join(
        f"{name} {us:.2f} us"
        for name, us in sorted(means.items(), key=lambda item: -item[1])
        if us >= 0.01
    )


@contextlib.contextmanager
def workshop(name):
    folder = scratch(f"bench-{name}")
    try:
        yield folder
    finally:
        remove(folder)
