#!/usr/bin/env python3
"""How much CPU does a counted hit cost, beside nginx answering `return 204` to the same request?

Both in the same run, turn and turn about; every answer of ours after its sync.
"""
import sys

sys.dont_write_bytecode = True
from rig import (
    Nginx,
    Server,
    Wrk,
    cpu_by_thread,
    cpu_per_request,
    median_and_spread,
    note,
    row,  # noqa: E402
    workshop,
)

TARGETS = {(64, "one page"): 1.25, (256, "one page"): 1.15, (64, "mix"): None, (256, "mix"): None}
ROUNDS, SECONDS = 15, 1  # Short turns, so that a slow moment of the machine is everybody's.


def io_seconds(pid):
    """Of the I/O loops and of the committer, which has the program's name: without feed, keeper and
    others who may come later."""
    return sum(
        seconds
        for name, seconds in cpu_by_thread(pid).items()
        if name.startswith(("http-", "nandolytics/"))
    )


def one_kind(connections, kind, nginx, ours, wrk):
    ratios, io_ratios, costs = [], [], []
    for pids, port in ((nginx.pids(), nginx.port), ([ours.process.pid], ours.port)):
        cpu_per_request(pids, wrk, port, kind, connections, 1)
    before = cpu_by_thread(ours.process.pid)
    answers = 0
    for _ in range(ROUNDS):
        theirs, their_rate, bad = cpu_per_request(
            nginx.pids(), wrk, nginx.port, kind, connections, SECONDS
        )
        io = io_seconds(ours.process.pid)
        our, our_rate, our_bad = cpu_per_request(
            [ours.process.pid], wrk, ours.port, kind, connections, SECONDS
        )
        io = io_seconds(ours.process.pid) - io
        ratios.append(our / theirs)
        io_ratios.append(io / (our_rate * SECONDS) * 1e6 / theirs)
        costs.append((our, theirs, our_rate, their_rate))
        answers += our_rate * SECONDS
        if bad or our_bad:
            note(f"FAILED REQUESTS: nginx {bad}; ours {our_bad}")
    ratio, spread = median_and_spread(ratios)
    target = TARGETS[connections, kind]
    row(
        f"CPU per hit, {kind}, {connections} connections, of nginx's 204",
        f"{ratio:.2f}x ({spread})",
        f"{target}x" if target else "-",
        ratio <= target if target else None,
    )
    io_ratio, spread = median_and_spread(io_ratios)
    row(
        "of that the I/O loop and the committer alone",
        f"{io_ratio:.2f}x ({spread})",
        f"{target}x" if target else "-",
        io_ratio <= target if target else None,
    )
    middle = sorted(costs)[len(costs) // 2]
    note(
        f"ours {middle[0]:.1f} us, nginx {middle[1]:.1f} us; "
        f"{middle[2]:.0f} and {middle[3]:.0f} a second"
    )
    after = cpu_by_thread(ours.process.pid)
    spent = {name: (after[name] - before.get(name, 0)) / answers * 1e6 for name in after}
    note(
        "by thread: "
        + ", ".join(
            f"{name} {us:.2f} us"
            for name, us in sorted(spent.items(), key=lambda item: -item[1])
            if us >= 0.01
        )
    )


def main():
    with workshop("cpu") as folder:
        ours, nginx, wrk = Server(folder), Nginx(folder, "return 204;"), Wrk(folder)
        try:
            ours.start()
            for connections, kind in TARGETS:
                one_kind(connections, kind, nginx, ours, wrk)
        finally:
            nginx.close()
            ours.close()


if __name__ == "__main__":
    main()
