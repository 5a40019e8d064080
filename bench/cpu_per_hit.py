#!/usr/bin/env python3
"""How much CPU does a counted hit cost, beside nginx answering `return 204` to the same request?

Both in the same run, turn and turn about; every answer of ours after its sync. What counting takes
and what the whole program takes until the hit is in the warehouse have a row each.
"""
import statistics
import sys

sys.dont_write_bytecode = True
from rig import (  # noqa: E402
    Nginx,
    Server,
    Wrk,
    by_thread,
    cpu_per_request,
    median_and_spread,
    note,
    our_turn,
    row,
    workshop,
)

# (connections, kind): what counting may cost. What it may until it is in the warehouse.
TARGETS = {(64, "one page"): 1.25, (256, "one page"): 1.15, (64, "mix"): None, (256, "mix"): None}
WHOLE_TARGET = 1.5
ROUNDS, SECONDS = 15, 1  # Short turns, so that a slow moment of the machine is everybody's.


def figure(question, ratios, target):
    ratio, spread = median_and_spread(ratios)
    row(
        question,
        f"{ratio:.2f}x ({spread})",
        f"{target}x" if target else "-",
        ratio <= target if target else None,
    )


def one_kind(connections, kind, nginx, ours, wrk):
    cpu_per_request(nginx.pids(), wrk, nginx.port, kind, connections, 1)
    our_turn(ours, wrk, kind, connections, 1)
    counting, whole, turns, nginx_us = [], [], [], []
    for _ in range(ROUNDS):
        theirs, _, bad = cpu_per_request(
            nginx.pids(), wrk, nginx.port, kind, connections, SECONDS
        )
        turn = our_turn(ours, wrk, kind, connections, SECONDS)
        counting.append(turn.counting / theirs)
        whole.append(turn.whole / theirs)
        turns.append(turn)
        nginx_us.append(theirs)
        if bad or turn.bad:
            note(f"FAILED REQUESTS: nginx {bad}; ours {turn.bad}")
    of = f"{kind}, {connections} connections, of nginx's 204"
    figure(f"CPU per counted hit, {of}", counting, TARGETS[connections, kind])
    figure("the same until it is in the warehouse, all threads", whole, WHOLE_TARGET)
    note(
        f"medians: ours {statistics.median(turn.whole for turn in turns):.1f} us, "
        f"nginx {statistics.median(nginx_us):.1f} us; "
        f"{statistics.median(turn.hits for turn in turns) / SECONDS:.0f} hits/s"
    )
    note(f"by thread: {by_thread(turns)}")


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
