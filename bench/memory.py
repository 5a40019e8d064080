#!/usr/bin/env python3
"""What do 10 million pages cost in memory, how long does a start after kill -9 take, and a recount?

BENCH_HITS sets another number of hits (each a page of its own).
"""
import os
import sys
import time

sys.dont_write_bytecode = True
from rig import Server, load, note, row, rss_bytes, workshop  # noqa: E402

HITS = int(os.environ.get("BENCH_HITS", "10000000"))
SITES = 50  # A site counts at most a million pages apart.
MIB = 1 << 20


def main():
    with workshop("memory") as folder:
        ours = Server(folder)
        try:
            ours.start()
            time.sleep(1)
            empty = rss_bytes(ours.process.pid) / MIB
            row("memory after the start", f"{empty:.1f} MiB", "64 MiB", empty <= 64)
            told = load(
                ours,
                connections=4,
                count=HITS,
                doors="array",
                token=ours.token(),
                sites=SITES,
                pages=HITS,
                in_order="pages",
                ids="none",
            )
            full = rss_bytes(ours.process.pid) / MIB
            exact = told["acknowledged"] == HITS
            row(f"memory with {HITS:,} pages", f"{full:.0f} MiB", "600 MiB", full < 600 and exact)
            note(f"{told['acknowledged']:,} acknowledged, {told['seconds']:.0f} s")
            ours.kill()
            seconds = ours.start()
            row(f"start after kill -9 with {HITS:,} hits", f"{seconds:.2f} s", "3 s", seconds <= 3)
            note(f"memory after it: {rss_bytes(ours.process.pid) / MIB:.0f} MiB")
            began = time.monotonic()
            good, said = ours.verify()
            seconds = time.monotonic() - began
            row(f"verify of {HITS:,} hits", f"{seconds:.1f} s", "60 s", seconds <= 60 and good)
            note(said)
            for page in (0, 1, HITS // 2, HITS - 1):
                text = ours.get(
                    f"/nandolytics/https%3A%2F%2Fs{page % SITES}.crash.example%2Fp{page}"
                )[1]
                if '"siteHits":1' not in text.replace(" ", ""):
                    note(f"WRONG TOTAL of page {page}: {text}")
        finally:
            ours.close()


if __name__ == "__main__":
    main()
