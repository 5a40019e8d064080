#!/usr/bin/env python3
"""How long does an answer take at half of the saturated rate, beside the disk's own sync?

Hits come by schedule, and a wait counts from the moment a hit was due, so a stall is not forgiven.
"""
import statistics
import sys

sys.dont_write_bytecode = True
from rig import Server, client, finish, load, note, row, workshop  # noqa: E402

# A round is long enough for a segment to be filled, sealed and made ready again in it.
EXTRA_US, WARM_UP_MS, SECONDS, ROUNDS = 2000, 1000, 13, 3


def main():
    with workshop("latency") as folder:
        ours = Server(folder)
        try:
            ours.start()
            shape = {"sites": 8, "pages": 1000}
            load(ours, connections=64, seconds=1, seed=1, **shape)
            full = load(ours, connections=64, seconds=4, seed=2, **shape)
            rate = full["acknowledged"] / full["seconds"]
            margins = []
            for number in range(ROUNDS):
                disk = finish(client("disk", folder=folder, count=4000))
                told = load(
                    ours,
                    connections=256,
                    seconds=SECONDS,
                    warm_up_ms=WARM_UP_MS,
                    rate=rate / 2,
                    seed=3 + number,
                    **shape,
                )
                margins.append(told["p99_us"] - 2 * disk["p99_us"])
                note(
                    f"at {told['acknowledged'] / told['seconds']:.0f} of {rate:.0f} hits/s: p50 "
                    f"{told['p50_us'] / 1000:.2f}, p99 {told['p99_us'] / 1000:.2f}, p99.9 "
                    f"{told['p999_us'] / 1000:.2f} ms; "
                    f"the disk's sync: p50 {disk['p50_us'] / 1000:.2f}, "
                    f"p99 {disk['p99_us'] / 1000:.2f} ms"
                )
            margin = statistics.median(margins)
            row(
                "p99 answer time at half of saturation, above twice the disk's p99 sync",
                f"{margin / 1000:.2f} ms (median of {ROUNDS})",
                f"{EXTRA_US / 1000:.0f} ms",
                margin <= EXTRA_US,
            )
        finally:
            ours.close()


if __name__ == "__main__":
    main()
