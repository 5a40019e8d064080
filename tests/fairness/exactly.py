"""P1: each window has exactly its winners; and they stay, whatever dies at the winning record."""
import base64
import copy
import http.client

from stall import ARRAY, CHECK_DRAW, RECEIPT, Stall, Visitor, hit, read_receipt, visitor
from harness import BOT
from kills import attached

WINDOWS = 1000
CLAIMED_WHOLE = 10  # Windows of which every entry is claimed.


class Crowd:
    """Visitors without end, and among them what earns no entry: bots, those who come again, and
    pages without a secret."""

    def __init__(self, page, size):
        self.page, self.size, self.visitors, self.entered = page, size, 0, 0

    def some(self, eligible):
        """So many eligible hits and a few others; beside each the entry that it must earn."""
        hits, expected = [], []
        for _ in range(eligible):
            who = visitor(self.visitors)
            self.visitors, self.entered = self.visitors + 1, self.entered + 1
            others = []
            if self.visitors % 40 == 0:
                others.append(hit(self.page, Visitor(who.address, BOT, who.secret)))
            if self.visitors % 50 == 1:
                others.append(hit(self.page, visitor(self.visitors), secret=False))
            hits += [*others, hit(self.page, who)]
            expected += [0] * len(others) + [self.entered]
            # In the window of their entry; one entry later may be another window.
            if self.visitors % 30 == 0 and self.entered % self.size != 0:
                hits.append(hit(self.page, who))
                expected.append(0)
        return hits, expected


def exact_winners(report, hits, budget):
    """`hits` eligible ones of each rule."""
    with report.suite("P1", f"exact winners: {hits:,} eligible hits a rule", budget):
        with Stall("exact") as stall:
            size = hits // WINDOWS
            stall.add("every", f'rule = "every"\nevery = {size}')
            stall.add("drawn", f'rule = "instant"\nentries = {size}\nwindows = {WINDOWS}')
            for name in ("every", "drawn"):
                one_rule(report, stall, name, hits)


