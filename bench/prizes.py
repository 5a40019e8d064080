#!/usr/bin/env python3
"""What does a running promotion cost a hit, how long does a claim take, and how long the check?

CPU: one program with a promotion and one without, the same requests, turn and turn about. Claims:
beside as many hits from the same client, in turns, at half of saturation; each claim wins a prize,
so each is a record. The check: `promotion verify` with the entries of a million hits.
"""
import json
import pathlib
import statistics
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/fairness"))
import rig  # noqa: E402  It is rig that makes harness known.
from rig import Wrk, client, cpu_per_request, finish, load, note, row  # noqa: E402
from rig import median_and_spread, workshop  # noqa: E402
import harness  # noqa: E402
from stall import ARRAY, HOST, Door, Stall, hit, secret_hash, visitor  # noqa: E402

CPU_TARGET, ROUNDS, SECONDS = 1.15, 15, 1
ADDRESSES, WINDOW = 2000, 1000
CLAIM_TARGET, CLAIMS, LATENCY_ROUNDS = 1.1, 2000, 3
VERIFY_TARGET, ENTRIES = 10, 1_000_000
BEHIND_PROXY = ("--trusted-proxies", "127.0.0.1")
# {kind: how often each visitor comes before the next does}; only the first time earns an entry.
KINDS = {"each hit earns an entry": 1, "one hit of ten does": 10}


def script(folder, times):
    """wrk's: one visitor after another, each from a network of its own."""
    path = folder / f"visitors-{times}"
    people = [visitor(i) for i in range(ADDRESSES)]
    lines = [f"{who.address} {secret_hash(who.secret)}" for who in people for _ in range(times)]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return f"""
local requests, n = {{}}, 0
for line in io.lines("{path}") do
  local address, secret = string.match(line, "(%S+) (%S+)")
  local body = '{{"siteUrl":"https://{HOST}/launch","secret_hash":"' .. secret .. '"}}'
  requests[#requests + 1] = "POST /nandolytics/record HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n" ..
      "User-Agent: {harness.BROWSER}\\r\\nX-Forwarded-For: " .. address ..
      "\\r\\nContent-Type: application/json\\r\\nContent-Length: " .. #body ..
      "\\r\\n\\r\\n" .. body
end
function request()
  n = n + 1
  return requests[n - math.floor(n / #requests) * #requests + 1]
end
"""


def cpu(folder):
    wrk = Wrk(folder)
    for kind, times in KINDS.items():
        rig.REQUESTS[kind] = script(folder, times)
        for connections in (64, 256):
            with Stall("with", flags=BEHIND_PROXY, segment_bytes=None) as ours, \
                    Stall("without", flags=BEHIND_PROXY, segment_bytes=None) as other:
                ours.add("launch", f'rule = "instant"\nentries = {WINDOW}\nwindows = 10000')
                cpu_of_kind(kind, connections, ours, other, wrk)


def cpu_of_kind(kind, connections, ours, other, wrk):
    hits = 0

    def cost(stall, seconds):
        nonlocal hits
        pid, port = stall.server.process.pid, stall.server.port
        micros, rate, bad = cpu_per_request([pid], wrk, port, kind, connections, seconds)
        hits += rate * seconds if stall is ours else 0
        if bad:
            note(f"FAILED REQUESTS: {bad}")
        return micros

    for stall in (ours, other):
        cost(stall, 1)
    costs = []
    for turn in range(ROUNDS):
        first, second = (ours, other) if turn % 2 else (other, ours)
        measured = {first: cost(first, SECONDS), second: cost(second, SECONDS)}
        costs.append((measured[ours], measured[other]))
    ratio, spread = median_and_spread([one / two for one, two in costs])
    row(f"CPU per hit beside a promotion, {kind}, {connections} connections, of without",
        f"{ratio:.3f}x ({spread})", f"{CPU_TARGET}x", ratio <= CPU_TARGET)
    with_it, without = (statistics.median(each) for each in zip(*costs))
    entries = ours.proof("launch", 1)["entries"]
    note(f"with {with_it:.2f} us, without {without:.2f} us; {entries:,} entries of about"
         f" {hits:,.0f} hits")


