"""Rows, and what is held of each: its status, word and headers, and how far the counts moved."""
import collections
import contextlib
import dataclasses
import json
import re
import time

import wire

HIT_ID_LENGTH = 24


class Report:
    def __init__(self):
        self.passed = self.failed = 0
        self.began = time.monotonic()

    @contextlib.contextmanager
    def section(self, module, function):
        name = f"{module.__name__}: {function.__name__}"
        began, passed = time.monotonic(), self.passed
        try:
            yield
        except Exception as error:  # One that breaks is red, and the others still run.
            self.check(name, [f"{type(error).__name__}: {error}"])
        seconds = time.monotonic() - began
        print(f"{name}: {self.passed - passed} passed, {seconds:.1f} s", flush=True)

    def check(self, name, problems):
        """`problems` is a list of sentences; none is good."""
        if problems is True or problems is False:
            problems = [] if problems else ["it is not so"]
        if problems:
            self.failed += 1
            print(f"  FAIL {name}: {'; '.join(problems)}", flush=True)
        else:
            self.passed += 1
        return not problems

    def equal(self, name, got, wanted):
        return self.check(name, [] if got == wanted else [f"{got!r}, not {wanted!r}"])

    def finish(self):
        print(f"took {time.monotonic() - self.began:.1f} s")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


@dataclasses.dataclass
class Row:
    name: str
    request: object
    status: int
    error: str = None    # The one word: in the body, or of a picture in Nandolytics-Dropped.
    moves: int = 0       # By how much the counts rise: exactly.
    events: int = 0      # Records that move no count.
    kept: int = 0        # Hits of bots, which have a record and no number.
    again: bool = False  # They have it already.
    json: object = None  # Fields of the answer, each a value or a function that says whether it is
                         # good; or such a function for all of it.
    without: tuple = ()  # Fields that it must not have.
    headers: dict = None  # A text, a function, or None for a header that must not be there.
    body: object = None  # Bytes, or a function that says whether they are good.
    public: bool = True  # Whether the answer carries the headers of public routes.


def id_of(name):
    return name.ljust(HIT_ID_LENGTH, "-")


def metrics(text):
    """Prometheus' text: name -> the sum over all labels, and name{labels} -> value."""
    found = collections.Counter()
    for line in text.decode().splitlines():
        parts = re.fullmatch(r'(\w+)(\{.*\})? (\S+)', line)
        if parts:
            found[parts[1]] += float(parts[3])
            if parts[2]:
                found[parts[1] + parts[2]] += float(parts[3])
    return found


Counts = collections.namedtuple("Counts", "counted shown kept sequence pages")


def read_counts(server, watched, token):
    """Counted hits and the journal's end by /metrics, the sites' totals by /api/v1/counts."""
    with wire.Connection(server.port) as connection:
        page = connection.ask(wire.Request("GET", "/metrics", close=False))
        numbers = metrics(page.body)
        shown = 0
        if watched:
            target = "/api/v1/counts?" + "&".join(f"url={url}" for url in watched)
            headers = (("Authorization", f"Bearer {token}"),)
            answer = connection.ask(wire.Request("GET", target, headers=headers))
            shown = sum(one["site"] for one in answer.json()["counts"])
    return Counts(int(numbers['nandolytics_hits_total{outcome="counted"}']), shown,
                  int(numbers['nandolytics_hits_total{outcome="bot"}']),
                  int(numbers["nandolytics_journal_sequence"]), int(numbers["nandolytics_pages"]))


def counts_problems(before, after, row):
    problems, moves, events, kept = [], row.moves, row.events, row.kept
    if after.kept - before.kept != kept:
        problems.append(f"{after.kept - before.kept} of bots kept, not {kept}")
    if kept and (after.sequence == before.sequence) != row.again:
        problems.append("it was written again" if row.again else "nothing was written")
    if after.counted - before.counted != moves + events:
        problems.append(f"{after.counted - before.counted} hits counted, not {moves + events}")
    if after.shown - before.shown != moves:
        problems.append(f"counts moved by {after.shown - before.shown}, not {moves}")
    if moves + events + kept == 0 and after[3:] != before[3:]:
        problems.append(f"something was written: {before} -> {after}")
    return problems


def public_problems(answer):
    """H11, of every answer of a public route."""
    problems = []
    if answer.all("Access-Control-Allow-Origin") != ["*"]:
        problems.append(f"Allow-Origin is {answer.all('Access-Control-Allow-Origin')}")
    for name in ("Access-Control-Allow-Credentials", "Set-Cookie"):
        if answer.all(name):
            problems.append(f"it has {name}")
    if "no-store" not in (answer.header("Cache-Control") or "").split(", "):
        problems.append(f"Cache-Control is {answer.header('Cache-Control')}")
    if answer.header("X-Content-Type-Options") != "nosniff":
        problems.append("it is not nosniff")
    return problems


def value_problems(what, got, wanted):
    good = wanted(got) if callable(wanted) else got == wanted
    instead = "" if callable(wanted) else f", not {wanted!r}"
    return [] if good else [f"{what} is {got!r}{instead}"]


def error_problems(answer, word):
    if answer.header("Content-Type") == "image/gif":
        return value_problems("Nandolytics-Dropped", answer.header("Nandolytics-Dropped"), word)
    body = answer.json()
    problems = value_problems("error", body.get("error"), word)
    if not body.get("message"):
        problems.append("it says nothing about what to do")
    return problems


def answer_problems(row, answer):
    problems = value_problems("status", answer.status, row.status)
    try:
        if row.error:
            problems += error_problems(answer, row.error)
        if callable(row.json):
            problems += value_problems("the answer", answer.json(), row.json)
        elif row.json is not None:
            body = answer.json()
            for key, wanted in row.json.items():
                problems += value_problems(key, body.get(key, "absent"), wanted)
            problems += [f"it has {key}" for key in row.without if key in body]
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError) as error:
        problems.append(f"the body is no such JSON ({error}): {answer.body[:200]!r}")
    for name, wanted in (row.headers or {}).items():
        problems += value_problems(name, answer.header(name), wanted)
    if row.body is not None:
        problems += value_problems("body", answer.body, row.body)
    if row.public:
        problems += public_problems(answer)
    return problems


class World:
    """A server, the sites it counts and the tokens that it knows."""

    def __init__(self, server, watched=(), tokens=None):
        self.server, self.watched, self.tokens = server, watched, tokens or {}

    def bearer(self, name):
        return {"Authorization": f"Bearer {self.tokens[name]}"}

    def counts(self):
        return read_counts(self.server, self.watched, self.tokens.get("admin", ""))

    def problems(self, row):
        before = self.counts()
        try:
            answer = self.server.ask(row.request)
        except (OSError, EOFError) as error:
            return [f"no answer: {error}"]
        return answer_problems(row, answer) + counts_problems(before, self.counts(), row)

    def run(self, report, rows):
        for row in rows:
            report.check(row.name, self.problems(row))
