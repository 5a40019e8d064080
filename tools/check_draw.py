#!/usr/bin/env python3
"""Check a prize draw: derive every winner from what was published, and say whether it agrees.

  curl -s https://stats.example.com/api/v1/promotions/launch > launch.json
  tools/check_draw.py launch.json                        rules, seeds, winners, signature
  tools/check_draw.py launch.json --entries entries.csv  and every head, from the entries file
  tools/check_draw.py launch.json --key 3d4017...660c    and that this key signed it
  curl -s ... | tools/check_draw.py                      from standard input

Python's standard library and this file are all it needs; none of the server's code is in it. The
formulas are in docs/formats/promotion.md. Prints the winners, then 'agree', or each contradiction.
Exit code: 0 it agrees, 1 it contradicts itself, 2 it could not be read.
"""
import argparse
import bisect
import datetime
import hashlib
import json
import struct
import sys


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# Ed25519 (RFC 8032, sections 5.1 and 6). Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point):
    product = (0, 1, 1, 0)
    while number:
        if number & 1:
            product = add(product, point)
        point = add(point, point)
        number >>= 1
    return product


def decompress(data):
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(key, message, signature):
    point, half = decompress(key), decompress(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if not point or not half or scalar >= ORDER:
        return False
    challenge = hashlib.sha512(signature[:32] + key + message).digest()
    left = times(scalar, BASE)
    right = add(half, times(int.from_bytes(challenge, "little") % ORDER, point))
    return ((left[0] * right[2] - right[0] * left[2]) % P == 0
            and (left[1] * right[2] - right[1] * left[2]) % P == 0)


def draw(seed, count, winners):
    """The positions, from 1 to count, of so many winners, rising."""
    drawn, block = set(), 0
    while len(drawn) < min(winners, count):
        digest = sha256(b"nandolytics draw 1\n", seed, struct.pack("<Q", block))
        for word in struct.unpack("<4Q", digest):
            if word < 2**64 // count * count and len(drawn) < winners:
                drawn.add(1 + word % count)
        block += 1
    return sorted(drawn)


def milliseconds(text):
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
    return (at - datetime.datetime(1970, 1, 1)) // datetime.timedelta(milliseconds=1)


class Rules:
    def __init__(self, text):
        self.hash = sha256(text.encode())
        lines = [line.partition("=") for line in text.split("\n")[:-1]]
        said = {key: value for key, _, value in lines}
        if said["rules"] != "1":
            raise ValueError("these rules are not rules=1")
        self.name, self.rule, self.windows = said["name"], said["rule"], said["windows"]
        self.opens, self.closes = milliseconds(said["opens"]), milliseconds(said["closes"])
        self.ordinals = [int(value) for key, _, value in lines if key == "ordinal"]
        self.ends = [milliseconds(value) for key, _, value in lines if key == "window_end"]
        self.size = int(said.get("window_entries", 0))
        self.count = {"whole": 1, "times": len(self.ends)}.get(
            self.windows, int(said.get("window_count", 0)))
        self.winners, self.stock = int(said.get("winners", 1)), int(said["stock"])
        self.seed = bytes.fromhex(said.get("commitment", ""))
        self.outside_at = milliseconds(said["outside_at"]) if "outside_at" in said else 0
        self.entries_max = (self.ordinals[-1] if self.rule == "exact" else
                            self.size * self.count if self.windows == "entries" else 10_000_000)

    def window_of(self, entry, committed):
        if self.windows == "entries":
            return min((entry - 1) // self.size, self.count) + 1
        return 1 if self.windows == "whole" else bisect.bisect_right(self.ends, committed) + 1

    def winners_of(self, first, last, seed):
        if self.rule == "exact":
            return [ordinal for ordinal in self.ordinals if first <= ordinal <= last]
        if self.rule == "every":
            return [last] if last + 1 - first == self.size else []
        count = self.size if self.windows == "entries" else last + 1 - first
        return [first - 1 + position for position in draw(seed, count, self.winners)
                if first - 1 + position <= last]


class Check:
    def __init__(self, proof):
        self.proof, self.rules, self.found = proof, Rules(proof["rules"]), []
        self.entries, self.as_of = proof["entries"], milliseconds(proof["as_of"])
        self.start = sha256(b"nandolytics entries 1\n", self.rules.hash)
        self.ended = proof["status"] in ("closed", "over") or self.as_of >= self.rules.closes

    def say(self, word, text):
        self.found.append(f"{word}: {text}")

    def check_numbers(self):
        proof, rules = self.proof, self.rules
        if proof["promotion"] != rules.name:
            self.say("wrong_name", f"the rules are those of {rules.name}")
        if proof["stock"] != rules.stock or proof["claimed"] > rules.stock:
            self.say("wrong_stock", f"the rules have a stock of {rules.stock}")
        if self.entries > rules.entries_max:
            self.say("wrong_entries", f"there can be no entry after {rules.entries_max}")
        if self.entries == 0 and proof["head"] != self.start.hex():
            self.say("wrong_head", "without an entry the head follows from the rules")
        if proof["outside"] is not None and (rules.rule != "sealed"
                                             or self.as_of < rules.outside_at):
            self.say("wrong_outside", "a value that does not belong here, or not yet")

    def check_windows(self):
        last, head, number = 0, self.start.hex(), 0
        for number, window in enumerate(self.proof["windows"], 1):
            if window["window"] != number or number > self.rules.count:
                return self.say("wrong_window", f"{window['window']} is in window {number}'s place")
            if not self.check_bounds(window, last):
                return self.say("wrong_window", f"window {number} has other bounds")
            if window["last"] == last and window["head"] != head or (
                    window["last"] == self.entries and window["head"] != self.proof["head"]):
                self.say("wrong_head", f"window {number} has another head than what stands beside")
            self.check_winners(window)
            last, head = window["last"], window["head"]
        over = bisect.bisect_right(self.rules.ends, self.as_of)
        if self.rules.windows == "whole":
            over = int(self.ended)
        elif self.rules.windows == "entries":
            over = min(-(-self.entries // self.rules.size) if self.ended
                       else self.entries // self.rules.size, self.rules.count)
        if number < over or (self.ended and last != self.entries):
            self.say("missing_window", f"window {number + 1} is over, and not told of")

    def check_bounds(self, window, before):
        first, last, size = window["first"], window["last"], self.rules.size
        end = {"entries": min(before + size, self.entries), "whole": self.entries,
               "times": last}[self.rules.windows]
        if first != before + 1 or last != end or not before <= last <= self.entries:
            return False
        is_over = {"entries": last == before + size, "whole": last == self.rules.entries_max,
                   "times": self.rules.windows == "times"
                            and self.rules.ends[window["window"] - 1] <= self.as_of}
        if not (self.ended or is_over[self.rules.windows]) or (size and last == before):
            self.say("early_window", f"window {window['window']} is not over")
        return True

    def check_winners(self, window):
        number, seed, outside = window["window"], window["seed"], self.proof["outside"]
        if (seed is not None) != (self.rules.rule == "instant"):
            return self.say("wrong_seed", f"window {number} has none, or one that does not belong")
        if seed is not None:
            seed = bytes.fromhex(seed)
            if sha256(seed) != self.rules.seed:  # The window's before; the commitment at first.
                return self.say("wrong_seed", f"window {number}'s is not under the commitment")
            self.rules.seed = seed
        elif outside is not None:
            head = bytes.fromhex(window["head"])
            seed = sha256(b"nandolytics sealed 1\n", head, outside.encode())
        winners = [] if self.rules.rule == "sealed" and outside is None else (
            self.rules.winners_of(window["first"], window["last"], seed))
        if winners != window["winners"]:
            self.say("wrong_winners", f"window {number} has {winners}, not {window['winners']}")
        return None

    def check_statement(self, key):
        signed = self.proof["signed"]
        if signed is None:
            return
        message, signature, signer = (bytes.fromhex(signed[name])
                                      for name in ("message", "signature", "key"))
        if key and signer != key:
            self.say("foreign_key", f"it is signed with {signer.hex()}")
        if not is_signed(signer, message, signature):
            self.say("bad_signature", "it is not that of the key over the message")
        tail = (struct.pack("<I", self.proof["id"]) + self.rules.hash
                + struct.pack("<Q", self.entries) + bytes.fromhex(self.proof["head"]))
        if len(message) != 144 or message[:4] != b"NDS\1" or message[68:] != tail:
            self.say("wrong_statement", "what is signed says something else")

    def check_entries(self, lines):
        """Follows the chain through the entries file."""
        windows, link, before = self.proof["windows"], self.start, self.rules.opens
        heads = {window["last"]: window for window in windows if window["last"] >= window["first"]}
        lasts = [window["last"] for window in windows]
        if next(lines, "").strip() != "entry,committed,id_digest,secret_hash":
            raise ValueError("this is no entries file")
        for number in range(1, self.entries + 1):
            entry, committed, digest, secret = next(lines, ",,,").rstrip("\r\n").split(",")
            if entry != str(number):
                return self.say("wrong_entry", f"entry {number} is missing or not in its place")
            if not before <= int(committed) < self.rules.closes:
                self.say("wrong_entry", f"entry {number} is out of its time")
            before = max(before, int(committed))
            link = sha256(link, struct.pack("<Qq", number, int(committed)), bytes.fromhex(digest),
                          bytes.fromhex(secret))
            told = bisect.bisect_left(lasts, number) + 1
            right = self.rules.window_of(number, before)
            if right != told and (told <= len(lasts) or right < told):
                self.say("wrong_window", f"entry {number} is in window {right}")
            if number in heads and heads[number]["head"] != link.hex():
                self.say("wrong_head", f"that of window {told} is {link.hex()}")
        if link.hex() != self.proof["head"]:
            self.say("wrong_head", f"the promotion's is {link.hex()}")
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="-", help="what was published; '-': stdin")
    parser.add_argument("--entries", metavar="CSV", help="from `nandolytics promotion entries`")
    parser.add_argument("--key", type=bytes.fromhex, metavar="HEX", help="whose signature it is")
    asked = parser.parse_args()
    try:
        with open(0 if asked.file == "-" else asked.file, encoding="utf-8") as file:
            check = Check(json.load(file))
        check.check_numbers()
        check.check_windows()
        check.check_statement(asked.key)
        if asked.entries:
            with open(asked.entries, encoding="ascii") as file:
                check.check_entries(file)
    except (OSError, ValueError, TypeError, KeyError, struct.error) as error:
        print(f"cannot be read: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    for window in check.proof["windows"]:
        print(f"window {window['window']}: {' '.join(map(str, window['winners'])) or 'none'}")
    print("\n".join(check.found[:100]) or "agree")
    return 1 if check.found else 0


if __name__ == "__main__":
    sys.exit(main())
