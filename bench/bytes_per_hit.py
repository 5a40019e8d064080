#!/usr/bin/env python3
"""How many bytes does a hit take in the sealed journal?

The mix: Zipf (exponent 1) over 50,000 pages of 8 sites, 20,000 visitors, sent in arrays of 1,000;
ids are random text, which nothing can compress below 12 bytes.
"""
import json
import struct
import sys
import time

sys.dont_write_bytecode = True
from rig import Server, load, note, row, workshop  # noqa: E402

HITS = 2_000_000
FIRST_SEQUENCE_AT = 48  # In the header of a live segment: docs/formats/journal.md.
TARGETS = {"none": 32, "chance": 56}


def first_live_sequence(journal):
    heads = [path.read_bytes()[:64] for path in journal.glob("*.live")]
    firsts = [struct.unpack_from("<Q", head, FIRST_SEQUENCE_AT)[0] for head in heads]
    return min((first for first in firsts if first), default=0)


def wait_for_sealing(journal):
    """Until nothing has changed for three seconds."""
    seen, since = None, time.monotonic()
    while time.monotonic() - since < 3:
        now = sorted(path.name for path in journal.iterdir())
        if now != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.1)


def measure(ids, target):
    with workshop("bytes") as folder:
        ours = Server(folder, 16 << 20)
        try:
            ours.start()
            load(
                ours,
                connections=4,
                count=HITS,
                doors="array",
                token=ours.token(),
                sites=8,
                pages=50_000,
                zipf=1,
                visitors=20_000,
                ids=ids,
            )
            journal = ours.data / "journal"
            wait_for_sealing(journal)
            first = first_live_sequence(journal)
            sealed = sum(path.stat().st_size for path in journal.glob("*.sealed"))
            hits = 0
            with ours.export().open(encoding="utf-8") as lines:
                for line in lines:
                    record = json.loads(line)
                    hits += record["kind"] == "page_view" and record["sequence"] < first
            figure = sealed / hits if hits else float("inf")
            row(
                f"bytes a hit, sealed, {'no id' if ids == 'none' else 'with an id of 16 bytes'}",
                f"{figure:.1f}",
                str(target),
                figure <= target,
            )
            note(
                f"{hits:,} hits in {sealed:,} sealed bytes; Zipf over 50,000 pages, 20,000 visitors"
            )
        finally:
            ours.close()


def main():
    for ids, target in TARGETS.items():
        measure(ids, target)


if __name__ == "__main__":
    main()
