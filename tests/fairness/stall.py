"""A server with promotions, and the visitors who enter them: a thousand of them a request.

Server and report are those of tests/crash; winners are derived by tools/check_draw.py, which shares
no code with the server.
"""
import base64
import collections
import hashlib
import http.client
import importlib.util
import ipaddress
import json
import pathlib
import re
import sqlite3
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "crash"))
from harness import BROWSER, ROOT, Server, remove, scratch  # noqa: E402

HOST = "prize.example"
SMALL_SEGMENT = 1 << 20
ARRAY = 1000
RECEIPT = struct.Struct("<4sIQQ24sQIIQq16s16sQI4s16s")
Receipt = collections.namedtuple("Receipt", "page_ordinal committed entry promotion")
# `agent` tells browsers of one address apart; `address` is text.
Visitor = collections.namedtuple("Visitor", "address agent secret")


def load_check_draw():
    spec = importlib.util.spec_from_file_location("check_draw", ROOT / "tools/check_draw.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECK_DRAW = load_check_draw()


def visitor(number, first="11.0.0.0"):
    """Somebody else for each number; 65,536 networks /24 are gone through before one is used again.
    """
    at = int(ipaddress.ip_address(first)) + number % 65_536 * 256 + number // 65_536 % 256
    return Visitor(str(ipaddress.ip_address(at)), BROWSER, f"secret-of-visitor-{number:010}")


def secret_hash(secret):
    return hashlib.sha256(secret.encode()).digest()[:16].hex()


def hit(page, who, identity=None, secret=True):
    """One element of an array."""
    fields = {"url": f"https://{HOST}{page}", "ip": who.address, "user_agent": who.agent}
    if identity:
        fields["id"] = identity
    if secret:
        fields["secret_hash"] = secret_hash(who.secret)
    return fields


def read_receipt(text):
    fields = RECEIPT.unpack(base64.urlsafe_b64decode(text))
    return Receipt(page_ordinal=fields[8], committed=fields[9], entry=fields[12],
                   promotion=fields[13])


class Door:
    """One kept connection, with the token that lets hits say whose they are, or without."""

    def __init__(self, port, token=None, address=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.headers = {"Content-Type": "application/json", "User-Agent": BROWSER}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        if address:
            self.headers["X-Forwarded-For"] = address

    def ask(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, self.headers)
        answer = self.connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:200]}")
        return json.loads(said)

    def send(self, hits):
        """What is answered, element by element."""
        found = []
        for begin in range(0, len(hits), ARRAY):
            found += self.ask("POST", "/api/v1/hits", hits[begin:begin + ARRAY])
        return found

    def entries(self, hits):
        """The number of the entry that each hit earned; 0 for none."""
        return [read_receipt(each["receipt"]).entry for each in self.send(hits)]

    def claim(self, receipt, secret):
        return self.ask("POST", "/api/v1/claims", {"receipt": receipt, "secret": secret})

    def count(self, page):
        """What everybody may ask: how many views that page has."""
        found = self.ask("GET", f"/api/v1/counts?url=https://{HOST}{page}")
        return found["counts"][0]["page"]

    def close(self):
        self.connection.close()


class Stall:
    """A server with one site, and the promotions that are added to it."""

    def __init__(self, name, shim=None, flags=(), segment_bytes=SMALL_SEGMENT):
        self.folder = scratch(f"prizes-{name}")
        self.server = Server(self.folder, segment_bytes, flags)
        self.shim = shim(self.folder) if shim else None
        self.token = None

    def __enter__(self):
        self.start()
        self.server.command("site", "add", HOST)
        self.server.command("site", "set", HOST, "public_counts", "on")
        self.token = self.server.token()
        return self

    def __exit__(self, *_):
        self.server.close()
        remove(self.folder)

    def start(self):
        self.server.start(shim=self.shim)

    def door(self, **how):
        return Door(self.server.port, self.token, **how)

    def add(self, name, win, who="", claim_within="7 days", closes="2070-01-01T00:00:00Z"):
        """Opens promotion `name` on the page /name."""
        file = self.folder / f"{name}.toml"
        file.write_text(
            f'name = "{name}"\nsite = "{HOST}"\npages = ["/{name}"]\ncloses = {closes}\n'
            f'claim_within = "{claim_within}"\n[win]\n{win}\n[who]\n{who}\n'
            '[prize]\nkind = "text"\nsays = "A mug"\n')
        self.server.command("promotion", "add", file)

    def seeds(self, name, windows):
        """Of an instant promotion, {window: seed}: what nobody but the operator can read."""
        file = f"file:{self.server.data}/registry.db?mode=ro"
        database = sqlite3.connect(file, uri=True)
        (body,) = database.execute("SELECT body FROM documents WHERE kind = ? AND id = ?",
                                   (b"promotion", name.encode())).fetchone()
        database.close()
        seed = CHECK_DRAW.sha256(b"nandolytics seed 1\n",
                                 bytes.fromhex(re.search(rb"[0-9a-f]{64}", body)[0].decode()))
        found = {}
        for window in range(windows, 0, -1):
            found[window] = seed
            seed = CHECK_DRAW.sha256(seed)
        return found

    def proof(self, name, entries):
        """What is published, as soon as it tells of so many entries; it may be a second old."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            status, text = self.server.get(f"/api/v1/promotions/{name}")
            proof = json.loads(text) if status == 200 else {"entries": -1}
            if proof["entries"] >= entries:
                return proof
            time.sleep(0.05)
        raise RuntimeError(f"{name} has {proof['entries']} entries, not {entries}")

    def contradictions(self, name, proof, chain=True):
        """What tools/check_draw.py finds wrong with it; with `chain` entry by entry."""
        check = CHECK_DRAW.Check(proof)
        check.check_numbers()
        check.check_windows()
        check.check_statement(None)
        if chain:
            lines = self.server.command("promotion", "entries", name).stdout.splitlines()
            check.check_entries(iter(lines))
        return check.found
