"""P8: the wall clock is stepped every second, and no number, entry, winner or refusal moves."""
import collections
import itertools
import random
import time

from stall import Stall, hit, read_receipt, visitor
from harness import Shim

DAY = 86_400
STEPS = (-DAY, 3600, -DAY // 2, 30 * DAY, -DAY, 365 * DAY, 0, 3650 * DAY, -DAY)
RETRY_MILLISECONDS = DAY * 1000  # So long an id is known, by the journal's time.
EVERY, FRESH, AGAIN = 20, 60, 20
OPEN, ONCE, SHORT, OVER = "/open", "/once", "/short", "/over"
Sent = collections.namedtuple("Sent", "who id answer receipt")


class Story:
    """Everything that was answered, and what contradicts it."""

    def __init__(self, stall):
        self.stall, self.random = stall, random.Random(8)
        self.wrong, self.sent, self.inside, self.claims = [], [], [], {}
        self.visitors, self.entries, self.retries, self.again = 0, 0, 0, 0
        self.committed, self.seen = 0, []
        self.door = stall.door()

    def fresh(self, count):
        first, self.visitors = self.visitors, self.visitors + count
        return [visitor(first + i) for i in range(count)]

    def expect(self, holds, what):
        if not holds:
            self.wrong.append(f"step {len(self.seen)}: {what}")

    def before(self):
        """What the clock could revive: a win that will lapse, and a promotion that will be over."""
        whose = self.fresh(2)
        answers = self.door.send([hit(SHORT, who) for who in whose])
        self.lapsing = (answers[1]["receipt"], whose[1].secret)
        self.expect(read_receipt(answers[1]["receipt"]).entry == 2, "no entry in /short")
        entered = self.door.entries([hit(OVER, who) for who in self.fresh(2)])
        self.expect(entered == [1, 2], f"entries of /over {entered}")

    def step(self):
        """A second's hits, retries and claims, under whatever the clock says."""
        count, before = self.fresh(FRESH), self.entries
        new = [(who, f"stepped-hit-{self.visitors:07}-{i:03}") for i, who in enumerate(count)]
        for (who, name), answer in zip(new, self.door.send([hit(OPEN, *each) for each in new])):
            receipt = read_receipt(answer["receipt"])
            self.entries += 1
            self.expect(receipt.entry == self.entries and not answer["duplicate"],
                        f"entry {receipt.entry}, not {self.entries}")
            self.expect(answer["page"] == self.entries, f"page {answer['page']}")
            self.expect(receipt.committed >= self.committed, "a commit before the one before it")
            self.committed = receipt.committed
            self.sent.append(Sent(who, name, answer, receipt))
        self.seen.append(self.committed)
        self.expect(self.entries == before + FRESH, "entries")
        self.retry()
        self.come_again()
        self.claim()
        self.revive()

    def retry(self):
        """Hits whose answer was lost, of this step and of all before that are a day old at most."""
        known = [each for each in self.sent
                 if self.committed - each.receipt.committed < RETRY_MILLISECONDS]
        chosen = self.random.sample(known, min(len(known), 2 * AGAIN))
        answers = self.door.send([hit(OPEN, each.who, each.id) for each in chosen])
        for each, answer in zip(chosen, answers):
            same = {**each.answer, "duplicate": True, "shown": answer["shown"]} == answer
            self.expect(same, f"{each.id}: {answer}")
        self.retries += len(chosen)

    def come_again(self):
        """Visitors of the one window of /once: the first time they enter, never again."""
        new = self.fresh(AGAIN)
        entered = self.door.entries([hit(ONCE, who) for who in new])
        first = len(self.inside) + 1
        self.expect(entered == list(range(first, first + AGAIN)), f"/once: {entered}")
        self.inside += new
        old = self.random.sample(self.inside, min(len(self.inside), 3 * AGAIN))
        entered = self.door.entries([hit(ONCE, who) for who in old])
        self.expect(not any(entered), f"/once, entered again: {entered}")
        self.again += len(old)

    def claim(self):
        for each in self.random.sample(self.sent, AGAIN) + [self.sent[self.entries // EVERY
                                                                      * EVERY - 1]]:
            said = self.door.claim(each.answer["receipt"], each.who.secret)
            entry = each.receipt.entry
            self.expect(said["won"] == (entry % EVERY == 0) and said["entry"] == entry, str(said))
            said.pop("duplicate", None)
            self.expect(self.claims.setdefault(entry, said) == said, f"{said} was another before")

    def revive(self):
        """Once lapsed, or over, for ever: after STEPS' hour, and after its 30 days."""
        if len(self.seen) > 1:
            said = self.door.claim(*self.lapsing)
            self.expect(said.get("reason") == "lapsed", f"/short revived: {said}")
        if len(self.seen) > 3:
            entered = self.door.entries([hit(OVER, who) for who in self.fresh(2)])
            self.expect(not any(entered), f"/over took entries: {entered}")


def wrong_clock(report, seconds, budget):
    with report.suite("P8", f"the clock wins nothing: stepped each second for {seconds} s", budget):
        with Stall("stepped", shim=Shim) as stall:
            closes = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2 * DAY))
            stall.add("open", f'rule = "every"\nevery = {EVERY}', claim_within="3660 days")
            stall.add("once", 'rule = "instant"\nentries = 1000000\nwindows = 1')
            stall.add("short", 'rule = "every"\nevery = 2', claim_within="30 minutes")
            stall.add("over", 'rule = "instant"\neach = "hour"', closes=closes)
            story, steps = Story(stall), itertools.cycle(STEPS)
            story.before()
            for second in range(seconds):
                began, offset = time.monotonic(), next(steps)
                stall.shim.set(Shim.CLOCK_SECONDS, offset)
                story.step()
                if second == seconds // 2:
                    restart(stall, story)
                time.sleep(max(0.0, 1 - (time.monotonic() - began)))
            verdict(report, stall, story)


def restart(stall, story):
    """kill -9; the clock then is the one of the start, as an operator would have mended it."""
    stall.shim.set(Shim.CLOCK_SECONDS, 0)
    stall.server.kill()
    stall.start()
    story.door = stall.door()


def verdict(report, stall, story):
    report.check("ordinals, receipts, entries, winners and refusals stay", not story.wrong,
                 f"{story.entries:,} entries, {story.retries:,} retries, {story.again:,} came back,"
                 f" {len(story.claims):,} claimants" + "".join(f"; {w}" for w in story.wrong[:4]))
    years = (story.seen[-1] / 1000 - time.time()) / DAY / 365
    report.check("control, the clock was moved: the journal is years ahead", years > 9.9,
                 f"{years:.1f} years")
    for name, entries in (("open", story.entries), ("once", len(story.inside))):
        found = stall.contradictions(name, stall.proof(name, entries))
        report.check(f"{name}: a stranger's check agrees", not found, "; ".join(found[:3]))
    good, said = stall.server.verify()
    report.check("verify agrees", good, said)
