#!/usr/bin/env python3
"""How long does an answer take at half of the saturated rate, beside the disk's own sync?

Hits come by schedule, and a wait counts from the moment a hit was due, so a stall is not forgiven:
neither one of ours nor one of the machine. How long those are say two others at the same rate:
nginx's 204, and a program beside it that does nothing but to write and sync for who has come.
"""
import statistics
import sys

sys.dont_write_bytecode = True
from rig import (  # noqa: E402
    Nginx,
    Server,
    client,
    finish,
    load,
    median_and_spread,
    note,
    row,
    workshop,
)

# A round is long enough for a segment to be filled, sealed and made ready again in it.
EXTRA_US, WARM_UP_MS, SECONDS, ROUNDS = 2000, 1000, 13, 3


def main():
    with workshop("latency") as folder:
        ours = Server(folder)
        nginx = Nginx(folder, "return 204;")
        try:
            ours.start()
            shape = {"sites": 8, "pages": 1000}
            load(ours, connections=64, seconds=1, seed=1, **shape)
            full = load(ours, connections=64, seconds=4, seed=2, **shape)
            rate = full["acknowledged"] / full["seconds"]
            margins, of_nginx, bare_p99s = [], [], []
            for number in range(ROUNDS):
                disk = finish(client("disk", folder=folder, count=4000))
                by_schedule = {
                    "connections": 256,
                    "seconds": SECONDS,
                    "warm_up_ms": WARM_UP_MS,
                    "rate": rate / 2,
                    "seed": 3 + number,
                }
                theirs = load(nginx, **by_schedule, **shape)
                told = load(ours, **by_schedule, **shape)
                bare = client("disk", folder=folder, rate=int(rate / 2), seconds=SECONDS)
                load(nginx, **by_schedule, **shape)
                bare_p99s.append(finish(bare)["p99_us"] / 1000)
                of_nginx.append(told["p99_us"] / theirs["p99_us"])
                margins.append(told["p99_us"] - 2 * disk["p99_us"])
                note(
                    f"at {told['acknowledged'] / told['seconds']:.0f} of {rate:.0f} hits/s: p50 "
                    f"{told['p50_us'] / 1000:.2f}, p99 {told['p99_us'] / 1000:.2f}, p99.9 "
                    f"{told['p999_us'] / 1000:.2f} ms; "
                    f"the disk's sync: p50 {disk['p50_us'] / 1000:.2f}, "
                    f"p99 {disk['p99_us'] / 1000:.2f} ms; nginx's 204: "
                    f"p50 {theirs['p50_us'] / 1000:.2f}, p99 {theirs['p99_us'] / 1000:.2f}, "
                    f"p99.9 {theirs['p999_us'] / 1000:.2f} ms; bare sync beside it: "
                    f"p99 {bare_p99s[-1]:.2f} ms"
                )
            margin = statistics.median(margins)
            row(
                "p99 answer time at half of saturation, above twice the disk's p99 sync",
                f"{margin / 1000:.2f} ms (median of {ROUNDS})",
                f"{EXTRA_US / 1000:.0f} ms",
                margin <= EXTRA_US,
            )
            row(
                "the same p99, of nginx's 204, which syncs nothing",
                "{:.1f}x ({})".format(*median_and_spread(of_nginx)),
                "-",
                None,
            )
            row(
                "p99 at that rate of nothing but write and sync, beside nginx's 204 at it",
                "{:.2f} ms ({})".format(*median_and_spread(bare_p99s)),
                "-",
                None,
            )
        finally:
            nginx.close()
            ours.close()


if __name__ == "__main__":
    main()