def one_rule(report, stall, name, hits):
    size, door = hits // WINDOWS, stall.door()
    crowd, receipts, sent, wrong = Crowd(f"/{name}", size), bytearray(), 0, 0
    while crowd.entered < hits:
        some, expected = crowd.some(min(ARRAY, hits - crowd.entered) * 9 // 10 or 1)
        for answer, entry in zip(door.send(some), expected):
            wrong += read_receipt(answer["receipt"]).entry != entry
            if entry:
                receipts += base64.urlsafe_b64decode(answer["receipt"])
        sent += len(some)
    report.check(f"{name}: each eligible hit has its number, no other has one", not wrong,
                 f"{sent:,} hits, {crowd.entered:,} eligible, {wrong} wrong")
    report.check(f"{name}: the page's count is exact", door.count(f"/{name}") == sent)

    proof = stall.proof(name, hits)
    wrong = wrong_windows(stall, name, proof, size)
    report.check(f"{name}: {WINDOWS:,} windows have exactly the winner that follows", not wrong,
                 "; ".join(wrong[:3]))
    winners = {window["window"]: window["winners"][0] for window in proof["windows"]}
    wrong = wrong_claims(door, receipts, winners, size)
    report.check(f"{name}: the winner of each is told so, and nobody beside", not wrong,
                 "; ".join(wrong[:3]))
    controls(report, stall, name, proof, size, door, receipts, winners)
    door.close()


def wrong_windows(stall, name, proof, size):
    """Contradictions, and windows that do not have one winner among their entries."""
    found = stall.contradictions(name, proof, chain=size * WINDOWS <= 100_000)
    if len(proof["windows"]) != WINDOWS:
        found.append(f"{len(proof['windows'])} windows")
    for window in proof["windows"]:
        if [(winner - 1) // size + 1 for winner in window["winners"]] != [window["window"]]:
            found.append(f"window {window['window']}: {window['winners']}")
    return found


def wrong_claims(door, receipts, winners, size):
    """Each window's winner claims, and its neighbours; of the first ones everybody does."""
    found = []
    for window, winner in winners.items():
        claimants = {winner, max(winner - 1, 1), min(winner + 1, size * WINDOWS)}
        if window <= CLAIMED_WHOLE:
            claimants |= set(range((window - 1) * size + 1, window * size + 1))
        for entry in sorted(claimants):
            own = (entry - 1) // size + 1
            raw = bytes(receipts[(entry - 1) * RECEIPT.size:entry * RECEIPT.size])
            said = door.claim(base64.urlsafe_b64encode(raw).decode(), visitor(entry - 1).secret)
            if (said["won"], said["entry"], said["window"]) != (winners[own] == entry, entry, own):
                found.append(f"entry {entry} was told {said}")
    return found


def controls(report, stall, name, proof, size, door, receipts, winners):
    moved = copy.deepcopy(proof)
    at = moved["windows"][WINDOWS // 2]
    at["winners"] = [at["first"] if at["winners"] != [at["first"]] else at["last"]]
    wrong = wrong_windows(stall, name, moved, size)
    report.check(f"{name}: control, another winner in one window: red", wrong, wrong[0])
    last = {WINDOWS: winners[WINDOWS] - 1}
    wrong = wrong_claims(door, receipts, last, size)
    report.check(f"{name}: control, another entry taken for the winner: red", wrong)


SIZE = 5
WAYS = ("pwritev", "fdatasync", "sent", "answered")


def killed(report, kills, budget):
    """The server dies while the winning entry is written; the winner stays who it is."""
    with report.suite("P1k", f"killed at the winning record {kills} times", budget):
        with Stall("killed") as stall:
            windows = (kills + 1) // 2
            stall.add("every", f'rule = "every"\nevery = {SIZE}')
            stall.add("drawn", f'rule = "instant"\nentries = {SIZE}\nwindows = {windows}')
            seeds = stall.seeds("drawn", windows)
            struck, wrong, winners = dict.fromkeys(WAYS, 0), [], {"every": {}, "drawn": {}}
            for number in range(kills):
                name, window = ("every", "drawn")[number % 2], number // 2 + 1
                place = place_of(seeds.get(window) if name == "drawn" else None)
                winners[name][window] = (window - 1) * SIZE + place
                round_of = Round(stall, name, window, place, number)
                way = WAYS[number // 2 % len(WAYS)]
                struck[way] += round_of.kill(way)
                wrong += round_of.after(WAYS[(number // 2 + 1) % len(WAYS)])
            report.check("the same winner each time, and nobody else", not wrong,
                         f"{kills} kills; {', '.join(f'{k} {n}' for k, n in struck.items())}"
                         + "".join(f"; {each}" for each in wrong[:3]))
            at_calls = struck["pwritev"] + struck["fdatasync"]
            report.check("a third of the kills at the write or sync itself", at_calls * 3 >= kills,
                         str(at_calls))
            for name, expected in winners.items():
                proof = stall.proof(name, SIZE * len(expected))
                told = {each["window"]: each["winners"] for each in proof["windows"]}
                report.check(f"{name}: published as they won",
                             told == {w: [entry] for w, entry in expected.items()}, str(told)[:80])
                found = stall.contradictions(name, proof)
                report.check(f"{name}: a stranger's check agrees", not found, "; ".join(found[:3]))
                report.check(f"{name}: each prize was given once",
                             proof["claimed"] == len(expected), str(proof["claimed"]))


def place_of(seed):
    """Where in its window the winner is; without a seed it is the last."""
    return CHECK_DRAW.draw(seed, SIZE, 1)[0] if seed else SIZE


class Round:
    """One window: those before the winner, the winner, the kill, and all that must be so after."""

    def __init__(self, stall, name, window, place, number):
        self.stall, self.name, self.window, self.place = stall, name, window, place
        first = number * 100
        self.others = [visitor(first + i) for i in range(SIZE - 1)]
        self.lucky, self.id = visitor(first + 50), f"winning-hit-{number:08}"
        self.answer = None

    def page(self):
        return f"/{self.name}"

    def kill(self, way):
        """Whether it died by `way` before it had answered (or after, for `answered`)."""
        door = self.stall.door()
        if self.place > 1:
            door.send([hit(self.page(), who) for who in self.others[:self.place - 1]])
        winning = [hit(self.page(), self.lucky, self.id)]
        self.answer = self.strike(way, lambda: door.send(winning)[0], door)
        self.stall.start()
        return (self.answer is None) == (way != "answered")

    def strike(self, way, act, door):
        """Dies at the first call of that kind after now; or when the request is on its way; or
        after the answer, which is returned if there was one."""
        server, answer = self.stall.server, None
        try:
            if way in ("pwritev", "fdatasync"):
                with attached(server, f"{way}:signal=SIGKILL:when=1"):
                    answer = act()
            elif way == "sent":
                door.connection.getresponse = server.kill  # In place of reading the answer.
                act()
            else:
                answer = act()
        except (OSError, http.client.HTTPException, AttributeError):
            pass  # It died; AttributeError: there was no answer to read.
        server.kill()
        door.close()
        return answer

    def after(self, way):
        """What is not as it must be. The first claim is killed too."""
        door, wrong = self.stall.door(), []
        entry = (self.window - 1) * SIZE + self.place
        again = door.send([hit(self.page(), self.lucky, self.id)])[0]
        if read_receipt(again["receipt"]).entry != entry:
            wrong.append(f"entry {read_receipt(again['receipt']).entry}, not {entry}")
        if self.answer and (self.answer["receipt"] != again["receipt"] or not again["duplicate"]):
            wrong.append(f"entry {entry}: another receipt")
        told = self.strike(way, lambda: door.claim(again["receipt"], self.lucky.secret), door)
        self.stall.start()

        door = self.stall.door()
        said = door.claim(again["receipt"], self.lucky.secret)
        if not said["won"] or said["entry"] != entry or said["window"] != self.window:
            wrong.append(f"the winner is told {said}")
        if told and {**told, "duplicate": True} != said:
            wrong.append(f"another answer: {told}, {said}")
        rest = door.send([hit(self.page(), who) for who in self.others[self.place - 1:]])
        for who, answer in zip(self.others[self.place - 1:], rest):
            if door.claim(answer["receipt"], who.secret)["won"] is not False:
                wrong.append(f"{who.address} won too")
        door.close()
        return wrong
