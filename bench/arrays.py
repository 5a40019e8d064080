#!/usr/bin/env python3
"""How many hits a second, durable, does a core's worth of server CPU take in arrays of 1,000?"""
import sys

sys.dont_write_bytecode = True
from rig import Server, cpu_seconds, load, median_and_spread, row, workshop  # noqa: E402

TARGET, ROUNDS = 250_000, 3


def main():
    with workshop("arrays") as folder:
        ours = Server(folder)
        try:
            ours.start()
            shape = {
                "connections": 4,
                "doors": "array",
                "token": ours.token(),
                "sites": 8,
                "pages": 50_000,
                "zipf": 1,
                "count": 500_000,
            }
            load(ours, **{**shape, "ids": "none", "count": 200_000, "seed": 1})
            for ids, text in (("none", "without ids"), ("fixed", "with ids of 16 bytes")):
                figures, walls = [], []
                for number in range(ROUNDS):
                    before = cpu_seconds([ours.process.pid])
                    told = load(ours, ids=ids, seed=10 + number, **shape)
                    spent = cpu_seconds([ours.process.pid]) - before
                    figures.append(told["acknowledged"] / spent)
                    walls.append(told["acknowledged"] / told["seconds"])
                figure, spread = median_and_spread(figures)
                row(
                    f"arrays of 1,000 hits {text}, hits/s per core of server CPU",
                    f"{figure:,.0f} ({spread}; {max(walls):,.0f} a second by the clock)",
                    f"{TARGET:,}",
                    figure >= TARGET,
                )
        finally:
            ours.close()


if __name__ == "__main__":
    main()
