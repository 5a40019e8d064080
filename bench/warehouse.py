#!/usr/bin/env python3
"""What does the copy that charts read cost, and how far is it behind?

BENCH_HITS sets another number of hits for the rebuild and the backup.
"""
import json
import os
import shutil
import statistics
import sys
import threading
import time

sys.dont_write_bytecode = True
from rig import (  # noqa: E402
    Nginx,
    Server,
    Wrk,
    by_thread,
    client,
    cpu_per_request,
    finish,
    load,
    median_and_spread,
    note,
    our_turn,
    row,
    rss_bytes,
    wait_caught_up,
    workshop,
)

HITS = int(os.environ.get("BENCH_HITS", "3000000"))
MIB = 1 << 20
LAG_RATE, LAG_SECONDS = 20_000, 8
ROUNDS, SECONDS = 7, 4
BACKUPS = 7


def ready(server):
    return json.loads(server.get("/readyz")[1])


def memory(server):
    time.sleep(1.5)
    start = rss_bytes(server.process.pid) / MIB
    row("memory after the start, DuckDB loaded", f"{start:.1f} MiB", "64 MiB", start <= 64)


def lag(server):
    """The longest time from a record being durable to its row."""
    running = client(
        "load",
        port=server.port,
        connections=64,
        rate=LAG_RATE,
        seconds=LAG_SECONDS,
        sites=8,
        pages=1000,
    )
    seen, waits = [], []
    while running.poll() is None:
        now, state = time.monotonic(), ready(server)
        seen.append((now, state["sequence"]))
        loaded = state["warehouse"]["sequence"]
        while seen and seen[0][1] <= loaded:
            waits.append(now - seen.pop(0)[0])
        time.sleep(0.02)
    finish(running)
    worst = max(waits + [time.monotonic() - seen[0][0]] if seen else waits)
    row(
        f"from durable to its row, at {LAG_RATE:,} hits/s",
        f"{worst:.2f} s at most",
        "2 s",
        worst <= 2,
    )


def cpu(server, nginx, wrk):
    """Until every hit is in the warehouse."""
    ratios, turns = [], []
    for _ in range(ROUNDS):
        theirs = cpu_per_request(nginx.pids(), wrk, nginx.port, "mix", 64, SECONDS)[0]
        turns.append(our_turn(server, wrk, "mix", 64, SECONDS))
        ratios.append(turns[-1].whole / theirs)
    ratio, spread = median_and_spread(ratios)
    row(
        "CPU per hit until it is in the warehouse, mix, 64 connections, of nginx's 204",
        f"{ratio:.2f}x ({spread})",
        "1.5x",
        ratio <= 1.5,
    )
    note(f"by thread: {by_thread(turns)}")


def p99(server, seed):
    shape = {"sites": 8, "pages": 1000, "warm_up_ms": 1000, "seed": seed}
    told = load(server, connections=64, rate=LAG_RATE, seconds=6, **shape)
    return told["p99_us"] / 1000


def rebuild_and_backup(server):
    load(
        server,
        connections=4,
        count=HITS,
        doors="array",
        token=server.token(),
        sites=8,
        pages=50_000,
        zipf=1.0,
        ids="none",
        seed=7,
    )
    wait_caught_up(server)
    note(f"memory with all of them in: {rss_bytes(server.process.pid) / MIB:.0f} MiB")
    began = time.monotonic()
    server.command("rebuild")
    seconds = time.monotonic() - began
    total = ready(server)["sequence"]
    row("rebuild", f"{total / seconds:,.0f} hits/s", "300,000", total / seconds >= 300_000)
    files = [server.data / "warehouse.duckdb", server.data / "warehouse.duckdb.wal"]
    size = sum(path.stat().st_size for path in files if path.exists())
    row("bytes a hit in the warehouse", f"{size / total:.1f}", "40", size / total <= 40)
    rounds = [backup_beside_load(server, number) for number in range(BACKUPS)]
    quiet, busy = (statistics.median(each) for each in zip(*rounds, strict=True))
    note("p99 without and with, round by round: "
         + ", ".join(f"{without:.1f} and {beside:.1f}" for without, beside in rounds) + " ms")
    row(
        f"p99 of a hit during a backup of {total / 1e6:.0f} million, of the p99 without",
        f"{busy / quiet:.2f}x ({busy:.1f} and {quiet:.1f} ms, medians of {BACKUPS} rounds)",
        "2x",
        busy <= 2 * quiet,
    )


def backup_beside_load(server, number):
    """The p99 without a backup, and while one is made. One pair says little: a segment sealed in a
    round, or a neighbour of this machine, moves the p99 by more than a backup does."""
    quiet = p99(server, 20 + 2 * number)
    folder = server.folder / f"backup{number}"
    backup = threading.Thread(target=lambda: server.command("backup", folder), daemon=True)
    backup.start()
    busy = p99(server, 21 + 2 * number)
    backup.join()
    shutil.rmtree(folder)
    return quiet, busy


def main():
    with workshop("warehouse") as folder:
        ours, nginx, wrk = Server(folder), Nginx(folder, "return 204;"), Wrk(folder)
        try:
            ours.start()
            memory(ours)
            lag(ours)
            cpu(ours, nginx, wrk)
            rebuild_and_backup(ours)
        finally:
            nginx.close()
            ours.close()


if __name__ == "__main__":
    main()