def p99(seconds):
    return sorted(seconds)[len(seconds) * 99 // 100] * 1000


def timed(act):
    began = time.monotonic()
    act()
    return time.monotonic() - began


def claims():
    with Stall("claims", flags=BEHIND_PROXY, segment_bytes=None) as stall:
        stall.add("launch", 'rule = "every"\nevery = 1\nwindows = 100000')
        server, shape = stall.server, {"sites": 8, "pages": 1000}
        load(server, connections=64, seconds=1, seed=1, **shape)
        full = load(server, connections=64, seconds=4, seed=2, **shape)
        rate = full["acknowledged"] / full["seconds"]
        ratios = []
        for number in range(LATENCY_ROUNDS):
            people = [visitor(number * CLAIMS + i) for i in range(CLAIMS)]
            receipts = [each["receipt"] for each in
                        stall.door().send([hit("/launch", who) for who in people])]
            beside = client("load", port=server.port, connections=256, seconds=12, rate=rate / 2,
                            seed=3 + number, **shape)
            time.sleep(1)
            asking, counting = Door(server.port), Door(server.port)
            found = {"claim": [], "hit": []}
            view = {"siteUrl": f"https://{HOST}/other"}
            for receipt, who in zip(receipts, people):
                found["claim"].append(timed(lambda: asking.claim(receipt, who.secret)))
                found["hit"].append(
                    timed(lambda: counting.ask("POST", "/nandolytics/record", view)))
                if beside.poll() is not None:
                    break
            told = finish(beside)
            ratios.append(p99(found["claim"]) / p99(found["hit"]))
            note(f"{len(found['claim'])} claims: p99 {p99(found['claim']):.2f} ms, as many hits"
                 f" {p99(found['hit']):.2f} ms; beside {told['acknowledged'] / told['seconds']:.0f}"
                 f" of {rate:.0f} hits/s")
        row("p99 of a claim at half of saturation, of a hit's", f"{statistics.median(ratios):.2f}x"
            f" (median of {LATENCY_ROUNDS})", f"{CLAIM_TARGET}x",
            statistics.median(ratios) <= CLAIM_TARGET)


def check(folder):
    with Stall("check", segment_bytes=None) as stall:
        stall.add("launch", f'rule = "instant"\nentries = {WINDOW}')
        door = stall.door()
        for begin in range(0, ENTRIES, ARRAY):
            door.send([hit("/launch", visitor(begin + i)) for i in range(ARRAY)])
        proof, entries = folder / "launch.json", folder / "entries.csv"
        proof.write_text(json.dumps(stall.proof("launch", ENTRIES)))
        printed = timed(lambda: entries.write_text(
            stall.server.command("promotion", "entries", "launch").stdout))
        seconds = timed(lambda: note(stall.server.command(
            "promotion", "verify", proof, "--entries", entries).stdout.strip()))
        row("`promotion verify` of a million entries", f"{seconds:.2f} s", f"{VERIFY_TARGET} s",
            seconds <= VERIFY_TARGET)
        script_seconds = timed(lambda: subprocess.run(
            [sys.executable, harness.ROOT / "tools/check_draw.py", proof, "--entries", entries],
            check=True, stdout=subprocess.DEVNULL))
        note(f"their file printed in {printed:.2f} s; checked by tools/check_draw.py in"
             f" {script_seconds:.1f} s")


QUESTIONS = ("cpu", "claims", "check")


def main(chosen):
    with workshop("prizes") as folder:
        for name in chosen or QUESTIONS:
            {"cpu": lambda: cpu(folder), "claims": claims, "check": lambda: check(folder)}[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
