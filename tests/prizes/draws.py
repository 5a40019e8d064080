"""Promotions as an operator writes them, visitors who enter, and what is claimed and published."""
import collections
import datetime
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time

import wire
from check import public_problems, value_problems
from server import PROGRAM, ROOT, Server
from wire import get, post

HOST, OTHER = "prize.example", "other.example"
PAGE = f"https://{HOST}/launch"
CLAIMS, HITS = "/api/v1/claims", "/api/v1/hits"
CHECK_DRAW = ROOT / "tools/check_draw.py"
SHIM = PROGRAM.parent / "crash_shim.so"
CLOCK_WORD, WORDS = 3, 6  # Of tests/crash/shim.cc.
NO_LIMITS = {"visitor": 0, "ipv4_24": 0, "ipv6_64": 0, "ipv6_56": 0, "ipv6_48": 0}
HOUR, DAY = 3600, 86_400
SECONDS_MAX = 10
DONE, NO = 0, 1

Ticket = collections.namedtuple("Ticket", "receipt secret hit")


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def after(seconds):
    return now() + datetime.timedelta(seconds=seconds)


def toml_value(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return json.dumps(value)


def toml(tables):
    """A table that is none stands before the others."""
    lines = []
    for key, value in tables.items():
        if not isinstance(value, dict):
            lines.append(f"{key} = {toml_value(value)}")
    for name, table in tables.items():
        if isinstance(table, dict):
            lines += [f"[{name}]"] + [f"{key} = {toml_value(each)}" for key, each in table.items()]
    return "\n".join(lines) + "\n"


def hash_of(secret):
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def but_duplicate(body):
    return body.replace(b'"duplicate":true', b'"duplicate":false')


class Draws(Server):
    """A server with a site for prizes; its clock is ours to shift once it is started by run()."""

    def __init__(self, *flags):
        super().__init__(*flags)
        self.must("site", "add", HOST, "--public-counts")
        self.must("site", "add", OTHER, "--public-counts")
        self.token = self.must("token", "add", "backend", "--scope", "hits")
        self.admin = self.must("token", "add", "admin", "--scope", "admin")
        self.control = self.folder / "shim"
        self.control.write_bytes(bytes(8 * WORDS))

    def run(self):
        return self.start(["env", f"LD_PRELOAD={SHIM}", f"CRASH_SHIM={self.control}"])

    def shift_clock(self, seconds):
        with self.control.open("r+b") as file:
            file.seek(8 * CLOCK_WORD)
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def add_file(self, text):
        return self.command("promotion", "add", str(self.file("rules.toml", text)))

    def add(self, name, win, **tables):
        """What the command did; prizes are texts, entries unlimited, unless `tables` say so."""
        rules = {"name": name, "site": HOST, "closes": after(30 * DAY), "win": win,
                 "who": NO_LIMITS, "prize": {"says": "A mug"}, **tables}
        return self.add_file(toml(rules))

    def open(self, name, win, **tables):
        done = self.add(name, win, **tables)
        if done.returncode != DONE:
            raise RuntimeError(f"{name}: {done.stderr}")
        return name

    def enter(self, secret=None, page=PAGE, **fields):
        """A visit with a secret of its own, or with none if it is ''."""
        secret = secrets.token_urlsafe(24) if secret is None else secret
        hit = {"url": page, **({"secret_hash": hash_of(secret)} if secret else {}), **fields}
        answer = self.ask(post(HITS, hit)).json()
        return Ticket(answer["receipt"], secret, answer["page"])

    def enter_many(self, count, page=PAGE):
        """As many by a token, a thousand at once."""
        tickets = []
        while len(tickets) < count:
            some = [secrets.token_urlsafe(24) for _ in range(min(1000, count - len(tickets)))]
            hits = [{"url": page, "secret_hash": hash_of(secret), "ip": "192.0.2.1",
                     "user_agent": wire.BROWSER} for secret in some]
            answers = self.ask(post(HITS, hits, Authorization=f"Bearer {self.token}")).json()
            tickets += [Ticket(answer["receipt"], secret, answer["page"])
                        for answer, secret in zip(answers, some, strict=True)]
        return tickets

    def ask_claim(self, ticket, **fields):
        body = {"receipt": ticket.receipt, "secret": ticket.secret, **fields}
        return self.ask(post(CLAIMS, body))

    def claim(self, ticket):
        return self.ask_claim(ticket).json()

    def published(self, name, until=lambda proof: True):
        """What anybody is told, once it is so; a page may be a second old."""
        ends = time.monotonic() + SECONDS_MAX
        while True:
            proof = self.ask(get(f"/api/v1/promotions/{name}")).json()
            if until(proof) or time.monotonic() > ends:
                return proof
            time.sleep(0.1)

    def listed(self, name):
        all_of_them = json.loads(self.must("promotion", "list", "--json"))
        return next(one for one in all_of_them if one["promotion"] == name)

    def check(self, proof):
        """The problems that two strangers find, one with the program and one without."""
        file = self.file("proof.json", json.dumps(proof))
        entries = self.file("entries.csv", self.must("promotion", "entries", proof["promotion"])
                            + "\n")
        problems = []
        for program in ((PROGRAM, "promotion", "verify"), (sys.executable, CHECK_DRAW)):
            done = subprocess.run([*program, file, "--entries", entries], capture_output=True,
                                  text=True, timeout=60, check=False, env=os.environ)
            if done.returncode != DONE:
                problems.append(f"{program[-1]}: {done.stdout}{done.stderr}")
        return problems


def answer_problems(answer, status, error=None, **fields):
    """Of one answer: its status, its word, its fields, and the headers of public routes."""
    body = answer.json()
    problems = value_problems("status", answer.status, status) + public_problems(answer)
    problems += value_problems("error", body.get("error"), error)
    if error and not body.get("message"):
        problems.append("it says nothing about what to do")
    for key, wanted in fields.items():
        problems += value_problems(key, body.get(key, "absent"), wanted)
    return problems
