"""P7: one address, or one network, with agents of its choosing has no more entries than its limit.
"""
import collections
import ipaddress
import random

from stall import ARRAY, BROWSER, Stall, Visitor, hit, visitor

SIZE = 500
LIMITS = {"/32": 10, "/24": 10, "/64": 3, "/56": 10, "/48": 30}
# Where each farmer's addresses are from, and how many bits of them it may choose.
FIELDS = {"/32": ("203.0.113.7", 0), "/24": ("198.51.100.0", 8), "/64": ("2001:db8:1:1::", 64),
          "/56": ("2001:db8:2:200::", 72), "/48": ("2001:db8:3::", 80)}


class Farmer:
    """Another agent for each hit, and another address as far as its network goes."""

    def __init__(self, network):
        first, self.bits = FIELDS[network]
        self.first, self.random = ipaddress.ip_address(first), random.Random(network)
        self.sent, self.network = 0, network

    def visitor(self):
        self.sent += 1
        address = self.first + self.random.getrandbits(self.bits) if self.bits else self.first
        return Visitor(str(address), f"{BROWSER} Vivaldi/7.{self.sent}",
                       f"secret-of-farmer-{self.network[1:]}-{self.sent:08}")


def harvest(stall, name, farmer, hits, crowd):
    """Sends `hits` of the farmer's among others' (one in four), in random order; {window: entries
    of the farmer}, and whether the raw count is exact."""
    door, chance, page = stall.door(), random.Random(hits), f"/{name}"
    before, sent, others = door.count(page), 0, crowd
    windows = collections.Counter()
    while sent < hits:
        mine = min(ARRAY * 3 // 4, hits - sent)
        people = [(farmer.visitor(), True) for _ in range(mine)]
        people += [(visitor(others + i), False) for i in range(mine // 3)]
        sent, others = sent + mine, others + mine // 3
        chance.shuffle(people)
        entries = door.entries([hit(page, who) for who, _ in people])
        for entry, (_, is_farmer) in zip(entries, people):
            if entry and is_farmer:
                windows[(entry - 1) // SIZE] += 1
    exact = door.count(page) - before == sent + others - crowd
    door.close()
    return windows, exact


def farming(report, hits, budget):
    with report.suite("P7", f"farming is bounded: {hits:,} hits of one address", budget):
        with Stall("farmer") as stall:
            win = f'rule = "instant"\nentries = {SIZE}'
            for network in LIMITS:
                stall.add("of-" + network[1:], win)
            stall.add("free", win, "visitor = 1\nipv4_24 = 0")
            for number, (network, limit) in enumerate(LIMITS.items()):
                count = hits if network == "/32" else max(hits // 10, 2000)
                name = "of-" + network[1:]
                windows, exact = harvest(stall, name, Farmer(network), count, number << 20)
                report.check(f"one {network}: at most {limit} entries a window",
                             windows and max(windows.values()) <= limit, say(windows, count))
                report.check(f"one {network}: which it may have", max(windows.values()) == limit)
                report.check(f"one {network}: every hit counted", exact, f"{count:,} of it")
            count = min(hits, 5000)
            windows, _ = harvest(stall, "free", Farmer("/32"), count, 0)
            report.check("control, no limit for its network: it has more, and is seen",
                         max(windows.values()) > LIMITS["/32"], say(windows, count))
        good = len(FIELDS) == len(LIMITS)
        report.check("each limit has a farmer", good)


def say(windows, hits):
    return (f"{sum(windows.values())} entries for {hits:,} hits, {max(windows.values(), default=0)}"
            f" a window at most, in {len(windows)} windows")
